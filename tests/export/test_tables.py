"""Tables of the summary over literal frames."""

import polars as pl
import pytest

from analysis.derive.signal import Signal
from analysis.results import Estimate, Fit, SensitivityRow
from analysis.spec_rules import QUESTIONS
from analysis.specs import ModelSpec
from export import model_tables
from export.expansion import response_by_expansion
from export.fit_text import rule_line
from export.questions import TITLES, AskedFit, model_questions, settings_of

SIGNAL = Signal.parse("kinetics:CARTG:qPCR:BLOOD")
REFUSED = Fit(
    "mixed", "not_estimable", "one group only", "Nothing to compare.", spec={"outcome": "a"}
)
FITTED = Fit(
    "mixed", "ok", None, "Twice as high.", spec={"outcome": "b"}, n_subjects=12,
    estimates=(Estimate("Intercept", 2.0, 0.5), Estimate("time", -0.25, 0.125)),
)  # fmt: skip


@pytest.mark.parametrize("fits", [(REFUSED, FITTED), (FITTED, REFUSED)])
def test_estimates_stand_whichever_fit_comes_first(fits: tuple[Fit, ...]) -> None:
    (table,) = model_tables.model_estimates([AskedFit(fit) for fit in fits])
    rows = table.rows().select("outcome", "term", "estimate", "std_error")
    assert sorted(rows.rows()) == [
        ("a", "(not estimable)", None, None),
        ("b", "Intercept", 2.0, 0.5),
        ("b", "time", -0.25, 0.125),
    ]


def test_each_kind_of_model_has_a_table_of_its_own() -> None:
    """Estimates of Cox and joint models once stood under "Mixed model: fixed effects"."""
    assert set(TITLES) == set(QUESTIONS)
    asked = [
        AskedFit(FITTED.replace(kind=kind, spec={"outcome": "a", "question": question}))
        for kind, question in [("Cox model", "event_by_exposure"), ("joint model", "joint"),
                               ("linear mixed model", "signal_by_group"),
                               ("logistic regression", "response_by_exposure")]
    ]  # fmt: skip
    found = {
        table.title: (table.name, table.rows()["model"].unique().to_list())
        for table in model_tables.model_estimates(asked)
    }
    assert found == {
        "Mixed model: fixed effects": ("model_estimates", ["linear mixed model"]),
        "Logistic regression: log odds ratios": ("logistic_estimates", ["logistic regression"]),
        "Cox model: log hazard ratios": ("cox_estimates", ["Cox model"]),
        "Joint model: estimates by part": ("joint_estimates", ["joint model"]),
    }


def test_terms_of_a_joint_model_name_their_part() -> None:
    rows = (Estimate("day", 1.0, 0.5, part="signal"), Estimate("day", 2.0, 0.5, part="hazard"))
    fit = FITTED.replace(spec={"outcome": "event:PFS", "question": "joint"}, estimates=rows)
    *_, table = model_tables.model_estimates([AskedFit(fit)])
    assert table.rows().select("part", "estimate").rows() == [("signal", 1.0), ("hazard", 2.0)]


def test_every_question_stands_with_who_asked_and_why_there_is_no_answer() -> None:
    asked = [AskedFit(FITTED, default=True, asked_by="report"),
             AskedFit(REFUSED, asked_by="ann", asked_at="2026-07-02 09:00:00")]  # fmt: skip
    rows = model_questions(asked).rows()
    columns = ("default", "asked_by", "asked_at", "outcome", "status", "reason", "sentence")
    assert rows.select(columns).rows() == [
        ("yes", "report", "", "b", "ok", "", "Twice as high."),
        ("no", "ann", "2026-07-02 09:00:00", "a", "not_estimable", "one group only",
         "Nothing to compare."),
    ]  # fmt: skip
    assert model_questions([]).rows().is_empty()


def test_the_model_tables_say_whose_patients_they_hold() -> None:
    asked = [AskedFit(FITTED)]
    for table in (*model_tables.model_estimates(asked), model_tables.model_ratios(asked)):
        assert table.notes[0].startswith("Fits: all patients of their own analysis set")


