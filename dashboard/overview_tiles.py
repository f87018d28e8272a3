"""The strip of numbers of the overview; every tile leads to where its number comes from."""

from typing import Any

from dash import html
from dash.development.base_component import Component

from analysis.compute.intervals import Proportion
from analysis.derive.trial_overview import GradeSummary, Rate, TrialOverview
from analysis.number_words import count
from analysis.selection import GROUP_COLUMN, Selection
from dashboard.components.marks import grade_badge
from dashboard.components.stat_tile import stat_tile
from dashboard.theme import NO_BREAK, format_percent
from dashboard.trial_numbers import TrialNumbers
from dashboard.view import View
from figures.scan_completeness import CompletenessNumbers

SET_WORDS = {
    "imaging": "imaging-evaluable",
    "efficacy": "efficacy-evaluable",
    "safety": "in the safety set",
}
_NO_FILTER = Selection()


def overview_sentence(numbers: TrialNumbers, selection: Selection = _NO_FILTER) -> list[Any]:
    """The finding in words, with its n: treated, responded, complete."""
    overview = numbers.overview
    words: list[Any] = [_treated(numbers.overview, selection)]
    if overview.objective is not None and overview.complete is not None:
        rate = overview.objective.infused
        words += [
            "; ",
            html.Strong(f"{rate.successes} of {rate.n} responded"),
            f" ({format_percent(rate.estimate)}, {interval_text(rate)})",
            f", {overview.complete.infused.successes} completely",
        ]
    found = numbers.completeness
    if found is not None and found.share[1]:
        share = format_percent(found.share[0] / found.share[1])
        done = "evaluable" if numbers.examinations == "scans" else "there"
        words += [f". {share} of the {numbers.examinations} due are {done}"]
    return [*words, "."]


def _treated(overview: TrialOverview, selection: Selection) -> str:
    """How many of the enrolled of these groups were infused, and of these are in the set."""
    named = [
        f"site {value}" if field == "site" else value
        for field in GROUP_COLUMN
        for value in getattr(selection, field)
    ]
    group = f" ({', '.join(named)})" if named else ""
    chosen = SET_WORDS.get(selection.analysis_set)
    of_them = f", {overview.n_shown} of them {chosen}" if chosen else ""
    if overview.infusions_unknown:
        enrolled = count(overview.n_enrolled, "enrolled patient")
        return f"{enrolled}{group}{of_them}; who was infused was not delivered"
    enrolled = f"{overview.n_infused} of {overview.n_enrolled} enrolled patients{group}"
    return f"{enrolled} were infused{of_them}"


def overview_tiles(view: View, numbers: TrialNumbers) -> list[Component]:
    """Tiles of what this study has data for; none stands empty."""
    overview = numbers.overview
    unset = "enrolled" if overview.infusions_unknown else "infused"
    counted = SET_WORDS.get(view.applied.analysis_set, unset)
    tiles = [
        stat_tile(
            "Patients, infused or not" if overview.infusions_unknown else "Patients infused",
            str(overview.n_infused),
            f"of {overview.n_enrolled} enrolled",
            view.href("/patients"),
            note=_evaluable(view, numbers),
        ),
        _complete_tile(numbers),
        _rate_tile(view, "Objective response", overview.objective, counted),
        _rate_tile(view, "Complete response", overview.complete, counted),
        *(_grade_tile(view, summary) for summary in overview.grades[:2]),
        _follow_up_tile(view, numbers),
        _quality_tile(view),
    ]
    return [tile for tile in tiles if tile is not None]


def interval_text(rate: Proportion) -> str:
    """The exact interval as `95 % CI 45–84 %`."""
    return f"95 % CI {_range(rate)} %".replace(" ", NO_BREAK)


def _evaluable(view: View, numbers: TrialNumbers) -> str:
    overview = numbers.overview
    parts = []
    if not view.trial.scans.is_empty():
        parts.append(f"imaging-evaluable {overview.n_imaging}")
    if overview.objective is not None:
        parts.append(f"efficacy {overview.n_efficacy}")
    return ", ".join(parts)


def _complete_tile(numbers: TrialNumbers) -> Component | None:
    found = numbers.completeness
    if found is None:
        return None
    done, due = found.share
    scans = numbers.examinations == "scans"
    return stat_tile(
        "Scans evaluable" if scans else f"{numbers.examinations.capitalize()} taken",
        format_percent(done / due) if due else "–",
        f"{done:,} of {due:,} due" if due else "not countable",
        "#overview-completeness",
        note="; ".join(filter(None, (count(len(found.visits), "planned visit"), uncounted(found)))),
    )


def uncounted(found: CompletenessNumbers) -> str:
    """Which series are not in the share, and why; empty when all are."""
    names = [found.series_names.get(series, series) for series in found.uncounted]
    return f"not in the share, with one visit only: {', '.join(names)}" if names else ""


def _rate_tile(view: View, label: str, rate: Rate | None, counted: str) -> Component | None:
    if rate is None:
        return None
    first, other = rate.infused, rate.evaluable
    evaluable = f"({_range(other)}{NO_BREAK}%)"
    return stat_tile(
        label,
        format_percent(first.estimate),
        f"CI{NO_BREAK}{_range(first)}{NO_BREAK}%",
        view.href("/cohort", color_by="response"),
        note=[
            html.Div(f"{first.successes} of {first.n} {counted}"),
            html.Div(
                [
                    f"of {other.n} evaluable {format_percent(other.estimate)} ",
                    html.Span(evaluable, className="cg-nowrap"),
                ]
            ),
        ],
    )


def _range(rate: Proportion) -> str:
    return f"{rate.conf_low * 100:.0f}–{rate.conf_high * 100:.0f}"


def _grade_tile(view: View, summary: GradeSummary) -> Component:
    severe = summary.at_least(3)
    ungraded = f", {summary.ungraded} not graded" if summary.ungraded else ""
    return stat_tile(
        f"Maximum {summary.category}",
        grade_badge(summary.category, summary.maximum),
        f"any grade {summary.at_least(1)} of {summary.n}",
        view.href("/patients", sort=summary.category.lower()),
        note=f"grade 3 or worse {severe}{ungraded}; {summary.scale}",
    )


def _follow_up_tile(view: View, numbers: TrialNumbers) -> Component | None:
    days = numbers.overview.follow_up_day
    if days is None:
        return None
    median, low, high = days
    facts = [f"{low:,.0f} to {high:,.0f} from infusion"]
    if numbers.last_measured_day is not None:
        facts.append(f"last sample or scan, median {numbers.last_measured_day:,.0f}")
    if view.trial.survival.is_empty():
        facts.append("no survival data")
    return stat_tile(
        "Last contact, median",
        f"{median:,.0f}",
        "days",
        view.href("/patients", sort="follow_up"),
        note="; ".join(facts),
    )


def _quality_tile(view: View) -> Component:
    refused = view.trial.refused.height
    warnings = view.trial.findings["severity"].is_in(["warning", "error"]).sum()
    return stat_tile(
        "Data quality",
        f"{refused:,}",
        "refused row" if refused == 1 else "refused rows",
        view.href("/data"),
        note=count(int(warnings), "finding") + " to look at, whole study",
    )
