"""The CAR22 trial, literally from its workbook: the recorded fits and the model page's question.

Data: Lichtenstein DA et al., Blood 2021;138(24):2469-2484, doi:10.1182/blood.2021011898.
"""

import json
from pathlib import Path

import polars as pl
import pytest

from analysis import ModelSpec, fit_mixed, fit_specification

SHARED = Path(__file__).resolve().parents[4] / "shared"
WORKBOOK = SHARED / "data" / "car22_nci_ball" / "clinical_data_05-12-20_v1.xlsx"
pytestmark = pytest.mark.skipif(
    not WORKBOOK.exists(), reason="reference data ../shared is not on this machine"
)

ABSOLUTE = {0: 136, 7: 139, 14: 142, 21: 145, 28: 148}
"""Nominal day -> column of 'Abs CAR (cells/uL)'."""
SPEC = ModelSpec(
    outcome="kinetics:CARFLOW:flow:BLOOD",
    question="expansion_by_group",
    group="complete_response",
    time="visit",
    random="intercept",
    day_low=14.0,
)
PUBLISHED = SPEC.replace(transform="log10_shift", shift=0.1)


@pytest.fixture(scope="module")
def truth() -> dict:
    return json.loads((SHARED / "data" / "TRUTH.json").read_text())["R"]


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    import fastexcel

    sheet = fastexcel.read_excel(WORKBOOK).load_sheet(0, header_row=None).to_polars().slice(3)
    rows = []
    for row in sheet.iter_rows():
        for day, column in ABSOLUTE.items():
            try:
                value = float(row[column])
            except (TypeError, ValueError):
                continue
            cr = None if row[8] is None else int(float(row[8]))
            rows.append(
                {
                    "usubjid": str(row[0]),
                    "nominal_day": float(day),
                    "value": value,
                    "hlh": int(float(row[1])),
                    "cr": cr,
                    "group": None if cr is None else ("CR" if cr else "no CR"),
                }
            )
    return pl.DataFrame(rows)


@pytest.mark.parametrize(
    ("name", "formula", "from_day"),
    [
        ("car22_LMM_visit", "y ~ v", 0),
        ("car22_LMM_from14_hlh", "y ~ v * hlh", 14),
        ("car22_LMM_from14_CR", "y ~ v * cr", 14),
    ],
)
def test_recorded_fits(frame, truth, name, formula, from_day):
    days = [f"{day:g}" for day in ABSOLUTE if day >= from_day]
    rows = frame.filter(pl.col("nominal_day") >= from_day).with_columns(
        y=(pl.col("value") + 0.1).log10(),
        v=pl.col("nominal_day").cast(pl.Int64).cast(pl.String).cast(pl.Enum(days)),
    )
    if name.endswith("CR"):
        rows = rows.filter(pl.col("cr").is_not_null())
    fit, expected = fit_mixed(rows, formula, "usubjid"), truth[name]

    assert fit.n_observations == expected["n"]
    assert fit.criterion == pytest.approx(expected["crit"], rel=1e-6)
    assert [e.estimate for e in fit.estimates] == pytest.approx(
        list(expected["fixef"].values()), rel=1e-4
    )
    assert [e.std_error for e in fit.estimates] == pytest.approx(
        list(expected["se"].values()), rel=1e-4
    )
    assert [row.variance for row in fit.variance_components] == pytest.approx(
        [row["vcov"] for row in expected["varcomp"]], rel=1e-3
    )


def test_the_published_way_is_a_ratio_of_shifted_values(frame, truth):
    fit = fit_specification(frame, PUBLISHED)
    expected = truth["car22_LMM_from14_CR"]
    assert fit.criterion == pytest.approx(expected["crit"], rel=1e-6)
    ratio = fit.key_ratio
    assert (ratio.day, ratio.kind) == (14.0, "ratio of shifted values")
    assert ratio.ratio == pytest.approx(10 ** expected["fixef"]["cr"], rel=1e-4)
    assert fit.ratios[2].ratio == pytest.approx(
        10 ** (expected["fixef"]["cr"] + expected["fixef"]["v28:cr"]), rel=1e-4
    )
    assert fit.sentence == (
        "On day 14, blood CAR+ cells were 88 times higher in complete responders than in patients "
        "without complete response (ratio of shifted values, 95 % CI 18 to 440; n = 40 against "
        "15; t with robust variances)."
    )


def test_the_question_of_the_model_page(frame):
    fit = fit_specification(frame, SPEC)
    ratio = fit.key_ratio
    assert (fit.n_subjects, ratio.day, ratio.group, ratio.reference) == (55, 14.0, "CR", "no CR")
    assert ratio.ratio == pytest.approx(95.842, rel=1e-4)
    assert ratio.p_value < 1e-4
    assert [row.rule for row in fit.sensitivity] == ["censored", "half_lloq", "drop"]
    assert fit.sentence == (
        "On day 14, blood CAR+ cells were 96 times higher in complete responders than in patients "
        "without complete response (95 % CI 18 to 513; n = 40 against 15; t with robust "
        "variances). Caution: The size depends on the rule for values below the limit (ratio 98 "
        "censored, ratio 96 half the limit, ratio 70 left out); take the rule 'censored' as the "
        "primary one, and report the others beside it; the number above is that of the rule "
        "'half the limit', which has a test of the whole course."
    )
