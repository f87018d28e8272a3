"""What the tracers may and may not show."""

import numpy as np
import polars as pl
import pytest

from etl.synthetic import uptake
from etl.synthetic.design import TrialDesign
from etl.synthetic.imaging import residue_factor
from etl.synthetic.trial import Frames, simulate_trial


@pytest.fixture(scope="module")
def frames() -> Frames:
    return simulate_trial(TrialDesign(seed=5, patients_per_cohort=150))[1]


def test_direct_label_total_never_rises(frames: Frames) -> None:
    """Decay corrected to infusion, for every one of hundreds of patients and scans."""
    total = frames.values.filter(
        (pl.col("region_code") == "WHOLE_BODY") & (pl.col("metric") == "percent_injected_activity")
    ).sort("subject_no", "nominal_day")
    change = total.with_columns(step=pl.col("value") - pl.col("value").shift(1).over("subject_no"))[
        "step"
    ].drop_nulls()
    assert len(change) > 300
    assert change.max() < 0
    assert total["value"].max() < 105


def test_organs_never_hold_more_than_the_body(frames: Frames) -> None:
    shares = frames.values.filter(pl.col("metric") == "percent_injected_activity")
    body = pl.col("region_code") == "WHOLE_BODY"
    sums = shares.group_by("subject_no", "nominal_day").agg(
        organs=pl.col("value").filter(~body).sum(), body=pl.col("value").filter(body).sum()
    )
    assert (sums["organs"] <= sums["body"] + 1e-9).all()


def test_label_moves_from_lung_to_liver_spleen_marrow(frames: Frames) -> None:
    share = frames.values.filter(pl.col("metric") == "percent_injected_activity")
    mean = {
        (row["region_code"], row["nominal_day"]): row["value"]
        for row in share.group_by("region_code", "nominal_day").agg(pl.col("value").mean())
        .iter_rows(named=True)
    }  # fmt: skip
    assert mean["LUNG", 0.0] > 4 * mean["LUNG", 3.0]
    for organ in ("LIVER", "SPLEEN", "MARROW"):
        assert mean[organ, 3.0] > mean[organ, 0.0]


def test_label_is_read_inside_its_window(frames: Frames) -> None:
    late = frames.scans.filter(pl.col("tracer_id") == uptake.DIRECT)["uptake_time_h"].max()
    assert late <= 168.0


def test_every_injected_tracer_has_its_own_clock(frames: Frames) -> None:
    """Uptake time is scan minus injection, inside the window of the registry."""
    windows = {uptake.REPORTER: (0.75, 4), uptake.IMMUNE: (6, 168), uptake.TUMOR: (0.75, 2)}
    for tracer, (low, high) in windows.items():
        scans = frames.scans.filter(pl.col("tracer_id") == tracer)
        hours = (scans["rel_day"] - scans["administration_day"]) * 24
        assert np.allclose(hours, scans["uptake_time_h"], atol=1e-6)
        assert low <= hours.min() <= hours.max() <= high


def test_reporter_peaks_about_day_14_in_lesions(frames: Frames) -> None:
    lesions = frames.values.filter(
        (pl.col("tracer_id") == uptake.REPORTER)
        & pl.col("region_code").str.contains(r"^L\d$")
        & (pl.col("metric") == "suv_mean")
    )
    mean = dict(lesions.group_by("nominal_day").agg(pl.col("value").log().mean().exp()).iter_rows())
    assert mean[14.0] > 3 * mean[-5.0]
    assert mean[14.0] > mean[28.0] > mean[90.0]


def test_reporter_includes_the_brain_and_barely_rises_there(frames: Frames) -> None:
    brain = frames.values.filter(
        (pl.col("tracer_id") == uptake.REPORTER) & (pl.col("region_code") == "BRAIN")
    )
    mean = dict(brain.group_by("nominal_day").agg(pl.col("value").mean()).iter_rows())
    assert mean[14.0] / mean[-5.0] < 1.2


def test_cd8_signal_is_not_car_t(frames: Frames) -> None:
    """CD8 uptake of lesions without any CAR-T part is most of the signal."""
    values = frames.values.filter(
        (pl.col("metric") == "suv_mean") & pl.col("region_code").str.contains(r"^L\d$")
    )
    immune = (
        values.filter((pl.col("tracer_id") == uptake.IMMUNE) & (pl.col("nominal_day") == 31))
        .group_by("subject_no")
        .agg(immune=pl.col("value").log().mean())
    )
    reporter = (
        values.filter((pl.col("tracer_id") == uptake.REPORTER) & (pl.col("nominal_day") == 28))
        .group_by("subject_no")
        .agg(reporter=pl.col("value").log().mean())
    )
    joined = immune.join(reporter, on="subject_no")
    assert 0.2 < np.corrcoef(joined["immune"], joined["reporter"])[0, 1] < 0.8


@pytest.mark.parametrize(("days", "factor"), [(2.0, 2.9), (14.0, 1.15)])
def test_isotope_residue(days: float, factor: float) -> None:
    assert residue_factor(days) == pytest.approx(factor, rel=0.01)


def test_no_scan_after_the_patient_left() -> None:
    blocks, frames = simulate_trial(TrialDesign(seed=3, patients_per_cohort=60))
    leave = {
        number: day
        for block in blocks
        for number, day in zip(
            block.latent.subject_no.tolist(), block.outcomes.leave_day, strict=True
        )
    }
    for frame in (frames.scans, frames.kinetics, frames.labs):
        for number, day in frame.select("subject_no", "rel_day").iter_rows():
            assert day <= leave[number] + 1e-9
