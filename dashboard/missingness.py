"""Which columns of a delivery are filled: one row per kind of record and column."""

import polars as pl
from dash import html
from dash.development.base_component import Component

from analysis.number_words import count
from dashboard.components.card import card
from dashboard.components.plain_table import Column, plain_table
from dashboard.components.provenance_strip import Download, provenance_strip
from dashboard.components.text import soft_breaks
from dashboard.recent_changes import FRAME_WORDS
from dashboard.theme import NO_BREAK, format_percent
from dashboard.view import View

_IMPORTANT = {
    "subjects": ("sex", "age_year", "cohort", "dose_level", "disease", "siteid"),
    "infusions": ("dtm_utc", "dose_cells_per_kg", "viability_percent", "vector_copy_number"),
    "scans": ("dtm_utc", "rel_day", "uptake_time_h", "weight_kg", "half_life_h"),
    "quantifications": ("value", "unit", "method", "reader"),
    "kinetics": ("rel_day", "nominal_day", "lloq", "unit"),
    "labs": ("rel_day", "unit", "ref_high"),
    "lesions": ("rel_day", "value", "reader"),
    "responses": ("rel_day", "response", "reader"),
    "adverse_events": ("rel_day", "end_rel_day", "grade", "scale"),
}
"""Columns that an analysis needs, per frame of a trial."""


def missingness_table(view: View) -> pl.DataFrame:
    """One row per record kind and column: records, missing, and the share missing (0 to 1).

    A value that is censored is there: its bounds count as delivered.
    """
    rows = []
    for name, columns in _IMPORTANT.items():
        frame: pl.DataFrame = getattr(view.selected, name)
        for column in columns:
            if frame.is_empty() or column not in frame.columns:
                continue
            records = with_limits(frame) if column == "lloq" else frame
            if records.is_empty():
                continue
            gone = pl.col(column).is_null()
            if column == "value":
                gone = gone & (pl.col("censored") == "none")
            missing, n = int(records.select(gone.sum()).item()), records.height
            rows.append((FRAME_WORDS[name], column, n, missing, missing / n))
    schema = {
        "records": pl.String,
        "column": pl.String,
        "n": pl.Int64,
        "missing": pl.Int64,
        "share": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def with_limits(samples: pl.DataFrame) -> pl.DataFrame:
    """The samples of assays that give a limit at all: one delivered without any lacks none."""
    series = ["analyte", "assay", "matrix", "unit"]
    return samples.filter(pl.col("lloq").is_not_null().any().over(series))


def missingness_card(view: View) -> Component:
    """Columns with missing values, most missing first; complete ones are counted in the note."""
    table = missingness_table(view)
    gaps = table.filter(pl.col("missing") > 0).sort("share", "records", descending=[True, False])
    complete = table.height - gaps.height
    rows = [
        [
            row["records"],
            html.Code(soft_breaks(row["column"])),
            f"{row['missing']:,} of {row['n']:,}",
            _bar(row["share"]),
        ]
        for row in gaps.iter_rows(named=True)
    ]
    columns = (
        Column("Records"),
        Column("Column"),
        Column("Missing", align="right"),
        Column("Share", "missing"),
    )
    body = (
        plain_table(columns, rows, caption="Columns with missing values", dense=True)
        if rows
        else html.P("Every column that an analysis needs is filled.", className="cg-muted")
    )
    return card(
        "What is missing",
        body,
        note=f"{complete} of {count(table.height, 'column')} that analyses use complete",
        footer=provenance_strip(
            view,
            "selected patients",
            downloads=(Download("CSV", href=view.download_href("missing")),),
        ),
    )


def _percent(share: float) -> str:
    return f"< 1{NO_BREAK}%" if 0 < share < 0.01 else format_percent(share)


def _bar(share: float) -> Component:
    return html.Div(
        [
            html.Div(
                html.Div(style={"width": f"{share * 100:.1f}%"}),
                className="cg-share-track",
                **{"aria-hidden": "true"},
            ),
            html.Span(_percent(share), className="cg-number"),
        ],
        className="cg-share",
    )
