"""Fitting a study from the database: the default question, what is stored, what is refused."""

from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import Engine, delete, select

from analysis.errors import UserError
from analysis.specs import ModelSpec
from etl import jobs as etl_jobs
from etl import synthetic
from jobs import exporting
from jobs.demo import build_demo, tracer_row
from jobs.exporting import export_study
from jobs.fitting import default_spec_of, fit_study, fit_trial, question_of, read_fields
from models import fits as fit_table
from models.backup import backup, restore
from models.connect import create_engine_for
from models.queries import read_study, read_trial
from models.tables import TABLES


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """The demo's database, built once."""
    url = f"sqlite:///{tmp_path_factory.mktemp('demo') / 'demo.db'}"
    build_demo(url, actor="tester", say=lambda text: None)
    return create_engine_for(url)


def stored(engine: Engine) -> list[dict]:
    study = read_study(engine, synthetic.STUDYID)
    with engine.connect() as connection:
        return fit_table.list_fits(connection, int(study["id"])).to_dicts()


def test_the_default_question_finds_the_planted_difference_in_one_cohort(demo: Engine) -> None:
    fit = fit_study(demo, synthetic.STUDYID, actor="tester")
    assert fit.spec is not None
    assert fit.spec["cohort"] == ["B-ALL"]
    assert fit.key_ratio is not None
    assert 1.5 < fit.key_ratio.ratio < 12
    assert "blood transgene" in fit.sentence
    cut = read_trial(demo, synthetic.STUDYID).cut.name
    assert (fit.provenance.study, fit.provenance.cut) == (synthetic.STUDYID, cut)
    assert f'read_trial(engine, "{synthetic.STUDYID}", "{cut}")' in fit.code


def test_the_same_answer_is_stored_once(demo: Engine) -> None:
    before = len(stored(demo))
    fit_study(demo, synthetic.STUDYID, actor="tester")
    assert len(stored(demo)) == before


def test_building_the_demo_again_changes_nothing(demo: Engine) -> None:
    said: list[str] = []
    build_demo(str(demo.url), actor="tester", say=said.append)
    assert any("nothing changed" in line for line in said)
    refused = [line for text in said for line in text.splitlines() if "Every refused row" in line]
    assert refused == ["Every refused row: the page Data and quality."], "demo has no --json"


def test_the_demo_loads_only_the_files_it_wrote(tmp_path: Path) -> None:
    """A file of a person that lies in the folder stays out, though the profile would read it."""
    folder = tmp_path / synthetic.STUDYID / "crf"
    folder.mkdir(parents=True)
    (folder / "own_baseline.csv").write_text("Site,Subject,Weight (kg)\n01,001,700\n")
    url = f"sqlite:///{tmp_path / 'demo.db'}"
    build_demo(url, actor="tester", say=lambda text: None)
    with create_engine_for(url).connect() as connection:
        loaded = connection.scalars(select(TABLES["source_file"].c.path)).all()
    assert any(path.endswith("crf/baseline.csv") for path in loaded)
    assert not any("own_baseline" in path for path in loaded)


def test_the_demo_refuses_a_database_with_a_real_study(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "subject.csv").write_text("usubjid\nS-1\n")
    etl_jobs.load(create_engine_for(sqlite_url), [tmp_path / "subject.csv"], "REAL-1")
    with pytest.raises(UserError, match="synthetic studies only"):
        build_demo(sqlite_url, actor="tester", say=lambda text: None)


def test_expansion_from_a_direct_label_is_refused_with_the_right_way(demo: Engine) -> None:
    spec = ModelSpec(
        outcome="uptake:zr89_oxine_cells:suv_mean:lesion", question="expansion_by_group"
    )
    with pytest.raises(UserError, match=r"never show expansion.*reporter gene or blood"):
        fit_study(demo, synthetic.STUDYID, spec, actor="tester")


def test_response_and_events_by_exposure_count_from_the_landmark(demo: Engine) -> None:
    spec = ModelSpec(
        outcome="response:responder", question="response_by_exposure",
        exposure="kinetics:CARTG:qPCR:BLOOD", parameter="peak", day_high=21, landmark_day=21,
        cohort=("B-ALL",),
    )  # fmt: skip
    fit = fit_study(demo, synthetic.STUDYID, spec, actor="tester")
    assert fit.estimates[1].estimate > 0
    assert fit.sentence.startswith("In B-ALL, from day 21, ten times the peak of blood transgene")
    event = spec.replace(outcome="event:PFS", question="event_by_exposure")
    fit = fit_study(demo, synthetic.STUDYID, event, actor="tester")
    assert "hazard of PFS (hazard ratio" in fit.sentence
    assert fit.n_events == 5
    assert fit_study(demo, synthetic.STUDYID, event, actor="tester").sentence == fit.sentence