def test_every_rule_of_an_answer_stands_in_the_summary() -> None:
    ruled = FITTED.replace(
        spec={"outcome": "response:responder", "question": "response_by_exposure"},
        conf_level=0.9,
        sensitivity=(
            SensitivityRow("half_lloq", None, 2.5, 1.5, 4.0, 0.001, 36, "ok"),
            SensitivityRow("drop", None, None, None, None, None, 3, "not_estimable"),
        ),
    )
    rows = model_tables.model_rules([AskedFit(fit) for fit in (REFUSED, FITTED, ruled)]).rows()
    assert rows.select("rule", "kind", "ratio", "conf_low", "conf_level", "status").rows() == [
        ("half the limit", "odds ratio", 2.5, 1.5, 0.9, "ok"),
        ("left out", "odds ratio", None, None, 0.9, "not_estimable"),
    ]
    assert model_tables.model_rules([AskedFit(REFUSED), AskedFit(FITTED)]).rows().is_empty()


def test_rules_and_methods_have_their_own_words_in_a_terminal() -> None:
    rows = [SensitivityRow(rule, None, 2.0, 1.0, 4.0, 0.05, 9, "ok") for rule in ("drop", "two")]
    assert [rule_line(row).split(":")[0].strip() for row in rows] == [
        "below the limit left out", "two"]  # fmt: skip


def expansion(*peaks: float) -> list[tuple[object, ...]]:
    """Rows below "all": expansion, n, lowest and highest peak; every second patient responds."""
    names = [f"P{number:02}" for number in range(len(peaks))]
    series = pl.DataFrame(
        {
            "usubjid": names, "rel_day": 9.0, "value": peaks, "lower": None, "upper": None,
            "censored": "none",
        },
        schema_overrides={"lower": pl.Float64, "upper": pl.Float64},
    )  # fmt: skip
    best = pl.DataFrame({"usubjid": names, "criterion": "NCCN",
                         "responder": [n % 2 == 0 for n in range(len(peaks))]})  # fmt: skip
    subjects = pl.DataFrame({"usubjid": names, "cohort": "B-ALL"})
    rows = response_by_expansion([(SIGNAL, series)], best, subjects).rows()
    return rows.select("expansion", "n", "peak_low", "peak_high").rows()[1:]


THIRDS = [
    ("without ties", (1, 2, 3, 4, 5, 6, 7, 8, 9), [(3, 1, 3), (3, 4, 6), (3, 7, 9)]),
    ("ten patients", (1, 2, 3, 4, 5, 6, 7, 8, 9, 10), [(3, 1, 3), (4, 4, 7), (3, 8, 10)]),
    ("ties at a cut", (1, 2, 3, 3, 3, 6, 7, 8, 9), [(2, 1, 2), (4, 3, 6), (3, 7, 9)]),
    ("ties at the bottom", (1, 1, 1, 1, 5, 6, 7, 8, 9), [(4, 1, 1), (2, 5, 6), (3, 7, 9)]),
]


@pytest.mark.parametrize(("peaks", "thirds"), [case[1:] for case in THIRDS],
                         ids=[case[0] for case in THIRDS])  # fmt: skip
def test_equal_peaks_stand_in_one_third(peaks, thirds) -> None:
    names = ("lowest third", "middle third", "highest third")
    assert expansion(*map(float, peaks)) == [
        (name, *third) for name, third in zip(names, thirds, strict=True)
    ]


def test_peaks_that_cannot_be_split_are_said_to_be_so() -> None:
    (row,) = expansion(1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 8.0, 9.0)
    assert row == ("not split into thirds: equal peaks", None, None, None)


def test_eight_patients_are_not_split() -> None:
    assert expansion(*map(float, range(1, 9))) == []


def test_two_questions_of_one_outcome_are_told_apart() -> None:
    spec = ModelSpec(outcome="kinetics:CARTG:qPCR:BLOOD")
    other = spec.replace(blq="drop", adjusters=("age_year", "sex"))
    assert settings_of(FITTED.replace(spec=spec.to_dict())) == "as by default"
    told = settings_of(FITTED.replace(spec=other.to_dict()))
    assert told == "adjusters: age_year, sex; blq: drop"
