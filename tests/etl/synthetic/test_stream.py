"""The same generator at size: blocks with their own streams, written in bounded memory."""

from pathlib import Path

import polars as pl

from analysis.tracers.registry import tracer_rows
from etl.jobs import load
from etl.synthetic import TrialDesign, stream_trial
from etl.synthetic.design import BLOCK
from etl.synthetic.trial import simulate_blocks
from models.connect import create_engine_for
from models.revision import upgrade


def test_blocks_do_not_depend_on_the_size_of_the_trial() -> None:
    """Patients of the first block are the same in a larger trial, but for their dates."""
    small = list(simulate_blocks(TrialDesign(seed=2, patients_per_cohort=BLOCK)))
    large = list(simulate_blocks(TrialDesign(seed=2, patients_per_cohort=BLOCK + 10)))
    assert len(large) == 4
    assert (small[0].latent.cmax == large[0].latent.cmax).all()
    assert large[2].latent.subject_no[0] == 2 * BLOCK + 1


def test_stream_writes_house_tables(tmp_path: Path) -> None:
    rows = stream_trial(tmp_path, TrialDesign(seed=2, patients_per_cohort=BLOCK + 20))
    assert rows["subject"] == 2 * (BLOCK + 20)
    assert sum(rows.values()) > 600_000
    samples = pl.read_csv(tmp_path / "kinetics_sample.csv", infer_schema=False)
    assert samples.height == rows["kinetics_sample"]
    assert samples["usubjid"].n_unique() == rows["subject"]
    assert samples["value"].str.starts_with("<").mean() > 0.2


def test_streamed_tables_load_without_a_profile(tmp_path: Path) -> None:
    rows = stream_trial(tmp_path / "tables", TrialDesign(seed=2, patients_per_cohort=15))
    url = f"sqlite:///{tmp_path / 'trial.db'}"
    upgrade(url, tracer_rows())
    result = load(create_engine_for(url), [tmp_path / "tables"], "SYN-CART-01")
    assert result.refused == ()
    assert sum(file.loaded for file in result.files) == sum(rows.values())
