import polars as pl

from analysis.derive.baseline import baseline_table
from analysis.derive.burden import burden_series
from analysis.derive.groups import MAX_LEVELS, with_numbers

SUBJECTS = pl.DataFrame(
    {
        "usubjid": ["P1", "P2", "P3", "P4"],
        "age_year": [40.0, 50.0, 60.0, None],
        "sex": ["F", "F", "M", None],
    }
)
GROUPS = pl.DataFrame({"usubjid": ["P1", "P2", "P3"], "group": ["a", "a", "b"]})


def rows(table, variable, *columns):
    return table.filter(pl.col("variable") == variable).select(columns).rows()


def test_numbers_and_categories_by_group():
    table = baseline_table(SUBJECTS, groups=GROUPS)
    assert rows(table, "age_year", "group", "n", "n_missing", "median", "minimum", "maximum") == [
        ("a", 2, 0, 45.0, 40.0, 50.0),
        ("b", 1, 0, 60.0, 60.0, 60.0),
        ("not known", 0, 1, None, None, None),
        ("All", 3, 1, 50.0, 40.0, 60.0),
    ]
    assert rows(table, "sex", "level", "group", "count", "n", "n_missing", "percent") == [
        ("F", "a", 2, 2, 0, 100.0),
        ("F", "b", 0, 1, 0, 0.0),
        ("F", "not known", 0, 0, 1, None),
        ("F", "All", 2, 3, 1, 100 * 2 / 3),
        ("M", "a", 0, 2, 0, 0.0),
        ("M", "b", 1, 1, 0, 100.0),
        ("M", "not known", 0, 0, 1, None),
        ("M", "All", 1, 3, 1, 100 * 1 / 3),
    ]


def test_variables_without_any_value_are_left_out():
    assert set(baseline_table(SUBJECTS)["variable"]) == {"age_year", "sex"}


def test_characteristics_and_burden():
    characteristics = pl.DataFrame(
        {
            "usubjid": ["P1", "P2", "P1"],
            "paramcd": ["BLAST", "BLAST", "HCT"],
            "label": ["Marrow blasts", "Marrow blasts", "Prior transplant"],
            "value": [80.0, 20.0, None],
            "value_text": [None, None, "Y"],
            "unit": ["%", "%", None],
        }
    )
    lesions = pl.DataFrame(
        {
            "usubjid": ["P1"], "region_code": ["T1"], "metric": ["LDIAM"], "value": [30.0],
            "unit": ["mm"], "rel_day": [-7.0], "censored": ["none"],
        }
    )  # fmt: skip
    table = baseline_table(SUBJECTS, characteristics, burden=burden_series(lesions))
    assert rows(table, "BLAST", "label", "unit", "median", "q1", "q3") == [
        ("Marrow blasts", "%", 50.0, 35.0, 65.0)
    ]
    assert rows(table, "HCT", "level", "count", "n_missing") == [("Y", 1, 3)]
    assert rows(table, "baseline_SUMDIAM", "label", "unit", "n", "median") == [
        ("Sum of target diameters", "mm", 1, 30.0)
    ]


def test_words_with_a_code_are_levels_and_dates_are_no_characteristics() -> None:
    """ "no" delivered with 0 beside it has no median; a measurement with a limit keeps its own."""
    subjects = pl.DataFrame({"usubjid": list("abcd")})
    characteristics = pl.DataFrame({
        "usubjid": list("abcd") * 2 + ["a", "b"],
        "paramcd": ["PRIOR"] * 4 + ["LDH"] * 4 + ["RFSTDTC"] * 2,
        "label": ["Prior transplant"] * 4 + ["LDH"] * 4 + ["Reference start date"] * 2,
        "value_text": ["yes", "no", "no", "no", "210", "< 150", "300", "180", "2026-03-01",
                       "2026-03-02T08:00"],
        "value": [1.0, 0.0, 0.0, 0.0, 210.0, 150.0, 300.0, 180.0, None, None],
        "unit": [None] * 4 + ["U/L"] * 4 + [None] * 2,
    })  # fmt: skip
    table = baseline_table(subjects, characteristics)
    prior = table.filter(pl.col("variable") == "PRIOR").select("level", "count", "n", "median")
    assert prior.rows() == [("no", 3, 4, None), ("yes", 1, 4, None)]
    assert table.filter(pl.col("variable") == "LDH")["median"].to_list() == [195.0]
    assert table.filter(pl.col("variable") == "RFSTDTC").is_empty()


def coded(texts, values):
    return pl.DataFrame({
        "usubjid": [f"P{number}" for number in range(len(texts))], "paramcd": "KIND",
        "value_text": texts, "value": values,
    }, schema_overrides={"value": pl.Float64})  # fmt: skip


def test_a_patient_without_the_word_is_missing_and_no_level_more():
    """As many words as there may be levels, and one patient more who has none."""
    words = [f"kind {number}" for number in range(MAX_LEVELS)]
    given = coded([*words, None], [*map(float, range(MAX_LEVELS)), None])
    table = baseline_table(given.select("usubjid"), given)
    assert rows(table, "KIND", "level", "count", "n", "n_missing", "median") == [
        (word, 1, MAX_LEVELS, 1, None) for word in words
    ]
    more = coded([*words, "kind 7"], [*map(float, range(MAX_LEVELS + 1))])
    table = baseline_table(more.select("usubjid"), more)
    assert rows(table, "KIND", "level", "n", "median") == [(None, MAX_LEVELS + 1, MAX_LEVELS / 2)]


def test_a_missing_number_is_no_value_more():
    """Six different numbers without a unit are categories, a seventh makes them a measurement."""
    six = [str(number) for number in range(MAX_LEVELS)]
    assert with_numbers(coded([*six, None], [None] * 7))["value"].to_list() == [None] * 7
    seven = with_numbers(coded([*six, "6"], [None] * 7))["value"].to_list()
    assert seven == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
