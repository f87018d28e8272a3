"""The synthetic trial through the ETL: planted problems get their verdicts, nothing else does."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import Engine

from analysis.derive.flags import quantification_flags
from analysis.derive.response import best_response
from analysis.tracers.registry import tracer_rows
from etl.jobs import LoadResult, load
from etl.synthetic import PROFILE, STUDYID, Truth, write_trial
from etl.synthetic.planter import Problem
from models.connect import create_engine_for
from models.queries import read_trial
from models.revision import upgrade
from models.trial import Trial

FLAG_TITLES = {
    "UPTAKE_WINDOW_MISSED": "Scan outside the usable window",
    "LABEL_WINDOW": "Scan outside the usable window",
    "WEIGHT_MISSING": "Body weight missing",
    "HALF_LIFE_PRESET": "Half-life does not fit the tracer",
    "ISOTOPE_RESIDUE": "Residue of an earlier tracer",
}


@dataclass(frozen=True)
class Loaded:
    folder: Path
    truth: Truth
    engine: Engine
    result: LoadResult
    trial: Trial

    def problem(self, code: str) -> Problem:
        return next(one for one in self.truth.problems if one.code == code)

    def record(self, table: str, code: str) -> dict[str, object]:
        """The stored record that came from the row of a problem."""
        problem = self.problem(code)
        frame = getattr(self.trial, table).filter(
            pl.col("source_file").str.ends_with(problem.file)
            & (pl.col("source_row") == problem.row)
        )
        if frame.height > 1:
            testcds = {"IL-6": "INTLK6"}
            frame = frame.filter(pl.col("testcd") == testcds[problem.column])
        return frame.row(0, named=True)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    folder = tmp_path_factory.mktemp("trial")
    truth = write_trial(folder, seed=4)
    url = f"sqlite:///{tmp_path_factory.mktemp('database') / 'trial.db'}"
    upgrade(url, tracer_rows())
    engine = create_engine_for(url)
    result = load(engine, [folder], STUDYID, profile=PROFILE, actor="test", synthetic=True)
    return Loaded(folder, truth, engine, result, read_trial(engine, STUDYID))


def test_refused_are_exactly_the_planted_rows(loaded: Loaded) -> None:
    folder = f"{loaded.folder}/"
    refused = {(r["file"].removeprefix(folder), r["row"], r["rule"]) for r in loaded.result.refused}
    planted = {(p.file, p.row, p.rule) for p in loaded.truth.problems if p.outcome == "refused"}
    assert len(planted) == 10
    assert refused == planted
    assert loaded.result.exit_code == 1


def test_every_record_is_accounted_for(loaded: Loaded) -> None:
    for file in loaded.result.files:
        assert file.rows_in == file.loaded + file.refused + file.duplicates + file.empty
    assert sum(file.duplicates for file in loaded.result.files) == 1
    empty = {Path(file.path).name: file.empty for file in loaded.result.files if file.empty}
    words = sum(p.outcome == "empty" and "qpcr" in p.file for p in loaded.truth.problems)
    assert empty["qpcr_transgene.xlsx"] == words == 3
    assert empty["cytokine_multiplex.xlsx"] == 1
    assert set(empty) <= {
        "qpcr_transgene.xlsx", "cytokine_multiplex.xlsx", "car_flow.csv", "baseline.csv",
    }  # fmt: skip


def test_findings_name_what_was_left_out(loaded: Loaded) -> None:
    named = {(one["code"], one["column_name"]) for one in loaded.result.findings}
    planted = {(p.rule, p.column or None) for p in loaded.truth.problems if p.outcome == "finding"}
    assert len(planted) == 3
    assert planted <= named
    assert {column for code, column in named if code == "unread_column"} == {"Panel lot"}
    dump = str(loaded.result.findings)
    assert "withheld" not in dump


def test_censored_records(loaded: Loaded) -> None:
    below = loaded.record("kinetics", "LIMIT_AS_NUMBER")
    assert (below["censored"], below["value"], below["lower"], below["upper"]) == (
        "left", None, 0.0, 50.0,
    )  # fmt: skip
    above = loaded.record("labs", "ABOVE_LIMIT")
    assert (above["censored"], above["value"], above["lower"], above["upper"]) == (
        "right", None, 5000.0, None,
    )  # fmt: skip


def test_records_loaded_as_meant(loaded: Loaded) -> None:
    spaced = loaded.record("kinetics", "ID_WITH_SPACES")
    number = loaded.problem("ID_WITH_SPACES").raw.strip("\u00a0 ")
    assert str(spaced["usubjid"]).endswith(f"-{number}")
    converted = loaded.record("labs", "UNIT_CONVERTED")
    assert converted["unit"] == "mg/L"
    assert converted["value"] == pytest.approx(10 * float(str(converted["raw_text"])))


def test_partial_dates_get_no_day(loaded: Loaded) -> None:
    for table, code, precision in (
        ("scans", "TIME_ONLY", "unknown"),
        ("labs", "PARTIAL_DATE", "month"),
    ):
        record = loaded.record(table, code)
        assert record["rel_day"] is None
        assert record["dtm_precision"] == precision
        assert record["dtm_text"] == loaded.problem(code).raw


def test_scan_called_not_evaluable(loaded: Loaded) -> None:
    record = loaded.record("scans", "UPTAKE_WINDOW_CALLED")
    assert record["evaluable"] is False
    assert "0.75-4 h" in str(record["not_evaluable_reason"])


@pytest.mark.parametrize("code", sorted(FLAG_TITLES))
def test_audit_flags_the_planted_scan(loaded: Loaded, code: str) -> None:
    trial, problem = loaded.trial, loaded.problem(code)
    flags = quantification_flags(
        trial.scans,
        trial.quantifications,
        trial.lesions,
        trial.labs,
        trial.interventions,
        tracer_administrations=trial.tracer_administrations,
        infusions=trial.infusions,
        kinetics=trial.kinetics,
    ).filter(pl.col("title") == FLAG_TITLES[code])
    if code == "ISOTOPE_RESIDUE":
        usubjid = trial.tracer_administrations.filter(pl.col("source_row") == problem.row)[
            "usubjid"
        ][0]
        assert usubjid in flags["usubjid"].to_list()
        assert flags.height <= 3
    else:
        assert problem.row in flags["source_row"].to_list()


def test_flags_of_scans_are_few(loaded: Loaded) -> None:
    """The rest of the imaging is clean: no flag but the planted ones."""
    trial = loaded.trial
    flags = quantification_flags(
        trial.scans,
        trial.quantifications,
        tracer_administrations=trial.tracer_administrations,
        infusions=trial.infusions,
    )
    count = dict(flags.group_by("title").len().iter_rows())
    assert count["Scan outside the usable window"] == 3
    assert count["Body weight missing"] == 1
    assert count["Half-life does not fit the tracer"] == 1
    assert count["Scan not evaluable"] == 1
    assert count["Residue of an earlier tracer"] <= 3


def test_stored_days_are_the_simulated_days(loaded: Loaded) -> None:
    """Days from date-times with clock changes between, to the minute."""
    samples = pl.DataFrame(loaded.truth.samples).filter(pl.col("assay") == "qPCR")
    stored = loaded.trial.kinetics.filter(pl.col("assay") == "qPCR").with_columns(
        subject_no=pl.col("usubjid").str.slice(-3).cast(pl.Int64)
    )
    joined = stored.join(samples, on=["subject_no", "matrix", "nominal_day"], suffix="_true")
    assert joined.height > 600
    assert (joined["rel_day"] - joined["rel_day_true"]).abs().max() < 1.01 / 1440
    exact = joined.filter(pl.col("value").is_not_null())
    assert (exact["value"] / exact["value_true"] - 1).abs().max() < 6e-4
    assert (exact["value_true"] >= exact["lloq_true"]).all()
    below = joined.filter(pl.col("censored") == "left")
    assert (below["upper"] == below["lloq_true"]).all()


def test_loading_again_changes_nothing(loaded: Loaded) -> None:
    again = load(
        loaded.engine, [loaded.folder], STUDYID, profile=PROFILE, actor="test", synthetic=True
    )
    assert not again.changed
    after = read_trial(loaded.engine, STUDYID)
    assert after.quantifications.height == loaded.trial.quantifications.height


def test_study_says_that_it_is_synthetic(loaded: Loaded) -> None:
    assert loaded.trial.study["is_synthetic"]
    assert "synthetic" in str(loaded.trial.study["title"]).lower()


def test_both_denominators_differ(loaded: Loaded) -> None:
    """48 infused of 50 enrolled."""
    infused = loaded.trial.subjects["infused"]
    assert (infused.sum(), len(infused)) == (48, 50)


def test_best_response_of_both_cohorts(loaded: Loaded) -> None:
    """Calls follow the latent response but for early progression and leaving."""
    best = best_response(loaded.trial.responses).with_columns(
        subject_no=pl.col("usubjid").str.slice(-3).cast(pl.Int64)
    )
    truth = pl.DataFrame(
        [{"subject_no": p["subject_no"], "latent": p["responder"]} for p in loaded.truth.patients]
    )
    joined = best.join(truth, on="subject_no").drop_nulls("responder")
    assert joined.height >= 40
    assert (joined["responder"] == joined["latent"]).mean() > 0.85
