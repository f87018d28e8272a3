"""The first question of a study with two cohorts that are read by different criteria."""

import polars as pl
import pytest

from analysis.derive.default_question import default_question
from analysis.errors import UserError

SUBJECTS = pl.DataFrame(
    {"usubjid": ["M1", "M2", "M3", "L1", "L2"], "cohort": ["M", "M", "M", "L", "L"]}
)
RESPONSES = pl.DataFrame(
    {
        "usubjid": ["M1", "M2", "M3", "L1", "L2"],
        "criterion": ["marrow", "marrow", "marrow", "Lugano", "Lugano"],
        "reader": [None] * 5,
        "component": ["overall"] * 5,
        "nominal_day": [28.0] * 5,
        "response": ["CR", "PD", "CR", "PR", "CR"],
        "rel_day": [28.0] * 5,
    },
    schema_overrides={"reader": pl.String},
)


def labs(*rows: tuple[str, str, float]) -> pl.DataFrame:
    base = {"matrix": "SERUM", "unit": "mg/L", "value": 4.0, "lower": None, "upper": None,
            "censored": "none", "lloq": None, "test": None, "category": None}  # fmt: skip
    return pl.DataFrame(
        [
            {"usubjid": who, "testcd": test, "rel_day": day, "nominal_day": day, **base}
            for who, test, day in rows
        ]
    )


def test_a_signal_is_asked_about_where_it_was_measured():
    measured = labs(
        ("M1", "CRP", 7.0), ("M2", "CRP", 7.0), ("L1", "LDH", 14.0), ("L1", "LDH", 28.0)
    )
    first = default_question(subjects=SUBJECTS, labs=measured, responses=RESPONSES)
    assert (first.cohort, first.criterion) == (("M",), "marrow"), "where most are assessed"
    asked = default_question(
        subjects=SUBJECTS, labs=measured, responses=RESPONSES, outcome="laboratory:LDH:SERUM"
    )
    assert asked.outcome == "laboratory:LDH:SERUM"
    assert asked.criterion == "Lugano"
    assert (asked.time, asked.random) == ("visit", "intercept"), "two planned days are a factor"


@pytest.mark.parametrize(
    ("days", "first"),
    [((0, 1, 3, 7), 1), ((0, 7), 7), ((0, 7, 14), 7), ((0, 1, 7, 14), 7), ((-1, 3), 3)],
    ids=str,
)
def test_the_window_keeps_two_planned_days_where_there_are_two(days: tuple[int, ...], first: int):
    """Images of days 0, 1, 3 and 7 from day 7 on are one day, which is no course."""
    measured = labs(*((who, "CRP", float(day)) for who in ("M1", "M2", "M3") for day in days))
    spec = default_question(subjects=SUBJECTS, labs=measured, responses=RESPONSES)
    assert (spec.time, spec.day_low) == ("visit", first)


@pytest.mark.parametrize(("samples", "random"), [(4, "intercept"), (6, "matching")])
def test_patients_with_few_samples_are_asked_for_no_curve_each(samples: int, random: str):
    days = [0.0, 3.0, 7.0, 14.0, 21.0, 28.0][:samples]
    measured = labs(*((who, "CRP", day) for who in ("M1", "M2", "M3") for day in days))
    measured = measured.with_columns(nominal_day=pl.lit(None, pl.Float64))
    spec = default_question(subjects=SUBJECTS, labs=measured, responses=RESPONSES)
    assert (spec.time, spec.random) == ("spline", random)


@pytest.mark.parametrize(
    ("patients", "days", "degrees"), [(15, 8, 4), (14, 8, 3), (15, 7, 3), (24, 14, 4)]
)
def test_the_curve_bends_more_where_days_and_patients_carry_it(patients, days, degrees):
    who = [f"P{number:02d}" for number in range(patients)]
    measured = labs(*((one, "CRP", float(day)) for one in who for day in range(1, days + 1)))
    subjects = pl.DataFrame({"usubjid": who, "cohort": ["M"] * patients})
    spec = default_question(subjects=subjects, labs=measured)
    assert (spec.time, spec.random, spec.spline_df) == ("spline", "matching", degrees)


def test_patients_of_another_cohort_do_not_bend_the_curve():
    who = [f"P{number:02d}" for number in range(30)]
    measured = labs(*((one, "CRP", float(day)) for one in who for day in range(1, 9)))
    cohort = ["M"] * 14 + ["L"] * 16
    subjects = pl.DataFrame({"usubjid": who, "cohort": cohort})
    responses = pl.DataFrame(
        {"usubjid": who, "criterion": cohort, "reader": [None] * 30, "component": ["overall"] * 30,
         "nominal_day": [28.0] * 30, "rel_day": [28.0] * 30, "response": ["CR"] * 30},
        schema_overrides={"reader": pl.String},
    )  # fmt: skip
    asked = default_question(subjects=subjects, labs=measured, responses=responses)
    assert (asked.cohort, asked.spline_df) == (("L",), 4)
    fewer = responses.filter((pl.col("criterion") == "M") | (pl.col("usubjid") < "P25"))
    asked = default_question(subjects=subjects, labs=measured, responses=fewer)
    assert (asked.cohort, asked.spline_df) == (("M",), 3)


def test_what_is_no_signal_is_refused():
    with pytest.raises(UserError, match="is not a signal"):
        default_question(subjects=SUBJECTS, responses=RESPONSES, outcome="nonsense")
    with pytest.raises(UserError, match="no signal to model"):
        default_question(subjects=SUBJECTS, responses=RESPONSES)
