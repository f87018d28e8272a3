"""What the last loads found, shortest first: a card of the overview."""

import polars as pl
from dash import html
from dash.development.base_component import Component

from analysis.number_words import count
from dashboard.components.card import card
from dashboard.components.icon import icon
from dashboard.components.provenance_strip import provenance_strip
from dashboard.components.text import sentence_case
from dashboard.findings import short_path
from dashboard.view import View

_MOST = 4


def quality_list(view: View) -> Component:
    """Refused rows by rule, then the findings that ask for a look, most frequent first."""
    refused = view.trial.refused.filter(pl.col("load_id") <= view.trial.cut.load_id)
    items = [
        _item("cross", "error", f"{count(n, 'row')} refused: {reason}", _files(files))
        for reason, n, files in refused_reasons(refused).head(2).iter_rows()
    ]
    findings = view.trial.findings.filter(
        (pl.col("load_id") <= view.trial.cut.load_id) & (pl.col("severity") != "info")
    ).sort("count", "code", descending=[True, False])
    items += [
        _item("warning", row["severity"], row["message"], short_path(row["source_file"]))
        for row in findings.head(_MOST - len(items)).iter_rows(named=True)
    ]
    body = (
        html.Ul(items, className="cg-findings")
        if items
        else html.P("Nothing was refused and nothing stood out.", className="cg-muted")
    )
    return card(
        "To look at",
        body,
        note=html.A("All of it", href=view.href("/data")),
        footer=provenance_strip(view, "whole study"),
    )


def refused_reasons(refused: pl.DataFrame) -> pl.DataFrame:
    """reason (why, in words, without what to do), n rows and n files; most frequent first."""
    return (
        refused.with_columns(reason=pl.col("message").str.split(";").list.first())
        .group_by("rule")
        .agg(pl.col("reason").first(), pl.len().alias("n"), pl.col("source_file").n_unique())
        .sort("n", "rule", descending=[True, False])
        .drop("rule")
    )


def _item(picture: str, severity: str, words: str, place: str) -> Component:
    mark = icon(picture, 17)
    mark.className += f" cg-severity-{severity}"
    text = sentence_case(words)
    return html.Li([mark, html.Div([html.P(text), html.P(place, className="cg-muted")])])


def _files(n: int) -> str:
    return f"in {count(n, 'file')}"
