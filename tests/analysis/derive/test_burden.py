"""Sums of lesions: the same lesions at each visit, intervals for vanished ones, change."""

import polars as pl
import pytest

from analysis.derive.burden import burden_series
from analysis.derive.signal import Signal, signal_catalog, signal_series
from analysis.errors import UserError

TYPES = {"value": pl.Float64, "lower": pl.Float64, "upper": pl.Float64, "rel_day": pl.Float64}


def lesions(*rows, metric="LDIAM", unit="mm", **extra):
    """rows: (lesion, day, value); a tuple (lower, upper) for a censored value."""
    records = []
    for region, day, value in rows:
        censored = isinstance(value, tuple)
        records.append(
            {
                "usubjid": "P1", "region_code": region, "region_kind": "lesion", "metric": metric,
                "rel_day": day, "unit": unit, "censored": "left" if censored else "none",
                "value": None if censored else value, "lower": value[0] if censored else None,
                "upper": value[1] if censored else None, **extra,
            }
        )  # fmt: skip
    return pl.DataFrame(records, schema_overrides=TYPES)


def days(found):
    return {row["rel_day"]: row for row in found.to_dicts()}


def test_sum_and_change_from_baseline():
    found = days(
        burden_series(
            lesions(("T1", -7, 30.0), ("T2", -7, 20.0), ("T1", 28, 20.0), ("T2", 28, 10.0))
        )
    )
    assert found[-7.0]["value"] == 50.0
    assert found[-7.0]["change_percent"] is None
    assert (found[28.0]["value"], found[28.0]["baseline"]) == (30.0, 50.0)
    assert found[28.0]["change_percent"] == pytest.approx(-40.0)
    assert found[28.0]["metric"] == "SUMDIAM"
    assert found[28.0]["derived_by"] == "cartograph"


def test_a_sum_of_fewer_lesions_is_no_response():
    found = days(
        burden_series(
            lesions(
                ("T1", -7, 30.0),
                ("T2", -7, 20.0),
                ("T1", 28, 30.0),
                ("T1", 90, 3.0),
                ("T2", 90, 2.0),
            )
        )
    )
    assert sorted(found) == [-7.0, 90.0]


def test_a_new_lesion_is_no_target():
    found = days(burden_series(lesions(("T1", -7, 30.0), ("T1", 28, 15.0), ("N1", 28, 40.0))))
    assert found[28.0]["value"] == 15.0


def test_non_target_lesions_do_not_count():
    both = pl.concat(
        [
            lesions(("T1", -7, 30.0), lesion_role="target"),
            lesions(("NT1", -7, 99.0), lesion_role="non_target"),
        ]
    )
    assert burden_series(both)["value"].to_list() == [30.0]


def test_a_vanished_lesion_adds_an_interval_not_a_zero():
    found = days(
        burden_series(
            lesions(("T1", -7, 30.0), ("T2", -7, 20.0), ("T1", 28, 10.0), ("T2", 28, (0.0, 5.0)))
        )
    )
    row = found[28.0]
    assert (row["value"], row["lower"], row["upper"], row["censored"]) == (
        None,
        10.0,
        15.0,
        "interval",
    )
    assert row["change_percent"] is None


def test_a_node_counts_by_its_short_axis():
    both = pl.concat(
        [lesions(("T1", -7, 30.0), ("N1", -7, 25.0)), lesions(("N1", -7, 18.0), metric="SAXIS")]
    )
    assert burden_series(both)["value"].to_list() == [48.0]


def test_a_delivered_sum_stands_beside_its_lesions():
    both = pl.concat(
        [lesions(("T1", -7, 30.0)), lesions((None, -7, 31.0), metric="SUMDIAM")],
        how="diagonal_relaxed",
    )
    assert burden_series(both).select("value", "derived_by").rows() == [(31.0, "source")]


def test_readers_are_not_added_up():
    both = pl.concat(
        [lesions(("T1", -7, 30.0), reader="R1"), lesions(("T1", -7, 28.0), reader="R2")]
    )
    assert burden_series(both).select("reader", "value").rows() == [("R1", 30.0), ("R2", 28.0)]


def test_volumes_include_new_lesions_and_keep_their_threshold():
    volumes = lesions(
        ("L1", -7, 100.0), ("L1", 28, 60.0), ("L2", 28, 15.0), metric="mtv41_ml", unit="mL"
    )
    found = days(burden_series(None, volumes))
    assert found[28.0]["value"] == 75.0
    assert found[28.0]["change_percent"] == pytest.approx(-25.0)
    assert found[28.0]["metric"] == "mtv41_ml"


@pytest.mark.parametrize(
    ("tracer", "sums"), [("f18_fdg", [75.0]), (None, [75.0]), ("f18_fhbg", [])]
)
def test_a_volume_of_cells_is_no_tumor_burden(tracer, sums):
    """Volumes of a reporter or a label are of cells, wherever they are delivered."""
    volumes = lesions(("L1", 28, 60.0), ("L2", 28, 15.0), metric="mtv_ml", unit="mL").with_columns(
        tracer_id=pl.lit(tracer, dtype=pl.String)
    )
    assert burden_series(None, volumes)["value"].to_list() == sums
    assert burden_series(volumes)["value"].to_list() == sums
    total = lesions(("ALL", 28, 75.0), metric="TMTV", unit="mL").with_columns(
        tracer_id=pl.lit(tracer, dtype=pl.String)
    )
    assert burden_series(total)["value"].to_list() == sums
    assert bool(signal_catalog(quantifications=volumes, lesions=None)[1:]) is bool(sums)


def test_organs_and_bad_scans_have_no_burden():
    organ = lesions(("LIVER", -7, 100.0), metric="mtv41_ml", unit="mL").with_columns(
        region_kind=pl.lit("organ")
    )
    bad = lesions(("L1", -7, 100.0), metric="mtv41_ml", unit="mL", evaluable=False)
    assert burden_series(None, organ).is_empty()
    assert burden_series(None, bad).is_empty()


def test_no_baseline_after_infusion():
    found = burden_series(lesions(("T1", 28, 30.0), ("T1", 90, 20.0)))
    assert found["baseline"].to_list() == [None, None]
    assert found["change_percent"].to_list() == [None, None]


def test_the_last_value_before_infusion_is_the_baseline():
    found = days(burden_series(lesions(("T1", -40, 60.0), ("T1", -3, 40.0), ("T1", 28, 20.0))))
    assert found[28.0]["change_percent"] == pytest.approx(-50.0)


def test_nothing():
    assert burden_series(None).is_empty()


def test_volumes_of_two_tracers_are_two_signals():
    both = pl.concat(
        [
            lesions(("L1", 1, 100.0), metric="mtv41_ml", unit="mL", tracer_id=tracer)
            for tracer in ("f18_fdg", "ga68_fapi")
        ]
    )
    keys = [s.key for s in signal_catalog(quantifications=both) if s.domain == "burden"]
    assert keys == ["burden:mtv41_ml@tracer_id=f18_fdg", "burden:mtv41_ml@tracer_id=ga68_fapi"]
    with pytest.raises(UserError, match="mixes the tracers"):
        signal_series(Signal.parse("burden:mtv41_ml"), quantifications=both)
    one = signal_series(Signal.parse(keys[0]), quantifications=both)
    assert one["value"].to_list() == [100.0]
    assert Signal.parse(keys[1]).label == ("Metabolic tumor volume (41 % of SUVmax), 68Ga-FAPI")
