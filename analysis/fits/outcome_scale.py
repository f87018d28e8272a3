"""The scale of an outcome, asked for by a word beside the formula."""

from typing import TYPE_CHECKING

from analysis.errors import UserError

if TYPE_CHECKING:
    from analysis.specs import ModelSpec

TRANSFORMS = ("log10", "log2", "log")


def transformed(formula: str, transform: str) -> str:
    """The formula with its outcome on another scale. Raises UserError for an unknown one."""
    if not transform or transform == "none":
        return formula
    if transform not in TRANSFORMS:
        raise UserError(
            f"transform {transform!r} does not exist; use one of {', '.join(TRANSFORMS)} or none"
        )
    left, tilde, right = formula.partition("~")
    if left.strip().startswith(tuple(f"{name}(" for name in (*TRANSFORMS, "exp"))):
        raise UserError(
            f"transform {transform!r}: the outcome '{left.strip()}' is transformed already; write "
            "the column alone, or leave transform out"
        )
    return f"{transform}({left.strip()}) ~{right}" if tilde else formula


def measured_scale(value: float, spec: "ModelSpec") -> float:
    """A mean or an end of its interval on the scale of the fit, in the unit of the outcome;
    infinite beyond what a float can hold."""
    return value if spec.transform == "none" else power(value) - spec.shift


def power(value: float) -> float:
    """10 ** value without overflow errors; beyond the largest float it is infinite."""
    return float(10.0**value) if value < 308 else float("inf")
