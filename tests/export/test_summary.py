"""The summary of the small invented trial: which filters it obeys, and which it says it obeys."""

from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace

import polars as pl
import pytest

from analysis.results import Fit
from analysis.selection import Selection
from export.document import Document
from export.questions import AskedFit, difference
from export.summary import statistical_summary
from models.trial import Trial
from tests.dashboard.trial_fixture import tiny_trial

AT = datetime(2026, 7, 2)


def summary(selection: Selection) -> Document:
    return statistical_summary(tiny_trial(), selection, [], version="0.1.0", written_at=AT)


def frame(document: Document, name: str) -> pl.DataFrame:
    return next(table.rows() for table in document.tables if table.name == name)


def test_only_filters_that_the_tables_obey_are_listed() -> None:
    selection = Selection(
        analysis_set="efficacy", arm=("A",), reader="INVESTIGATOR", tracer="f18_fdg",
        metric="suv_mean", assay="qPCR", color_by="site", scale="linear", blq="drop", day_high=28.0,
    )  # fmt: skip
    found = summary(selection).provenance
    assert dict(found.filters) == {
        "Set": "Efficacy-evaluable",
        "Arm": "A",
        "Reader": "INVESTIGATOR",
        "Below limit": "below limit left out",
        "Days, trajectories only": "start to 28",
    }
    assert found.query == "analysis_set=efficacy&arm=A&reader=INVESTIGATOR&day_high=28&blq=drop"


def test_filters_of_the_screen_change_no_table() -> None:
    plain = summary(Selection())
    other = summary(Selection(tracer="f18_fdg", metric="suv_mean", color_by="site", scale="linear"))
    assert [t.rows().to_dicts() for t in plain.tables] == [
        t.rows().to_dicts() for t in other.tables
    ]


def test_the_window_of_days_cuts_the_trajectories_and_nothing_else() -> None:
    whole, cut = summary(Selection()), summary(Selection(day_low=0.0, day_high=28.0))
    assert frame(whole, "trajectories")["nominal_day"].max() > 28
    days = frame(cut, "trajectories")["nominal_day"]
    assert (days.min() >= 0, days.max() <= 28) == (True, True)
    for name in ("kinetics", "response_by_expansion", "baseline"):
        assert frame(whole, name).equals(frame(cut, name))


def test_two_response_criteria_are_never_pooled_in_response_by_expansion() -> None:
    """Cohort B is read by a marrow criterion: the table has each cohort as if alone."""
    trial = tiny_trial()
    cohort = dict(trial.subjects.select("usubjid", "cohort").iter_rows())
    read = pl.Series([{"A": "LUGANO", "B": "MARROW"}[cohort[name]]
                      for name in trial.responses["usubjid"]])  # fmt: skip
    mixed = replace(trial, responses=trial.responses.with_columns(criterion=read))
    both = expansion_of(mixed, Selection())
    assert set(both["part"]) == {"A", "B"}
    for part in ("A", "B"):
        alone = expansion_of(mixed, Selection(cohort=(part,)))
        assert set(alone["part"]) == {None}
        assert both.filter(pl.col("part") == part).drop("part").equals(alone.drop("part"))


def expansion_of(trial: Trial, selection: Selection) -> pl.DataFrame:
    found = statistical_summary(trial, selection, [], version="0.1.0", written_at=AT)
    return frame(found, "response_by_expansion")


def test_groups_stand_from_best_to_worst_response() -> None:
    order = ["CR", "PR", "SD", "PD", "NE", "Not assessed"]
    found = summary(Selection())
    for _, rows in frame(found, "trajectories").group_by("signal"):
        groups = rows["group"].unique(maintain_order=True).to_list()
        assert groups == [group for group in order if group in groups]
        for _, visits in rows.group_by("group"):
            assert visits["nominal_day"].is_sorted()
    groups = frame(found, "baseline")["group"].unique(maintain_order=True).to_list()
    assert len(groups) > 4
    assert groups == [group for group in [*order, "All"] if group in groups]


