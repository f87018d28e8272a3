"""Fields of a question that the model page has no control for: read from the address, and said."""

from collections.abc import Mapping
from typing import Any

from analysis.errors import UserError
from analysis.specs import OUTCOME_QUESTIONS, ModelSpec
from dashboard.trial_signals import first_question
from dashboard.view import View

TEXTS = ("reference", "residual", "covariance", "nested", "weights")
NUMBERS = ("shift", "level")
WHOLE = ("spline_df", "seed")
LISTS = ("days", "crossed")
UNSEEN = (*TEXTS, *NUMBERS, *WHOLE, *LISTS, "transform")
"""Fields that an address may give and no control shows."""
OF_AN_OUTCOME = ("exposure", "parameter", "landmark_day", "association", "baseline")
"""Fields of questions whose figures this page does not draw."""
NOT_HERE = (
    "questions whose outcome is a response or an event are not drawn on this page; ask them by "
    "cartograph fit --spec FILE"
)


def beyond_controls(params: Mapping[str, str]) -> dict[str, Any]:
    """Changes to a specification by an address. Raises UserError for a value of another type, or
    a question that this page does not draw."""
    if params.get("question") in OUTCOME_QUESTIONS or any(params.get(n) for n in OF_AN_OUTCOME):
        raise UserError(NOT_HERE)
    changes: dict[str, Any] = {n: params[n] for n in ("question", *TEXTS) if n in params}
    changes |= {name: _number(name, params[name]) for name in NUMBERS if name in params}
    changes |= {name: _whole(name, params[name]) for name in WHOLE if name in params}
    if "crossed" in params:
        changes["crossed"] = _listed(params["crossed"])
    if "days" in params:
        text = params["days"]
        changes["days"] = tuple(_number("days", day, text) for day in _listed(text))
    return changes


def beyond_words(spec: ModelSpec, view: View) -> str:
    """What is asked beyond what the controls show; "" for nothing."""
    usual = first_question(view.trial, view.params.get("signal", ""))
    asked = {
        name: getattr(spec, name) for name in UNSEEN if getattr(spec, name) != getattr(usual, name)
    }
    if len(spec.adjusters) > 1:
        asked["adjusters"] = spec.adjusters
    if not asked:
        return ""
    words = "; ".join(f"{name}: {written(value)}" for name, value in asked.items())
    has = "has" if len(asked) == 1 else "have"
    return f"Also asked by the address, what {has} no control on this page: {words}."


def written(value: object) -> str:
    """A value as an address holds it."""
    if isinstance(value, tuple):
        return ",".join(written(item) for item in value)
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    return str(value)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(",") if part)


def _number(name: str, text: str, whole: str = "") -> float:
    try:
        return float(text)
    except ValueError as error:
        raise UserError(
            f"{name} {whole or text!r} in the address is not a number; correct it or leave it out"
        ) from error


def _whole(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise UserError(
            f"{name} {text!r} in the address is not a whole number; correct it or leave it out"
        ) from error
