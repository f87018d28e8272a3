"""What stands where the curves would be when no selected patient has a value to draw."""

from dash import html
from dash.development.base_component import Component

from analysis.number_words import count
from analysis.selection import Selection
from dashboard.cohort.numbers import CohortNumbers
from dashboard.cohort.series import series_of
from dashboard.components.empty_state import empty_state
from dashboard.components.text import lower_first
from dashboard.filters import window_text
from dashboard.view import View
from figures.number_text import day_text


def nothing_drawn(view: View, found: CohortNumbers) -> Component:
    """Why nothing is drawn, and the link that changes it: the window of days where the patients
    have values outside it, else the filters."""
    label = lower_first(found.signal.label)
    series = series_of(view, found.signal)
    patients = count(found.n_selected, "selected patient")
    if series.is_empty():
        plain = Selection(study=view.selection.study, cut=view.selection.cut)
        link = html.A("Remove all filters", href=view.href("/cohort", plain), className="cg-button")
        return empty_state("No value to draw", f"None of {patients} has a value of {label}.", link)
    days = series.get_column("rel_day").drop_nulls().sort().to_list()
    span = (
        f"are of days {day_text(days[0])} to {day_text(days[-1])}"
        if days
        else ("have no day from infusion")
    )
    window = window_text(view.selection.day_low, view.selection.day_high)
    return empty_state(
        "No value in this window of days",
        f"The window is {window}; the values of {label} {span}.",
        html.A("Show all days", href=view.href(day_low=None, day_high=None), className="cg-button"),
    )