@pytest.mark.parametrize(
    "changes",
    [
        {"residual": "by:group"},
        {"residual": "by:visit"},
        {"residual": "ar1:visit"},
        {"residual": "car1:day"},
        {"crossed": ("siteid",)},
        {"level": 0.9},
        {"inference": "bootstrap", "seed": 3},
    ],
    ids=lambda changes: next(iter(changes.values())),
)
def test_the_covariance_of_a_question_is_asked_by_a_file(
    demo: Engine, tmp_path: Path, changes: dict
) -> None:
    spec = ModelSpec(
        outcome="kinetics:CARTG:qPCR:BLOOD", question="expansion_by_group", time="visit",
        random="intercept", day_low=7, day_high=28, days=(14,), cohort=("B-ALL",), **changes,
    )  # fmt: skip
    file = tmp_path / "question.yaml"
    file.write_text(spec.to_yaml())
    fit = fit_study(demo, synthetic.STUDYID, read_fields(file), actor="tester")
    assert fit.status in ("ok", "warning"), fit.sentence
    assert fit.key_ratio is not None
    assert 1.2 < fit.key_ratio.ratio < 15
    assert fit.spec == spec.to_dict()
    assert (fit.conf_level, fit.crossed) == (spec.level, spec.crossed)


def test_means_over_regions_are_weighted_by_their_number(demo: Engine) -> None:
    spec = ModelSpec(
        outcome="uptake:f18_fhbg:suv_mean:lesion", time="visit", random="intercept",
        weights="n_regions", cohort=("LBCL",), day_low=0,
    )  # fmt: skip
    fit = fit_study(demo, synthetic.STUDYID, spec, actor="tester")
    plain = fit_study(demo, synthetic.STUDYID, spec.replace(weights=""), actor="tester")
    assert fit.weights == "n_regions"
    assert fit.status in ("ok", "warning"), fit.sentence
    assert fit.key_ratio is not None
    assert plain.key_ratio is not None
    assert fit.key_ratio.ratio != plain.key_ratio.ratio
    assert "Weights: n_regions." in fit.method


def test_lesions_with_slopes_are_asked_of_the_database(demo: Engine) -> None:
    spec = ModelSpec(
        outcome="uptake:f18_fhbg:suv_mean:lesion", unit="lesion", nested="slope", cohort=("LBCL",)
    )
    fit = fit_study(demo, synthetic.STUDYID, spec, actor="tester")
    assert fit.status == "ok", fit.sentence
    lesion = [row for row in fit.variance_components if row.group == "usubjid:region_code"]
    assert [row.term_1 for row in lesion if row.term_2 is None] == ["(Intercept)", "time"]
    assert fit.key_ratio is not None
    assert fit.key_ratio.conf_low < 1 < fit.key_ratio.conf_high  # unrelated by construction


def test_a_specification_file_round_trips_and_a_broken_one_names_the_file(
    demo: Engine, tmp_path: Path
) -> None:
    spec = ModelSpec(outcome="kinetics:CARTG:qPCR:BLOOD", days=(14.0,))
    file = tmp_path / "question.yaml"
    file.write_text(spec.to_yaml())
    trial = read_trial(demo, synthetic.STUDYID)
    assert question_of(trial, read_fields(file)) == spec
    file.write_text("outcome: [")
    with pytest.raises(UserError, match=r"question\.yaml"):
        read_fields(file)


@pytest.mark.parametrize(
    ("text", "random"),
    [
        ("outcome: uptake:zr89_oxine_cells:suv_mean:lesion", "intercept"),
        ("outcome: kinetics:CARTG:qPCR:BLOOD", "matching"),
        ("{outcome: 'event:PFS', question: event_by_exposure}", "matching"),
    ],
)
def test_a_file_needs_the_outcome_alone(
    demo: Engine, tmp_path: Path, text: str, random: str
) -> None:
    """Images of days 0 to 7 carry no curve of each patient, so their file must not ask for one."""
    file = tmp_path / "question.yaml"
    file.write_text(text)
    fit = fit_study(demo, synthetic.STUDYID, read_fields(file), actor="tester")
    assert fit.status in ("ok", "warning"), fit.sentence
    assert fit.spec is not None
    assert set(fit.spec) == set(ModelSpec("x").to_dict())
    assert fit.spec["random"] == random


