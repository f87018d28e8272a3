"""Terms, p-values, groupings and degrees of freedom of a fit, in the words of the page."""

import pytest

from dashboard.model import parts


@pytest.mark.parametrize(
    ("term", "words"),
    [
        ("Intercept", "Intercept"),
        ("cr(time, df=3, constraints='center')[2]", "curve 2"),
        ("cr(time, df=3, constraints='center')[2]:group[T.responder]", "curve 2 × responder"),
        ("visit[T.14]", "day 14"),
        ("visit[T.14]:group[T.CR]", "day 14 × CR"),
        ("age_year", "age_year"),
    ],
)
def test_terms_in_words(term: str, words: str) -> None:
    assert parts.term_words(term) == words


@pytest.mark.parametrize(("p", "text"), [(3e-81, "< 0.0001"), (0.0019, "0.0019"), (None, "–")])
def test_p_is_never_zero(p: float | None, text: str) -> None:
    assert parts.p_cell(p) == text


@pytest.mark.parametrize(
    ("group", "words"),
    [
        ("usubjid", "Patient"),
        ("usubjid:region_code", "Lesion or organ of a patient"),
        ("usubjid:visit", "Visit of a patient"),
        ("Residual", "Residual"),
    ],
)
def test_groupings_of_variances_in_words(group: str, words: str) -> None:
    assert parts.group_words(group) == words


@pytest.mark.parametrize(
    ("df", "inference", "text"),
    [(21.86, "satterthwaite", "21.9"), (None, "wald", "∞"), (None, "bootstrap", "–")],
)
def test_degrees_of_freedom_in_words(df: float | None, inference: str, text: str) -> None:
    assert parts.df_text(df, inference) == text