def test_a_suv_has_its_unit() -> None:
    rows = frame(summary(Selection()), "trajectories")
    suv = rows.filter(
        pl.col("signal").str.contains("SUV") & ~pl.col("signal").str.contains("volume")
    )
    assert suv.height
    assert set(suv["unit"]) == {"g/mL"}


def asked(outcome: str, **spec: object) -> AskedFit:
    return AskedFit(Fit("linear mixed model", "ok", None, "", spec={"outcome": outcome, **spec}))


OTHER = [
    ({"cohort": ("LBCL",)}, {"cohort": ["B-ALL"]}, "cohort B-ALL, not LBCL"),
    ({"cohort": ("LBCL",)}, {}, "cohort all, not LBCL"),
    ({"cohort": ("LBCL",)}, {"cohort": ["LBCL"]}, ""),
    ({"cohort": ("LBCL", "B-ALL")}, {}, ""),
    ({"analysis_set": "efficacy"}, {}, "analysis set infused, not efficacy"),
    ({"analysis_set": "efficacy", "cohort": ("LBCL",)},
     {"analysis_set": "efficacy", "cohort": ["LBCL"]}, ""),
    ({"cohort": ("LBCL",)}, {"cohort": ["LBCL"], "analysis_set": "efficacy"},
     "analysis set efficacy, not infused"),
    ({"criterion": "LUGANO"}, {"criterion": "NCCN"}, "criterion NCCN, not LUGANO"),
    ({"criterion": "LUGANO"}, {"cohort": ["B-ALL"]}, "criterion NCCN, not LUGANO"),
    ({"criterion": "LUGANO"}, {"cohort": ["LBCL"]}, ""),
    ({"criterion": "LUGANO"}, {"criterion": "NCCN", "group": "sex"}, ""),
    ({"criterion": "LUGANO"}, {"question": "joint", "cohort": ["B-ALL"]}, ""),
    ({"site": ("01",), "day_high": 28.0}, {"analysis_set": "efficacy", "cohort": ["B-ALL"]}, ""),
]  # fmt: skip


@pytest.mark.parametrize(("chosen", "spec", "reason"), OTHER)
def test_a_fit_of_other_patients_is_told_from_the_selection(chosen, spec, reason) -> None:
    trial = SimpleNamespace(
        subjects=pl.DataFrame({"usubjid": ["a", "b"], "cohort": ["LBCL", "B-ALL"]}),
        responses=pl.DataFrame({"usubjid": ["a", "b"], "criterion": ["LUGANO", "NCCN"],
                                "reader": "INV", "component": "best", "response": "CR"}),
    )  # fmt: skip
    assert difference({"outcome": "x", **spec}, trial, Selection(**chosen)) == reason


def test_fits_of_other_patients_are_left_out_and_named() -> None:
    fits = [asked("a"), asked("b", analysis_set="efficacy")]
    found = statistical_summary(
        tiny_trial(), Selection(analysis_set="efficacy"), fits, version="0.1.0", written_at=AT
    )
    assert frame(found, "model_questions")["outcome"].to_list() == ["b"]
    assert frame(found, "model_estimates")["outcome"].to_list() == ["b"]
    left = [line for line in found.provenance.lines() if line[0].startswith("Fit left out")]
    assert left == [
        ("Fit left out:  (linear mixed model, a)", "analysis set infused, not efficacy")
    ]
    assert not summary(Selection()).provenance.fits_left_out


def test_the_area_carries_its_rule_below_the_limit() -> None:
    """Once only a note said it, which a CSV of the table leaves behind."""
    rows = frame(summary(Selection()), "kinetics")
    known = rows.filter(pl.col("auc_0_28").is_not_null())
    assert known.height > 0
    assert known["auc_0_28_rule"].unique().to_list() == [
        "below the limit: zero before the first value and at the first sample after the last, "
        "left out between and later"
    ]
    assert rows.filter(pl.col("auc_0_28").is_null())["auc_0_28_rule"].null_count() == (
        rows.height - known.height
    )
