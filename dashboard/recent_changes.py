"""What changed since the cut before: a card of the overview, and the diff of the data page."""

from typing import Any

import polars as pl
from dash import html
from dash.development.base_component import Component

from dashboard.components.card import card
from dashboard.components.plain_table import Column, plain_table
from dashboard.components.provenance_strip import provenance_strip
from dashboard.theme import DASH
from dashboard.view import View

FRAME_WORDS = {
    "subjects": "Patients",
    "characteristics": "Baseline characteristics",
    "infusions": "Infusions",
    "tracer_administrations": "Tracer administrations",
    "scans": "Scans",
    "regions": "Regions",
    "quantifications": "Quantifications",
    "kinetics": "Kinetics samples",
    "labs": "Laboratory results",
    "lesions": "Lesion measurements",
    "responses": "Response assessments",
    "adverse_events": "Adverse events",
    "interventions": "Interventions",
    "survival": "Survival endpoints",
}
"""What the records of each frame of a trial are called."""


def previous_cut(view: View) -> dict[str, Any] | None:
    """The cut before the one that is shown, as a row of `trial.cuts`; None at the first."""
    older = view.trial.cuts.filter(pl.col("load_id") < view.trial.cut.load_id).sort("load_id")
    return older.row(-1, named=True) if older.height else None


def changed_kinds(view: View) -> int:
    """How many kinds of records the card of `recent_changes` lists."""
    before = previous_cut(view)
    if before is None:
        return _held(view).height
    return _changed(view, before).height


def _held(view: View) -> pl.DataFrame:
    found = view.reader.changes(view.trial.study["studyid"], 0, view.trial.cut.load_id)
    return found.filter(pl.col("after") > 0)


def _changed(view: View, before: dict[str, Any]) -> pl.DataFrame:
    load_id = view.trial.cut.load_id
    found = view.reader.changes(view.trial.study["studyid"], before["load_id"], load_id)
    return found.filter(pl.any_horizontal(pl.col("added", "corrected", "retired") > 0))


def recent_changes(view: View) -> Component:
    """Records that came, were corrected or went since the last cut; at the first cut, what it
    holds."""
    before = previous_cut(view)
    link = html.A("All loads and cuts", href=view.href("/data"))
    if before is None:
        return card(
            "First cut: what it holds",
            held_table(_held(view)),
            note=link,
            footer=provenance_strip(view, "whole study"),
        )
    changed = _changed(view, before)
    title = f"Since cut {before['name']}"
    if changed.is_empty():
        body = html.P("No record came, changed or went.", className="cg-muted")
    else:
        body = changes_table(changed, f"Changes since cut {before['name']}")
    return card(title, body, note=link, footer=provenance_strip(view, "whole study"))


def changes_table(changes: pl.DataFrame, caption: str) -> Component:
    """Rows of `models.changes.cut_changes` as a table."""
    columns = (
        Column("Records"),
        Column("New", align="right"),
        Column("Corrected", align="right"),
        Column("Retired", align="right"),
        Column("Now", align="right"),
    )
    rows = [
        [
            FRAME_WORDS[row["frame"]],
            *(_count(row[name]) for name in ("added", "corrected", "retired")),
            f"{row['after']:,}",
        ]
        for row in changes.iter_rows(named=True)
    ]
    return plain_table(columns, rows, caption=caption, dense=True)


def held_table(changes: pl.DataFrame) -> Component:
    """What a first cut holds."""
    rows = [
        [FRAME_WORDS[row["frame"]], f"{row['after']:,}"] for row in changes.iter_rows(named=True)
    ]
    return plain_table(
        (Column("Records"), Column("Count", align="right")),
        rows,
        caption="Records of the first cut",
        dense=True,
    )


def _count(n: int) -> str:
    return f"{n:,}" if n else DASH
