"""What was delivered: loads, cuts and their differences, files with their accounting, refusals."""

import shlex
from enum import StrEnum
from typing import Any

import polars as pl
from dash import Dash, html
from dash.development.base_component import Component

from analysis.number_words import count
from dashboard.components.card import card
from dashboard.components.data_grid import data_grid
from dashboard.components.empty_state import command, empty_state
from dashboard.components.page_header import page_header
from dashboard.components.plain_table import Column, plain_table
from dashboard.components.provenance_strip import Download, provenance_strip
from dashboard.components.text import soft_breaks
from dashboard.cut_history import cut_comparison, cut_table
from dashboard.findings import finding_list, short_path
from dashboard.missingness import missingness_card, missingness_table
from dashboard.quality_list import refused_reasons
from dashboard.theme import DASH
from dashboard.view import Services, View

PATH = "/data"
HOUSE, SHIPPED = "house", ("car22", "sdtm", "synthetic")
"""Names of profiles that are no file: the layout that needs none, and those of the program."""
_DATABASE = "--database DATABASE-URL"
"""The page does not know where its data are stored: an address may hold a password."""
NAME = "Data and quality"


class Ids(StrEnum):
    REFUSED = "data-quality-refused"


def layout(view: View) -> Component:
    """Cuts and their difference, files, refused rows, findings, missing values, how to load."""
    return html.Div(
        [
            page_header(NAME, _sentence(view)),
            html.Div(
                [
                    html.Div(
                        [
                            cut_comparison(view),
                            html.Div([cut_table(view), _how_card(view)], className="cg-stack"),
                        ],
                        className="cg-grid-side cg-ragged",
                    ),
                    _files_card(view),
                    _refused_card(view),
                    _findings_card(view),
                    missingness_card(view),
                ],
                className="cg-stack",
            ),
        ]
    )


def register(app: Dash, services: Services) -> None:
    """No callbacks of its own: the address holds the state."""


def refused_table(view: View) -> pl.DataFrame:
    """Every refused row of the study: where it stood, the rule it broke, the text as delivered."""
    columns = ("source_file", "sheet", "row", "column_name", "rule", "raw", "message", "load_id")
    return view.trial.refused.select(*columns)


def files_table(view: View) -> pl.DataFrame:
    """One row per load and file with its accounting."""
    return view.trial.source_files.select(
        "load_id", "path", "reader", "sha256", "size_byte", "file_rows", "rows_in",
        "loaded", "refused", "duplicates", "empty", "superseded",
    )  # fmt: skip


DOWNLOADS = {
    "refused": refused_table,
    "files": files_table,
    "missing": missingness_table,
}


def _sentence(view: View) -> list[Any]:
    files = _in_cut(view, view.trial.source_files)
    records, refused = int(files["rows_in"].sum()), int(files["refused"].sum())
    words: list[Any] = [
        f"{count(records, 'record')} came in {count(files['path'].n_unique(), 'file')} over "
        f"{count(files['load_id'].n_unique(), 'load')}; "
    ]
    if refused:
        were = "was" if refused == 1 else "were"
        said = html.Strong(f"{refused:,} {were} refused")
        return [*words, said, ", with its reason below." if refused == 1 else
                ", each with its reason below."]  # fmt: skip
    return [*words, "none was refused."]


def _in_cut(view: View, frame: pl.DataFrame) -> pl.DataFrame:
    """Rows of loads up to the cut that is shown."""
    return frame.filter(pl.col("load_id") <= view.trial.cut.load_id)


_COUNTS = ("file_rows", "rows_in", "loaded", "refused", "duplicates", "empty", "superseded")


def _files_card(view: View) -> Component:
    files = _in_cut(view, view.trial.source_files).sort("load_id", "path", descending=[True, False])
    columns = (
        Column("File"),
        Column("Load", align="right"),
        Column("Read as"),
        Column("Rows", "in the file", "right"),
        Column("Records", "after reshaping", "right"),
        Column("Loaded", align="right"),
        Column("Refused", align="right"),
        Column("Duplicates", align="right"),
        Column("Empty", align="right"),
        Column("Replaced", "earlier records", "right"),
    )
    rows = [
        [
            _file_name(row),
            str(row["load_id"]),
            row["reader"],
            *(
                _count(row[name])
                for name in _COUNTS
            ),
        ]
        for row in files.head(200).iter_rows(named=True)
    ]  # fmt: skip
    return card(
        "Every record is accounted for",
        plain_table(columns, rows, caption="Source files and their accounting", dense=True),
        note="Records = loaded + refused + duplicates + empty",
        footer=provenance_strip(
            view,
            count(files.height, "file"),
            downloads=(Download("CSV", href=view.download_href("files")),),
        ),
    )


