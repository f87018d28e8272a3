"""Joint questions through the database: the planted relation is found, where there is none it is
not."""

import json
import re
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import Engine

from analysis.results import Fit
from analysis.specs import ModelSpec
from etl import jobs as etl_jobs
from etl import synthetic
from etl.synthetic.design import COHORTS
from jobs.demo import upgrade_database
from jobs.fitting import fit_study, fit_trial, read_fields
from models.connect import create_engine_for
from models.fits import find_fit
from models.queries import read_trial
from models.trial import Trial
from tests.project_files import CHECKOUT
from tests.test_cli import run

BLOOD = "kinetics:CARTG:qPCR:BLOOD"
BURDEN = {"B-ALL": "characteristic:BLASTBL", "LBCL": "characteristic:MTVBL"}
EVENT = ModelSpec(
    outcome="event:PFS", question="joint", exposure=BLOOD, day_low=14, blq="censored",
    cohort=("B-ALL",),
)  # fmt: skip
RESPONSE = ModelSpec(
    outcome="response:responder", question="joint_binary", exposure=BLOOD, day_low=0, day_high=21,
    landmark_day=21, blq="censored",
)  # fmt: skip


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """The synthetic trial with 160 patients per cohort, of the generator's own seed."""
    folder = tmp_path_factory.mktemp("joint")
    url = f"sqlite:///{folder / 'trial.db'}"
    upgrade_database(url)
    synthetic.write_trial(folder / "export", patients_per_cohort=160)
    found = create_engine_for(url)
    etl_jobs.load(
        found, [folder / "export"], synthetic.STUDYID, profile=synthetic.PROFILE, synthetic=True
    )
    return found


@pytest.fixture(scope="module")
def trial(engine: Engine) -> Trial:
    return read_trial(engine, synthetic.STUDYID)


def association(fit: Fit) -> tuple[float, float, float]:
    row = next(item for item in fit.estimates if item.part == "association")
    assert row.conf_low is not None
    assert row.conf_high is not None
    return row.estimate, row.conf_low, row.conf_high


def test_the_planted_association_with_progression_is_found(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "question.yaml"
    file.write_text(EVENT.replace(adjusters=(BURDEN["B-ALL"],)).to_yaml())
    fit = fit_study(engine, synthetic.STUDYID, read_fields(file), actor="tester")
    truth = next(cohort for cohort in COHORTS if cohort.code == "B-ALL").events.association
    estimate, low, high = association(fit)
    assert estimate < 0, (estimate, low, high)
    assert low <= truth <= high, (estimate, low, high)
    assert fit.sentence.startswith("In B-ALL, each 10-fold higher blood transgene goes with a")
    assert [row.rule for row in fit.sensitivity] == [
        "joint model", "two-stage", "carried forward", "landmark"
    ]  # fmt: skip
    assert any(item.reason.startswith("a value after the event") for item in fit.excluded)
    kept = Fit.from_dict(json.loads(json.dumps(fit.to_dict(), allow_nan=False)))
    assert kept.estimates == fit.estimates


def test_response_goes_with_the_course_where_it_was_planted_and_not_where_it_was_not(
    trial: Trial,
) -> None:
    found = {
        cohort: association(
            fit_trial(trial, RESPONSE.replace(cohort=(cohort,), adjusters=(BURDEN[cohort],)))
        )
        for cohort in BURDEN
    }
    assert found["B-ALL"][1] > 0, found
    estimate, low, high = found["LBCL"]
    # Within three standard errors of none: one trial, whose plain logistic regression by the
    # measured peak says the same; how often a true null is rejected is in the benchmark.
    assert abs(estimate) < 3 / 3.92 * (high - low), found


def test_the_documented_question_is_answered_on_the_command_line(
    engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (CHECKOUT / "docs" / "reference" / "specifications.md").read_text(encoding="utf-8")
    text = re.search(r"```yaml\n(.*?)```", page.partition("## Joint questions")[2], re.DOTALL)
    assert text is not None
    file = tmp_path / "joint.yaml"
    file.write_text(text.group(1))
    said = []
    for flags in ([], ["--json"]):
        code, out, _ = run(
            capsys, "fit", "--study", synthetic.STUDYID, "--spec", str(file),
            "--database", str(engine.url), *flags,
        )  # fmt: skip
        assert code == 0
        said.append(out)
    assert "In B-ALL, each 10-fold higher blood transgene goes with a hazard ratio of" in said[0]
    assert "extrapolation" not in said[0]
    fit = Fit.from_dict(json.loads(said[1]))
    assert association(fit)[1] < -0.9 < association(fit)[2]
    assert "Outcome: PFS from day 14 to" in fit.method


def test_few_events_are_refused_with_the_reason(trial: Trial) -> None:
    fit = fit_trial(trial, EVENT.replace(outcome="event:OS"))
    assert fit.status == "not_estimable"
    assert fit.reason == "too_few_events"
    assert "about 15 are needed" in fit.sentence
    deaths = trial.survival.filter((pl.col("endpoint") == "OS") & (pl.col("cnsr") == 0))
    cohort = deaths.join(trial.subjects.filter(pl.col("cohort") == "B-ALL"), on="usubjid")
    other = deaths.height - cohort.height
    assert f" of {deaths.height} events count: {other} belong to patients of another cohort" in (
        fit.sentence
    )
    assert fit.estimates == ()
    assert fit.sensitivity == ()


def test_joint_and_structured_fits_are_kept_alike_in_both_databases(
    sqlite_url: str, postgres_url: str, tmp_path: Path
) -> None:
    synthetic.write_trial(tmp_path / "export", patients_per_cohort=60)
    asked = (
        RESPONSE.replace(cohort=("B-ALL",)),
        ModelSpec(outcome=BLOOD, time="visit", random="intercept", day_low=7, day_high=28,
                  residual="by:visit", level=0.9, cohort=("B-ALL",)),
    )  # fmt: skip
    found = []
    for url in (sqlite_url, postgres_url):
        one = create_engine_for(url)
        etl_jobs.load(
            one, [tmp_path / "export"], synthetic.STUDYID, profile=synthetic.PROFILE, synthetic=True
        )
        fits = [fit_study(one, synthetic.STUDYID, spec, actor="tester") for spec in asked]
        trial = read_trial(one, synthetic.STUDYID)
        with one.begin() as connection:
            kept = [find_fit(connection, trial.cut.id, spec.spec_hash()) for spec in asked]
        assert [Fit.from_dict(json.loads(row["fit"])).estimates for row in kept] == [
            fit.estimates for fit in fits
        ]
        assert [ModelSpec.from_dict(json.loads(row["spec"])) for row in kept] == list(asked)
        found.append(fits)
        one.dispose()
    for first, second in zip(*found, strict=True):
        assert first.estimates, first.sentence
        for here, there in zip(first.estimates, second.estimates, strict=True):
            assert there.term == here.term
            assert there.estimate == pytest.approx(here.estimate, rel=1e-6)
