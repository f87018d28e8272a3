"""Each finding has a scan that earns it and one that does not."""

import polars as pl
import pytest

from analysis.derive.flags import quantification_flags

GOOD = {
    "usubjid": "P1", "scan_code": "S1", "tracer_id": "f18_fhbg", "rel_day": 14.06,
    "uptake_time_h": 1.5, "weight_kg": 70.0, "half_life_h": 6588 / 3600, "evaluable": True,
    "not_evaluable_reason": None, "decay_state": "scan_start", "dtm_precision": "minute",
}  # fmt: skip
TYPES = {
    "weight_kg": pl.Float64, "half_life_h": pl.Float64, "uptake_time_h": pl.Float64,
    "not_evaluable_reason": pl.String,
}  # fmt: skip


def scans(*changes):
    return pl.DataFrame([GOOD | change for change in changes], schema_overrides=TYPES)


def value(**changes):
    return {
        "usubjid": "P1", "scan_code": "S1", "region_code": "L1", "metric": "suv_mean",
        "value": 2.0, "unit": "g/mL", "censored": "none", "rel_day": 14.06,
        "decay_state": "scan_start", **changes,
    }  # fmt: skip


def found(scan_frame=None, values=None, **frames):
    values = pl.DataFrame(values) if values else None
    flags = quantification_flags(scan_frame, values, **frames)
    return [(row["severity"], row["title"]) for row in flags.to_dicts()]


def test_a_good_scan_has_no_finding():
    assert found(scans({}), [value()]) == []


LABEL = {"tracer_id": "zr89_oxine_cells", "half_life_h": 78.41, "rel_day": 3.0}
OUTSIDE = ("warning", "Scan outside the usable window")
WRONG = ("error", "Half-life does not fit the tracer")
TABLE = [
    ({"uptake_time_h": 6.0}, ("warning", "Scan outside the usable window")),
    ({"uptake_time_h": 0.5}, ("warning", "Scan outside the usable window")),
    ({"half_life_h": 78.41}, ("error", "Half-life does not fit the tracer")),
    ({"half_life_h": 1.85}, ("warning", "Half-life does not fit the tracer")),
    ({"evaluable": False, "not_evaluable_reason": "motion"}, ("warning", "Scan not evaluable")),
    ({"tracer_id": "mystery", "half_life_h": None}, ("warning", "Tracer not in the registry")),
    (LABEL | {"rel_day": 8.0}, OUTSIDE),
    (LABEL | {"half_life_h": 1.8295}, WRONG),
    (LABEL | {"dtm_precision": "day"}, ("warning", "Scan time not exact")),
]  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), TABLE)
def test_one_finding(change, expected):
    assert found(scans(change)) == [expected]


@pytest.mark.parametrize("half_life_s", [6586.2, 6588.0])
def test_both_usual_half_lives_of_f18_pass(half_life_s):
    assert found(scans({"half_life_h": half_life_s / 3600})) == []


def test_a_reporter_is_read_on_its_own_clock():
    assert found(scans({"rel_day": 90.06})) == []
    assert (
        found(scans({"tracer_id": "zr89_oxine_cells", "half_life_h": 78.41, "rel_day": 6.9})) == []
    )


def test_missing_weight_counts_where_suv_is_used():
    both = scans({}, {"scan_code": "S2", "weight_kg": None})
    values = [value(), value(scan_code="S2")]
    assert found(both, values) == [("error", "Body weight missing")]
    assert (
        found(both, [value(), value(scan_code="S2", metric="mtv_ml", unit="mL", value=50.0)]) == []
    )


def test_a_study_without_weights_is_told_once_per_patient():
    both = scans({"weight_kg": None}, {"scan_code": "S2", "weight_kg": None})
    values = [value(), value(scan_code="S2")]
    assert found(both, values) == [("info", "Body weight missing")]


