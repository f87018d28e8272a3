"""How the trial filled: infused patients over calendar time."""

from datetime import datetime
from typing import NamedTuple

import plotly.graph_objects as go
import polars as pl

from figures.theme import Theme, template

_DASHES = ("dash", "dot", "dashdot", "longdash")
_MOST_GROUPS = 4


class AccrualNumbers(NamedTuple):
    """Cumulative counts at each infusion date; `groups` has one series per group with a name."""

    dates: tuple[datetime, ...]
    total: tuple[int, ...]
    groups: tuple[tuple[str, tuple[datetime, ...], tuple[int, ...]], ...]


def prepare_accrual(
    infusions: pl.DataFrame, subjects: pl.DataFrame, group: str = "cohort"
) -> AccrualNumbers:
    """infusions: usubjid, dtm_utc; the first infusion of a patient counts. subjects: usubjid and
    the column `group`; groups are left out when there is one only, or more than four."""
    first = (
        infusions.drop_nulls("dtm_utc")
        .group_by("usubjid")
        .agg(pl.col("dtm_utc").min())
        .join(
            subjects.select("usubjid", pl.col(group).cast(pl.String).alias("group")), on="usubjid"
        )
        .sort("dtm_utc", "usubjid")
    )
    names = sorted(first["group"].drop_nulls().unique().to_list())
    groups = []
    if 1 < len(names) <= _MOST_GROUPS:
        for name in names:
            mine = first.filter(pl.col("group") == name)["dtm_utc"].to_list()
            groups.append((name, tuple(mine), tuple(range(1, len(mine) + 1))))
    dates = tuple(first["dtm_utc"].to_list())
    return AccrualNumbers(dates, tuple(range(1, len(dates) + 1)), tuple(groups))


def draw_accrual(numbers: AccrualNumbers, theme: Theme, group_word: str = "Cohort") -> go.Figure:
    """Steps: the whole trial bold, its groups dashed and named at their end."""
    figure = go.Figure()
    end = numbers.dates[-1]
    _add_steps(figure, numbers, theme, group_word)
    labels = [("All", numbers.total[-1])] + [
        (f"{group_word} {name}", counts[-1]) for name, _, counts in numbers.groups
    ]
    annotations = [
        {
            "x": end, "y": y, "xanchor": "left", "xshift": 8, "showarrow": False, "text": text,
            "font": {"size": 12, "color": theme.ink if text.startswith("<b>") else theme.secondary},
        }
        for text, y in _spread(labels, 0.085 * max(numbers.total))
    ]  # fmt: skip
    figure.update_layout(
        template=template(theme),
        annotations=annotations,
        height=300,
        margin={
            "l": 44,
            "r": 24 + round(6.6 * max(len(text) for text, _ in labels) + 20),
            "t": 12,
            "b": 52,
        },
    )
    figure.update_yaxes(
        title_text="Patients infused", rangemode="tozero", nticks=6, fixedrange=True
    )
    margin = (end - numbers.dates[0]) * 0.015
    figure.update_xaxes(
        title_text="Date of infusion",
        range=[numbers.dates[0] - margin, end + margin],
        fixedrange=True,
        nticks=5,
        tickformat="%b<br>%Y",
        tickangle=0,
        ticklabelstandoff=6,
    )
    return figure


def _add_steps(figure: go.Figure, numbers: AccrualNumbers, theme: Theme, group_word: str) -> None:
    end = numbers.dates[-1]
    for place, (name, dates, counts) in enumerate(numbers.groups):
        figure.add_scatter(
            x=[*dates, end], y=[*counts, counts[-1]], mode="lines",
            line={"shape": "hv", "width": 1.4, "dash": _DASHES[place], "color": theme.secondary},
            hovertemplate=f"{group_word} {name}<br>%{{x|%Y-%m-%d}}: %{{y}} infused<extra></extra>",
        )  # fmt: skip
    figure.add_scatter(
        x=list(numbers.dates), y=list(numbers.total), mode="lines",
        line={"shape": "hv", "width": 2.2, "color": theme.ink},
        hovertemplate="%{x|%Y-%m-%d}: %{y} infused<extra></extra>",
    )  # fmt: skip


def _spread(labels: list[tuple[str, int]], least: float) -> list[tuple[str, float]]:
    """Labels at the line ends, pushed apart so that none covers another; the total is bold."""
    placed: list[tuple[str, float]] = []
    lowest = float("inf")
    for place, (name, count) in enumerate(sorted(labels, key=lambda item: -item[1])):
        y = min(float(count), lowest - least) if placed else float(count)
        lowest = y
        text = f"<b>{name}, {count}</b>" if place == 0 else f"{name}, {count}"
        placed.append((text, y))
    return placed
