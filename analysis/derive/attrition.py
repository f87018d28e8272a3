"""How a selection of patients came about: one step per rule that took patients out."""

from dataclasses import dataclass

import polars as pl

from analysis.derive.columns import ensure
from analysis.selection import GROUP_COLUMN, SET_COLUMN, SET_LABEL, Selection


@dataclass(frozen=True)
class AttritionStep:
    """`n` patients are left after this step, which took out `lost` for `reason`."""

    label: str
    n: int
    lost: int
    reason: str


def attrition(
    selection: Selection,
    subjects: pl.DataFrame,
    sets: pl.DataFrame,
    with_data: pl.DataFrame | None = None,
) -> tuple[AttritionStep, ...]:
    """Enrolled, infused, in the analysis set, in each chosen group, and with data if given.

    sets: `derive.sets.analysis_sets`. with_data: a frame with usubjid, e.g. a signal's series.
    The first step is the enrolled patients and loses none.
    """
    frame = ensure(subjects, "usubjid", *GROUP_COLUMN.values())
    kept = set(frame["usubjid"])
    steps = [AttritionStep("Enrolled", len(kept), 0, "")]
    for label, allowed, reason in _rules(selection, frame, sets, with_data):
        left = kept & allowed
        steps.append(AttritionStep(label, len(left), len(kept) - len(left), reason))
        kept = left
    return tuple(steps)


def _rules(
    selection: Selection,
    subjects: pl.DataFrame,
    sets: pl.DataFrame,
    with_data: pl.DataFrame | None,
) -> list[tuple[str, set[str], str]]:
    rules = [("Infused", _in_set(sets, "infused"), _infused_reason(sets))]
    chosen = SET_COLUMN[selection.analysis_set]
    if chosen != "infused":
        rules.append(
            (SET_LABEL[selection.analysis_set], _in_set(sets, chosen), _SET_REASON[chosen])
        )
    for name, column in GROUP_COLUMN.items():
        wanted = getattr(selection, name)
        if wanted:
            allowed = set(subjects.filter(pl.col(column).is_in(wanted))["usubjid"])
            label = ", ".join(wanted)
            rules.append((label, allowed, f"other {name.replace('_', ' ')}"))
    if with_data is not None:
        rules.append(("With data", set(with_data["usubjid"]), "no usable value of this signal"))
    return rules


_SET_REASON = {
    "safety": "not in the safety set",
    "imaging_evaluable": "no evaluable scan after infusion",
    "efficacy_evaluable": "no response assessment",
}


def _in_set(sets: pl.DataFrame, column: str) -> set[str]:
    return set(sets.filter(pl.col(column).fill_null(False))["usubjid"])


def _infused_reason(sets: pl.DataFrame) -> str:
    assumed = "infused_source" in sets.columns and (sets["infused_source"] == "assumed").any()
    return "no infusion data: every patient counted" if assumed else "not infused"
