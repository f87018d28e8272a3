"""The cuts of a study, and what differs between two of them."""

from typing import Any

import polars as pl
from dash import html
from dash.development.base_component import Component

from dashboard.components.card import card
from dashboard.components.empty_state import empty_state
from dashboard.components.plain_table import Column, plain_table
from dashboard.components.provenance_strip import provenance_strip
from dashboard.components.text import moment
from dashboard.components.url_control import url_select
from dashboard.recent_changes import changes_table, held_table, previous_cut
from dashboard.theme import DASH
from dashboard.view import View

_LONGEST = 40
_PARAMETER = "against"


def cut_comparison(view: View) -> Component:
    """The cut that is shown against an earlier one, chosen by `?against=`."""
    current = view.trial.cut
    older = view.trial.cuts.filter(pl.col("load_id") < current.load_id).sort("load_id")
    study = view.trial.study["studyid"]
    if older.is_empty():
        held = view.reader.changes(study, 0, current.load_id).filter(pl.col("after") > 0)
        return card(
            f"Cut {current.name} is the first: what it holds",
            held_table(held) if held.height else _nothing(),
            footer=provenance_strip(view),
        )
    before = _chosen(view, older)
    changes = view.reader.changes(study, before["load_id"], current.load_id)
    kept = changes.filter(pl.any_horizontal(pl.col("before", "after") > 0))
    return card(
        f"From cut {before['name']} to {current.name}",
        changes_table(kept, f"Changes from cut {before['name']} to {current.name}"),
        note=url_select(
            _PARAMETER,
            before["name"],
            older["name"].reverse().to_list(),
            label="Compare with",
            width=190,
        )
        if older.height > 1
        else None,
        footer=provenance_strip(view, "records visible in each cut"),
    )


def _chosen(view: View, older: pl.DataFrame) -> dict[str, Any]:
    wanted = older.filter(pl.col("name") == view.params.get(_PARAMETER, ""))
    found = wanted.row(0, named=True) if wanted.height else previous_cut(view)
    assert found is not None
    return found


def _nothing() -> Component:
    return empty_state("The cut holds no record", "Every row of its load was refused or empty.")


def cut_table(view: View) -> Component:
    """All cuts with their loads, newest first; each name leads to the study as it stood then."""
    loads = {row["id"]: row for row in view.trial.loads.iter_rows(named=True)}
    cuts = view.trial.cuts.sort("load_id", descending=True).head(_LONGEST)
    rows = []
    for place, cut in enumerate(cuts.iter_rows(named=True)):
        load = loads.get(cut["load_id"], {})
        here = cut["name"] == view.trial.cut.name
        link = html.A(cut["name"], href=view.href(cut="" if place == 0 else cut["name"]))
        rows.append(
            [
                [link, html.Span(" shown", className="cg-muted")] if here else link,
                moment(at) if (at := load.get("finished_at")) else DASH,
                load.get("actor") or DASH,
                load.get("profile_name") or "none",
                load.get("delivery") or DASH,
            ]
        )
    columns = (
        Column("Cut"),
        Column("Loaded", "UTC"),
        Column("By"),
        Column("Profile"),
        Column("Delivery"),
    )
    failed = view.trial.loads.filter(pl.col("status") != "done").height
    note = f"{failed} loads did not finish; they changed nothing" if failed else None
    return card(
        "Cuts and loads",
        plain_table(columns, rows, caption="Data cuts, newest first", dense=True),
        note=note,
        footer=provenance_strip(view),
    )
