"""Fields of a question that the model page has no control for: read from the address, and said."""

from collections.abc import Mapping
from typing import Any

from analysis.errors import UserError
from analysis.specs import OUTCOME_QUESTIONS, ModelSpec
from dashboard.model.outcome_controls import usual_question
from dashboard.view import View

TEXTS = ("reference", "residual", "covariance", "nested", "weights")
NUMBERS = ("shift", "level")
WHOLE = ("spline_df", "seed")
LISTS = ("days", "crossed")
UNSEEN = (*TEXTS, *NUMBERS, *WHOLE, *LISTS, "transform")
"""Fields that an address may give and no control shows (but for the bends of a curve by group)."""


def beyond_controls(params: Mapping[str, str]) -> dict[str, Any]:
    """Changes to a specification by an address. Raises UserError for a value of another type."""
    texts = ("question", *TEXTS, "transform")
    changes: dict[str, Any] = {name: params[name] for name in texts if name in params}
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
    usual = usual_question(view.trial, view.params)
    hidden = UNSEEN if spec.question in OUTCOME_QUESTIONS else set(UNSEEN) - {"spline_df"}
    asked = {
        name: getattr(spec, name)
        for name in UNSEEN if name in hidden and getattr(spec, name) != getattr(usual, name)
    }  # fmt: skip
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