def test_unknown_decay_matters_to_activities_only():
    assert found(scans({}), [value(decay_state="unknown")]) == [
        ("warning", "Decay correction unknown")
    ]
    ratio = value(decay_state="unknown", metric="tumor_to_blood_ratio", unit="1")
    assert found(scans({}), [ratio]) == []


@pytest.mark.parametrize(
    ("days_before", "expected"),
    [
        (2.0, [("error", "Residue of an earlier tracer")]),
        (14.0, [("warning", "Residue of an earlier tracer")]),
        (30.0, []),
    ],
)
def test_residue_of_an_89zr_antibody_under_fhbg(days_before, expected):
    given = pl.DataFrame(
        {
            "usubjid": ["P1", "P1"],
            "tracer_id": ["zr89_crefmirlimab", "f18_fhbg"],
            "rel_day": [14.0 - days_before, 14.0],
            "injected_activity_mbq": [37.0, 185.0],
        }
    )
    assert found(scans({}), tracer_administrations=given) == expected


def test_residue_of_labelled_cells_and_of_other_patients():
    own = pl.DataFrame(
        {
            "usubjid": ["P1"],
            "tracer_id": ["f18_fhbg"],
            "rel_day": [14.0],
            "injected_activity_mbq": [185.0],
        }
    )
    cells = pl.DataFrame(
        {
            "usubjid": ["P1"],
            "tracer_id": ["zr89_oxine_cells"],
            "rel_day": [0.0],
            "label_activity_mbq": [40.0],
        }
    )
    expected = [("warning", "Residue of an earlier tracer")]
    assert found(scans({}), tracer_administrations=own, infusions=cells) == expected
    other = cells.with_columns(usubjid=pl.lit("P2"))
    assert found(scans({}), tracer_administrations=own, infusions=other) == []


@pytest.mark.parametrize(
    ("volume", "expected"),
    [(2.0, [("info", "Small lesion")]), (4.1, [("info", "Small lesion")]), (4.3, [])],
)
def test_small_lesion_by_volume(volume, expected):
    assert found(scans({}), [value(metric="mtv41_ml", unit="mL", value=volume)]) == expected


def test_small_lesion_by_diameter():
    rows = pl.DataFrame(
        {"usubjid": ["P1", "P1"], "region_code": ["T1", "T2"], "metric": ["LDIAM"] * 2,
         "value": [12.0, 25.0], "unit": ["mm"] * 2, "rel_day": [28.0] * 2}
    )  # fmt: skip
    assert found(lesions=rows) == [("info", "Small lesion")]


def test_il6_after_tocilizumab_is_flagged():
    labs = pl.DataFrame(
        {"usubjid": ["P1"] * 3, "testcd": ["INTLK6", "INTLK6", "CRP"], "value": [50.0, 900.0, 9.0],
         "unit": ["pg/mL", "pg/mL", "mg/L"], "rel_day": [2.0, 6.0, 6.0], "censored": ["none"] * 3}
    )  # fmt: skip
    dose = pl.DataFrame(
        {"usubjid": ["P1"], "intervention_class": ["tocilizumab"], "rel_day": [4.0]}
    )
    flags = quantification_flags(None, None, None, labs, dose)
    assert flags.select("title", "rel_day").rows() == [("IL-6 after tocilizumab", 6.0)]


def test_values_below_the_limit_are_counted():
    kinetics = pl.DataFrame(
        {"usubjid": ["P1"] * 3, "censored": ["left", "left", "none"], "rel_day": [0.0, 90.0, 14.0]}
    )
    flags = quantification_flags(None, None, kinetics=kinetics)
    assert flags["detail"].to_list() == [
        "2 values of cellular kinetics kept as censored at the limit"
    ]


def test_errors_come_first():
    flags = found(scans({"uptake_time_h": 6.0, "half_life_h": 78.41}))
    assert [severity for severity, _ in flags] == ["error", "warning"]


def test_nothing():
    assert found() == []
