"""The numbers behind a figure or a table as CSV, with where they come from."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import polars as pl
from flask import Flask, Response, request
from werkzeug.exceptions import NotFound

from analysis.errors import UserError
from dashboard.access.gate import refuse
from dashboard.address import Page, Request, match_page
from dashboard.selecting import EmptyDatabaseError, build_view
from dashboard.view import Services, View
from export.writers.csv import cell
from figures.theme import LIGHT
from models.errors import DatabaseError

Table = Callable[[View], pl.DataFrame]


def install_downloads(server: Flask, services: Services, pages: Sequence[Page]) -> None:
    """One route for all pages: a page offers tables in its `DOWNLOADS`."""

    @server.get("/download/<path:page_path>/<name>.csv")
    def _download(page_path: str, name: str) -> Response:
        path = "/" if page_path == "overview" else f"/{page_path}"
        match = match_page(path, pages)
        tables: Mapping[str, Table] = getattr(match.page, "DOWNLOADS", {}) if match else {}
        if match is None or name not in tables:
            raise NotFound
        query = request.query_string.decode("utf-8", "replace")
        try:
            view = build_view(
                Request(path, query, LIGHT, narrow=False), match.rest, services, match.page
            )
            frame = tables[name](view)
        except (UserError, EmptyDatabaseError) as error:
            return refuse(404, str(error) or "There is no study yet.")
        except DatabaseError as error:
            return refuse(503, str(error))
        return _csv_response(view, name, frame)


def _csv_response(view: View, name: str, frame: pl.DataFrame) -> Response:
    text = csv_text(frame, provenance_lines(view))
    file_name = f"{view.trial.study['studyid']}_{name}.csv"
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", file_name)  # a header holds no other letters
    return Response(
        text.encode("utf-8-sig"),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{safe}"'},
    )


def provenance_lines(view: View) -> tuple[str, ...]:
    """What the reader of a loose file needs to know: study, cut, filters, version."""
    filters = "; ".join(f"{label}: {value}" for _, label, value in view.applied.chips())
    return (
        f"Study {view.trial.study['studyid']}, cut {view.trial.cut.name}",
        f"Filters {filters or 'none'}",
        f"Cartograph {view.version}",
    )


def csv_text(frame: pl.DataFrame, comments: Iterable[str] = ()) -> str:
    """CSV with the cells of every export (`export.writers.csv.cell`).

    Comment lines come last, after an empty line, so that the first line is the header.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([cell(name) for name in frame.columns])
    writer.writerows([cell(value) for value in row] for row in frame.iter_rows())
    lines = list(comments)
    if lines:
        writer.writerow([])
        writer.writerows([cell(line)] for line in lines)
    return out.getvalue()