def _file_name(row: dict[str, Any]) -> Component:
    return html.Span(
        soft_breaks(short_path(row["path"])), className="cg-path", title=f"SHA-256 {row['sha256']}"
    )


def name_width(characters: int) -> int:
    """Room for a file's name of so many characters, px; one that would fill a phone is cut."""
    return min(max(150, 8 * characters + 36), 320)


def _refused_card(view: View) -> Component:
    refused = _in_cut(view, view.trial.refused)
    if refused.is_empty():
        body = empty_state(
            "No row was refused",
            "Every value of every file fitted its contract; nothing was changed to make it fit.",
        )
        return card("Refused rows", body, footer=provenance_strip(view))
    refused = refused.with_columns(
        pl.col("source_file").map_elements(short_path, return_dtype=pl.String)
    )
    longest = max(refused.get_column("source_file").fill_null("").str.len_chars().to_list())
    # On a phone this column lies beyond the edge, and rows as high as its text look empty.
    wrapping = {} if view.narrow else {
        "wrapText": True, "autoHeight": True, "cellClass": "cg-cell-text",
    }  # fmt: skip
    columns = [
        {"field": "source_file", "headerName": "File", "flex": 2,
         "minWidth": name_width(longest), "tooltipField": "source_file"},
        {"field": "sheet", "headerName": "Sheet", "flex": 1, "minWidth": 100},
        {"field": "row", "headerName": "Row", "type": "numericColumn", "width": 90},
        {"field": "column_name", "headerName": "Column", "flex": 1, "minWidth": 145},
        {"field": "raw", "headerName": "As delivered", "flex": 2, "minWidth": 140,
         "tooltipField": "raw", "cellClass": "cg-raw"},
        {"field": "rule", "headerName": "Rule", "flex": 2, "minWidth": 150, "tooltipField": "rule"},
        {"field": "message", "headerName": "Expected", "flex": 3, "minWidth": 220,
         "tooltipField": "message", **wrapping},
    ]  # fmt: skip
    shown = [column["field"] for column in columns]
    return card(
        f"{count(refused.height, 'refused row')}, as delivered",
        data_grid(
            refused.select(shown),
            columns,
            Ids.REFUSED,
            label="Refused rows with rule and place",
        ),
        note=_rules(refused),
        footer=provenance_strip(
            view,
            "the text is kept as it was delivered",
            downloads=(Download("CSV", href=view.download_href("refused")),),
        ),
    )


def _rules(refused: pl.DataFrame) -> str:
    """The reason given most often, with its count."""
    reason, n, _ = refused_reasons(refused).row(0)
    return f"Most often: {reason} ({count(n, 'row')})"


def _findings_card(view: View) -> Component:
    findings = _in_cut(view, view.trial.findings)
    if findings.is_empty():
        body: Component = empty_state("No finding", "The loads had nothing else to report.")
    else:
        body = finding_list(findings)
    return card(
        "Findings",
        body,
        note=_how_many(findings),
        footer=provenance_strip(view, "rows were loaded; look before you use them"),
    )


def _how_many(findings: pl.DataFrame) -> str | None:
    """All of them, and how many of these the overview counts: those that ask for a look."""
    warnings = int(findings["severity"].is_in(["warning", "error"]).sum())
    return f"{findings.height:,}, of them {warnings:,} to look at" if findings.height else None


def profile_option(loads: pl.DataFrame) -> str:
    """The option that reads a new export as the last finished load was read; "" where none was
    named. A profile of one's own is a file, kept with its name in the load."""
    done = loads.filter(pl.col("status") == "done").sort("id")
    last = done["profile_name"].to_list()[-1:]
    name: str | None = last[0] if last else None
    if name is None or name == HOUSE:
        return ""
    return f" --profile {shlex.quote(name if name in SHIPPED else f'{name}.yaml')}"


def _how_card(view: View) -> Component:
    study, profile = view.trial.study["studyid"], profile_option(view.trial.loads)
    steps = (
        (
            "Look first, nothing is written",
            f"cartograph check NEW-EXPORT.zip --study {study}{profile}",
        ),
        (
            "Load; ends in a new cut",
            f"cartograph load NEW-EXPORT.zip --study {study}{profile} {_DATABASE}",
        ),
        (
            "An own layout, described in a profile",
            f"cartograph load FILE.xlsx --study {study} --profile MY.yaml {_DATABASE}",
        ),
    )
    return card(
        "Load a new export",
        html.Ol(
            [html.Li([html.P(words), command(text)]) for words, text in steps],
            className="cg-howto",
        ),
        footer=html.Div(
            "Loading the same file twice changes nothing; a corrected file replaces its records.",
            className="cg-strip",
        ),
    )


def _count(n: int | None) -> str:
    if n is None:
        return DASH
    return f"{n:,}" if n else "0"
