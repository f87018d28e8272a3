"""Which planned examinations were done: visits down, patients across, best responders first."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import plotly.graph_objects as go
import polars as pl

from figures.number_text import day_text
from figures.response_heads import response_lines, response_marks, response_names, response_runs
from figures.theme import Theme, rgba, template

ROW_PX = 22
_FIRST_ROW = 1.5
"""Room above the first visit: the groups of patients, then the name of the series."""
_ORDER = ("CR", "PR", "SD", "PD", "NE", None)
_MARGIN = {"l": 12, "r": 56, "t": 4, "b": 8}
_LABELLED = 30
"""Up to this many patients each column is labelled; above it the hover has the name."""


class CompletenessNumbers(NamedTuple):
    """`states[visit][patient]` is evaluable, not_evaluable, missing or not_due."""

    patients: tuple[str, ...]
    responses: tuple[str | None, ...]
    visits: tuple[tuple[str, float], ...]
    series_names: Mapping[str, str]
    series_colors: Mapping[str, str]
    states: tuple[tuple[str, ...], ...]
    reasons: tuple[tuple[str | None, ...], ...]
    days: tuple[tuple[float | None, ...], ...]
    n_evaluable: tuple[int, ...]
    n_due: tuple[int, ...]

    @property
    def uncounted(self) -> tuple[str, ...]:
        """Series with one planned visit. An examination is due to those who ever had the series,
        so that nobody can be seen to miss the only one: its share says nothing."""
        visits = Counter(series for series, _ in self.visits)
        return tuple(series for series, n in visits.items() if n == 1)

    @property
    def share(self) -> tuple[int, int]:
        """Examinations that are evaluable, and that were due, of the series that can be counted."""
        alone = self.uncounted
        rows = [row for row, (series, _) in enumerate(self.visits) if series not in alone]
        return sum(self.n_evaluable[row] for row in rows), sum(self.n_due[row] for row in rows)


def prepare_scan_completeness(
    states: pl.DataFrame,
    best: pl.DataFrame,
    series_names: Mapping[str, str],
    series_colors: Mapping[str, str],
) -> CompletenessNumbers:
    """states: of `analysis.derive.completeness`; best: usubjid, best_category. `series_names` gives
    the words and the order of the series, `series_colors` their meaning in the theme.

    Patients stand by best response, then by how many evaluable examinations they have.
    """
    ordered = _ordered(states, best)
    patients = tuple(ordered["usubjid"].to_list())
    place = {series: number for number, series in enumerate(series_names)}
    visits = sorted(
        {(row[0], row[1]) for row in states.select("series", "nominal_day").iter_rows()},
        key=lambda visit: (place.get(visit[0], len(place)), visit[1]),
    )
    cells = {
        (row["series"], row["nominal_day"], row["usubjid"]): row
        for row in states.iter_rows(named=True)
    }

    def across(field: str) -> tuple[tuple, ...]:  # type: ignore[type-arg]
        return tuple(
            tuple(cells[(*visit, patient)][field] for patient in patients) for visit in visits
        )

    state_rows = across("state")
    return CompletenessNumbers(
        patients=patients,
        responses=tuple(ordered["best_category"].to_list()),
        visits=tuple(visits),
        series_names=dict(series_names),
        series_colors=dict(series_colors),
        states=state_rows,
        reasons=across("reason"),
        days=across("rel_day"),
        n_evaluable=tuple(row.count("evaluable") for row in state_rows),
        n_due=tuple(len(row) - row.count("not_due") for row in state_rows),
    )


def _ordered(states: pl.DataFrame, best: pl.DataFrame) -> pl.DataFrame:
    """Patients by best response, then by how many evaluable examinations they have."""
    done = states.group_by("usubjid").agg((pl.col("state") == "evaluable").sum().alias("n_done"))
    rank = {response: place for place, response in enumerate(_ORDER) if response is not None}
    return (
        done.join(best.select("usubjid", "best_category"), on="usubjid", how="left")
        .with_columns(
            pl.col("best_category")
            .replace_strict(rank, default=len(rank), return_dtype=pl.Int64)
            .alias("rank")
        )
        .sort("rank", "n_done", "usubjid", descending=[False, True, False])
    )


def draw_scan_completeness(
    numbers: CompletenessNumbers,
    theme: Theme,
    links: Mapping[str, str] | None = None,
    width_px: int = 1100,
) -> go.Figure:
    """A filled cell is an evaluable examination, a cross one that cannot be evaluated, a ring a
    missing one; where nothing was due there is nothing. `links` gives each patient an address;
    `width_px` is about how wide the columns together will be, for what fits above them."""
    figure = go.Figure()
    rows = _row_positions(numbers)
    n = len(numbers.patients)
    column_px = width_px / max(n, 1)
    for series in numbers.series_names:
        _add_done(figure, numbers, rows, series, theme, links or {}, column_px)
    _add_marks(figure, numbers, rows, theme, links or {}, column_px)
    _lay_out(figure, numbers, rows, theme, column_px)
    # All at once: adding annotations one by one costs Plotly the square of their number.
    runs = response_runs(numbers.responses, column_px)
    figure.add_traces(response_marks(runs, theme))
    figure.update_layout(
        annotations=[
            *_heads(numbers, rows, theme),
            *_totals(numbers, rows, theme),
            *response_names(runs, theme),
        ],
        shapes=response_lines(runs, theme),
    )
    return figure


def _lay_out(
    figure: go.Figure,
    numbers: CompletenessNumbers,
    rows: list[float],
    theme: Theme,
    column_px: float,
) -> None:
    """Height, margins and axes; many patients have no name below their column."""
    n = len(numbers.patients)
    labelled = n <= _LABELLED
    upright = column_px < 26
    below = (34 if upright else 24) if labelled else 4
    height = _MARGIN["t"] + _MARGIN["b"] + below + ROW_PX * (max(rows) + 1.6)
    figure.update_layout(
        template=template(theme),
        height=round(height),
        margin={**_MARGIN, "b": _MARGIN["b"] + below},
        hovermode="closest",
    )
    figure.update_xaxes(
        range=[-0.5, n - 0.5],
        tickvals=list(range(n)) if labelled else [],
        ticktext=[patient.rsplit("-", 1)[-1] for patient in numbers.patients],
        tickangle=-90 if upright else 0,
        tickfont={"size": 11},
        automargin=False,
        fixedrange=True,
    )
    figure.update_yaxes(
        range=[max(rows) + 0.6, -1.0],
        tickvals=rows,
        ticktext=[f"day {day_text(day)}" for _, day in numbers.visits],
        showgrid=False,
        fixedrange=True,
        ticklabelstandoff=6,
    )


def _row_positions(numbers: CompletenessNumbers) -> list[float]:
    """Visits from the top, with a row of room above each series for its name."""
    rows: list[float] = []
    for place, (series, _) in enumerate(numbers.visits):
        if not place:
            rows.append(_FIRST_ROW)
        else:
            rows.append(rows[-1] + (1.0 if numbers.visits[place - 1][0] == series else 2.2))
    return rows


def _add_done(
    figure: go.Figure,
    numbers: CompletenessNumbers,
    rows: list[float],
    series: str,
    theme: Theme,
    links: Mapping[str, str],
    column_px: float,
) -> None:
    """The evaluable cells of one series as filled blocks in the color of its signal."""
    mine = [row for row, visit in enumerate(numbers.visits) if visit[0] == series]
    if not mine:
        return
    color = theme.signal.get(numbers.series_colors.get(series, ""), theme.secondary)
    states = [numbers.states[row] for row in mine]
    figure.add_heatmap(
        x=list(range(len(numbers.patients))),
        y=[rows[row] for row in mine],
        z=[[1 if state == "evaluable" else None for state in line] for line in states],
        text=[[_cell_text(numbers, row, c) for c in range(len(numbers.patients))] for row in mine],
        customdata=[[links.get(patient) for patient in numbers.patients] for _ in mine],
        colorscale=[[0, rgba(color, 0.7)], [1, rgba(color, 0.7)]],
        showscale=False,
        hoverongaps=False,
        xgap=2 if column_px > 9 else 1,
        ygap=3,
        hovertemplate="%{text}<extra></extra>",
    )


def _add_marks(
    figure: go.Figure,
    numbers: CompletenessNumbers,
    rows: list[float],
    theme: Theme,
    links: Mapping[str, str],
    column_px: float,
) -> None:
    """A cross where an examination cannot be evaluated, a ring where one is missing."""
    size = min(9.0, max(3.0, column_px * 0.6))
    warning = theme.response["PD"]
    marks = {
        "not_evaluable": {"symbol": "x-thin", "line": {"width": 1.8, "color": warning}},
        "missing": {
            "symbol": "circle-open",
            "color": theme.muted,
            "line": {"width": min(1.3, size / 4)},
        },
    }
    for state, marker in marks.items():
        points = [
            (column, row)
            for row in range(len(numbers.visits))
            for column, found in enumerate(numbers.states[row])
            if found == state
        ]
        figure.add_scatter(
            x=[column for column, _ in points],
            y=[rows[row] for _, row in points],
            mode="markers",
            marker={**marker, "size": size},
            text=[_cell_text(numbers, row, column) for column, row in points],
            customdata=[links.get(numbers.patients[column]) for column, _ in points],
            hovertemplate="%{text}<extra></extra>",
        )


def _cell_text(numbers: CompletenessNumbers, row: int, column: int) -> str:
    series, day = numbers.visits[row]
    state = numbers.states[row][column].replace("_", " ")
    at = numbers.days[row][column]
    done = f" (done on day {at:.1f})" if at is not None and abs(at - day) >= 0.5 else ""
    reason = numbers.reasons[row][column]
    name = numbers.series_names.get(series, series)
    return (
        f"<b>Patient {numbers.patients[column]}</b><br>{name}, day {day_text(day)}{done}<br>"
        f"{state}{f': {reason}' if reason else ''}"
    )


def _heads(numbers: CompletenessNumbers, rows: list[float], theme: Theme) -> list[dict[str, Any]]:
    """The name of each series, above its first visit."""
    first: dict[str, float] = {}
    for (series, _), row in zip(numbers.visits, rows, strict=True):
        first.setdefault(series, row)
    return [
        {
            "x": 0, "xref": "x domain", "y": row - 0.95, "yref": "y", "showarrow": False,
            "xanchor": "left", "text": f"<b>{numbers.series_names.get(series, series)}</b>",
            "font": {"size": 12, "color": theme.secondary},
        }
        for series, row in first.items()
    ]  # fmt: skip


def _totals(numbers: CompletenessNumbers, rows: list[float], theme: Theme) -> list[dict[str, Any]]:
    """How many of those due were done, at the end of each visit's row; of a series that cannot be
    counted only how many were done."""
    alone = numbers.uncounted
    return [
        {
            "x": 1, "xref": "x domain", "y": row, "yref": "y", "xanchor": "left", "xshift": 10,
            "showarrow": False, "text": f"{done}" if series in alone else f"{done}/{due}",
            "font": {"size": 12, "color": theme.secondary},
        }
        for row, done, due, (series, _) in zip(
            rows, numbers.n_evaluable, numbers.n_due, numbers.visits, strict=True
        )
    ]  # fmt: skip
