"""Order of events: CRS, then its treatment, then what the treatment does to IL-6 and CRP."""

import numpy as np
import polars as pl
import pytest

from etl.synthetic.design import TrialDesign
from etl.synthetic.laboratory import _cytokine_curves
from etl.synthetic.trial import Block, simulate_blocks


@pytest.fixture(scope="module")
def blocks() -> tuple[Block, ...]:
    return tuple(simulate_blocks(TrialDesign(seed=8, patients_per_cohort=300)))


def test_tocilizumab_follows_crs(blocks: tuple[Block, ...]) -> None:
    for block in blocks:
        given = np.isfinite(block.toxicity.tocilizumab_day)
        assert given.sum() > 40
        assert (block.toxicity.crs_grade[given] >= 1).all()
        assert (block.toxicity.tocilizumab_day[given] > block.toxicity.crs_onset[given]).all()


def test_every_dose_of_tocilizumab_comes_after_crs_began(blocks: tuple[Block, ...]) -> None:
    for block in blocks:
        onset = block.frames.adverse_events.filter(pl.col("category") == "CRS")
        onset = onset.group_by("subject_no").agg(onset=pl.col("rel_day").min())
        doses = block.frames.interventions.filter(
            pl.col("intervention_class") == "tocilizumab"
        ).join(onset, on="subject_no")
        assert doses.height > 40
        assert (doses["rel_day"] > doses["onset"]).all()


def test_il6_rises_after_tocilizumab(blocks: tuple[Block, ...]) -> None:
    """The same patients with and without the drug: the receptor is blocked, IL-6 stays."""
    from dataclasses import replace

    block = blocks[0]
    given = np.isfinite(block.toxicity.tocilizumab_day)
    day = block.toxicity.tocilizumab_day[:, None] + np.array([[-0.5, 1.0, 2.0]])
    untreated = replace(block.toxicity, tocilizumab_day=np.full(block.latent.n, np.nan))
    with_drug, without = (
        _cytokine_curves(np.random.default_rng(1), block.latent, toxicity, day)["INTLK6"][given]
        for toxicity in (block.toxicity, untreated)
    )
    ratio = np.log(with_drug / without).mean(axis=0)
    assert ratio[0] == pytest.approx(0.0, abs=1e-9)
    assert (ratio[1:] > 1.0).all()


def test_grades_are_contiguous_intervals_that_reach_the_maximum(
    blocks: tuple[Block, ...],
) -> None:
    for block in blocks:
        events = block.frames.adverse_events
        gaps = events.with_columns(
            gap=pl.col("rel_day") - pl.col("end_rel_day").shift(1).over("subject_no", "category")
        )["gap"].drop_nulls()
        assert np.allclose(gaps, 0.0, atol=1e-9)
        top = dict(
            events.filter(pl.col("category") == "CRS").group_by("subject_no")
            .agg(pl.col("grade").max()).iter_rows()
        )  # fmt: skip
        truth = dict(zip(block.latent.subject_no.tolist(), block.toxicity.crs_grade, strict=True))
        assert all(truth[number] == grade for number, grade in top.items())


def test_lymphodepletion_before_infusion_in_all(blocks: tuple[Block, ...]) -> None:
    for block in blocks:
        flu = block.frames.interventions.filter(pl.col("term") == "FLUDARABINE")
        assert flu.height == block.latent.n
        assert (flu["end_rel_day"] < 0).all()


def test_nothing_happens_after_death(blocks: tuple[Block, ...]) -> None:
    for block in blocks:
        death = dict(zip(block.latent.subject_no.tolist(), block.outcomes.death_day, strict=True))
        for frame in (block.frames.adverse_events, block.frames.interventions):
            for number, end in frame.select("subject_no", "end_rel_day").iter_rows():
                assert end <= death[number]
        for frame in (block.frames.responses, block.frames.scans):
            for number, day in frame.select("subject_no", "rel_day").iter_rows():
                assert day <= np.ceil(death[number])


def test_survival_follows_progression(blocks: tuple[Block, ...]) -> None:
    """OS is never shorter than PFS, and a death is an event of both."""
    for block in blocks:
        wide = block.frames.survival.pivot(
            "endpoint", index="subject_no", values=["time_day", "cnsr", "event_description"]
        )
        assert (wide["time_day_OS"] >= wide["time_day_PFS"]).all()
        died = wide.filter((pl.col("cnsr_PFS") == 0) & (pl.col("event_description_PFS") == "Death"))
        assert (died["cnsr_OS"] == 0).all()
        assert (died["time_day_OS"] == died["time_day_PFS"]).all()
