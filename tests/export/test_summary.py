"""The summary of the small invented trial: which filters it obeys, and which it says it obeys."""

from datetime import datetime

import polars as pl

from analysis.selection import Selection
from export.document import Document
from export.summary import statistical_summary
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
