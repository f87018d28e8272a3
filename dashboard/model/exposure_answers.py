"""Stored answers by exposure, which have no page of their own: the finding and every rule for low
values beside it."""

from dash import html
from dash.development.base_component import Component

from analysis.exposure_rules import EXPOSURE_QUESTIONS
from analysis.results import Fit
from dashboard.components.card import card
from dashboard.model.parts import sensitivity_table
from dashboard.view import View


def exposure_answers(view: View) -> Component | None:
    """One finding and table for each stored fit with values below the limit; None without one."""
    fits = [run["fit"] for run in view.reader.stored_fits(view.trial)]
    parts = [part for fit in fits if _by_exposure(fit) for part in _answer(fit)]
    return card("Answers by exposure under each rule for low values", parts) if parts else None


def _by_exposure(fit: Fit) -> bool:
    asked = (fit.spec or {}).get("question")
    return asked in EXPOSURE_QUESTIONS and bool(fit.sensitivity)


def _answer(fit: Fit) -> list[Component]:
    return [html.P(fit.sentence), sensitivity_table(fit)]