def test_a_file_of_one_line_is_the_question_of_the_model_page(demo: Engine) -> None:
    trial = read_trial(demo, synthetic.STUDYID)
    usual = default_spec_of(trial)
    assert question_of(trial, {"outcome": usual.outcome}) == usual
    with pytest.raises(UserError, match="outcome 'event:PFS' is not a signal key"):
        fit_trial(trial, question_of(trial, {"outcome": "event:PFS"}))
    with pytest.raises(UserError, match="has no values in this study"):
        question_of(trial, {"outcome": "laboratory:NONE:SERUM"})


def test_the_summary_holds_the_fit_and_both_denominators_are_named(
    demo: Engine, tmp_path: Path
) -> None:
    written = export_study(
        demo, synthetic.STUDYID, tmp_path, formats=("csv", "json"), actor="t", version="0.1.0"
    )
    names = {path.name for path in written}
    tables = ("baseline", "kinetics", "response_by_expansion", "model_questions",
              "model_estimates", "model_ratios", "model_rules", "trajectories",
              "provenance")  # fmt: skip
    assert names >= {*(f"{table}.csv" for table in tables), "summary.json"}
    estimates = (tmp_path / "model_estimates.csv").read_text()
    assert "group[T.responder]" in estimates
    assert "2026" in (tmp_path / "provenance.csv").read_text()


def exported(engine: Engine, folder: Path, query: str = "") -> dict[str, pl.DataFrame]:
    written = export_study(
        engine, synthetic.STUDYID, folder, formats=("csv",), query=query, actor="rita",
        version="0.1.0",
    )  # fmt: skip
    return {path.stem: pl.read_csv(path, infer_schema=False) for path in written}


@pytest.fixture
def loaded(demo: Engine, tmp_path: Path) -> Engine:
    """The demo's data at a copy of its own, without any fit."""
    backup(str(demo.url), tmp_path / "demo.cart")
    url = f"sqlite:///{tmp_path / 'fresh.db'}"
    restore(url, tmp_path / "demo.cart")
    engine = create_engine_for(url)
    with engine.begin() as connection:
        connection.execute(delete(fit_table.StoredFit))
    return engine


def test_the_default_question_is_in_the_summary_whatever_else_was_stored(
    loaded: Engine, tmp_path: Path
) -> None:
    """A question that somebody stored once kept the study's own question out of the export."""
    usual = default_spec_of(read_trial(loaded, synthetic.STUDYID))
    other = usual.replace(group="sex", random="intercept", time="none")
    fit_study(loaded, synthetic.STUDYID, other, actor="ann")
    found = exported(loaded, tmp_path / "summary")
    questions = found["model_questions"].select("question", "default", "asked_by").rows()
    assert questions == [(usual.spec_hash(), "yes", "rita"), (other.spec_hash(), "no", "ann")]
    assert found["model_estimates"]["question"].unique(maintain_order=True).to_list() == [
        usual.spec_hash(), other.spec_hash()]  # fmt: skip


def test_a_filtered_summary_asks_the_default_question_of_its_own_patients(
    loaded: Engine, tmp_path: Path
) -> None:
    usual = fit_study(loaded, synthetic.STUDYID, actor="ann")
    found = exported(loaded, tmp_path / "summary", "cohort=LBCL")
    (row,) = found["model_questions"].to_dicts()
    assert (row["default"], row["question"] == usual.provenance.spec_hash) == ("yes", False)
    assert "cohort: LBCL; " in row["settings"] + "; "
    items = dict(found["provenance"].rows())
    (left,) = [name for name in items if name.startswith("Fit left out: ")]
    assert usual.provenance.spec_hash in left
    assert items[left] == "cohort B-ALL, not LBCL"


@pytest.mark.parametrize("part", ["default_spec_of", "fit_trial"])
def test_a_default_question_that_is_refused_is_listed_with_the_reason(
    loaded: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    def refuse(*_: object) -> None:
        raise UserError("two criteria are not one outcome")

    monkeypatch.setattr(exporting, part, refuse)
    (row,) = exported(loaded, tmp_path / "summary")["model_questions"].to_dicts()
    assert (row["default"], row["status"], row["reason"]) == (
        "yes", "not_estimable", "question_refused")  # fmt: skip
    assert row["sentence"] == "two criteria are not one outcome"
    assert bool(row["question"]) == (part == "fit_trial")


def test_the_tracer_table_takes_the_registry() -> None:
    from analysis.tracers import TRACERS

    row = tracer_row(TRACERS["f18_fhbg"])
    assert (row["nuclide"], row["tracer_class"]) == ("F-18", "reporter_gene")
    assert row["half_life_h"] == pytest.approx(1.8295)
