"""The words gate: what a sentence may say about a signal, by the class of its tracer.

A label put on the cells before infusion is diluted by division, so it can show where the infused
product went but never growth. A reporter gene is inherited, so it can, in relative terms. A CD8
or metabolic tracer sees every cell with its target; a tumor tracer sees no T cell at all.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from analysis.tracers.registry import TracerClass

_EXPANSION = r"expan(?:sion|d|ds|ded|ding)|proliferat\w*"
_PERSISTENCE = r"persist\w*"
_COUNT = (
    r"(?:cell|absolute)[- ](?:counts?|numbers?)|numbers? of cells|count of cells|how many cells"
)
_THERAPY = r"(?!s?[- ](?:therap|product|infusion|recipient|trial|treat))"
_CAR_T = (
    r"CAR[-\u2010\u2011 ]?T[- ]?cells?"
    + _THERAPY
    + r"|CAR[-\u2010\u2011 ]?T[- ](?:signal|uptake|numbers?|counts?|expansion|persistence|homing)"
    + r"|CAR ?\+ ?(?:T[- ])?cells?|CAR[- ]positive(?: T)? cells?"
    + r"|CAR[-\u2010\u2011 ]?Ts?(?=\s*(?:$|[,.;:)]))"
    + r"|chimeric antigen receptor[- ]T[- ]?cells?"
    + _THERAPY
)
_T_CELLS = r"T[-\u2010\u2011 ]cells?" + _THERAPY + r"|T[-\u2010\u2011 ]lymphocytes?"


@dataclass(frozen=True)
class SignalWords:
    """What a signal of one tracer class is, and how it may and may not be called."""

    signal: str
    """The noun for an axis or a sentence."""
    allowed: tuple[str, ...]
    forbidden: tuple[str, ...]
    """Word groups that no sentence, title or axis about this signal may hold."""
    caution: str
    """The one sentence that says what the signal cannot show; the only place that may name it."""


WORDS: dict[TracerClass, SignalWords] = {
    "direct_label": SignalWords(
        signal="label of the infused product",
        allowed=("distribution", "homing", "retention of infused label", "label-equivalent cells"),
        forbidden=("expansion", "persistence", "cell count", "CAR-T cells"),
        caution=(
            "A label on the infused cells is diluted by division: it shows distribution and "
            "retention of the label, never expansion, persistence or a cell count."
        ),
    ),
    "reporter_gene": SignalWords(
        signal="signal of reporter-positive viable cells",
        allowed=("signal of reporter-positive viable cells", "relative expansion", "homing"),
        forbidden=("cell count",),
        caution="Without a calibration per cell the signal is relative, not a cell count.",
    ),
    "immune_target": SignalWords(
        signal="signal of the immune target",
        allowed=("signal of the target", "target uptake"),
        forbidden=("CAR-T cells", "cell count", "persistence"),
        caution="Every cell with the target gives this signal; it is not a signal of CAR-T cells.",
    ),
    "target_antigen": SignalWords(
        signal="signal of the target antigen",
        allowed=("antigen signal", "antigen uptake"),
        forbidden=("T cells", "CAR-T cells", "expansion", "persistence", "cell count"),
        caution="The signal belongs to cells that carry the antigen, not to T cells.",
    ),
    "pretargeting": SignalWords(
        signal="pretargeted signal",
        allowed=("pretargeted signal", "pretargeted uptake"),
        forbidden=("CAR-T cells", "expansion", "persistence", "cell count"),
        caution=(
            "The signal needs both steps; a tag on the cells is diluted by division and is no "
            "cell count."
        ),
    ),
    "tumor_tracer": SignalWords(
        signal="tumor metabolism",
        allowed=("tumor metabolism", "tumor volume", "tumor uptake"),
        forbidden=("T cells", "CAR-T cells", "expansion", "persistence", "cell count"),
        caution="Tumor and inflammation both take up the tracer; it never shows T cells.",
    ),
}

_PATTERNS = {
    "expansion": _EXPANSION,
    "persistence": _PERSISTENCE,
    "cell count": _COUNT,
    "CAR-T cells": _CAR_T,
    "T cells": _T_CELLS,
}


def claims_about_cells(text: str) -> tuple[str, ...]:
    """Wordings that claim growth, persistence or a number of cells, or that they carry the CAR."""
    return _found(text, ("expansion", "persistence", "cell count", "CAR-T cells"))


def words_for(tracer_class: TracerClass) -> SignalWords:
    """The words of one tracer class. Raises KeyError for an unknown class."""
    return WORDS[tracer_class]


def check_words(
    text: str, tracer_class: TracerClass, *, car_specific: bool = False
) -> tuple[str, ...]:
    """Forbidden wordings that `text` holds, as written, in order; empty when the text may stand.

    `car_specific` lifts the ban on "CAR-T cells" for the few tracers that only engineered cells
    can bind. The caution sentence of the class is not counted: it says what cannot be said.
    """
    words = WORDS[tracer_class]
    claim = text.replace(words.caution, "")
    groups = [group for group in words.forbidden if not (car_specific and group == "CAR-T cells")]
    return _found(claim, groups)


def _found(text: str, groups: Iterable[str]) -> tuple[str, ...]:
    """Wordings of these groups, as written, in order."""
    found: dict[tuple[int, int], str] = {}
    for group in groups:
        for match in re.finditer(rf"(?<!\w)(?:{_PATTERNS[group]})(?!\w)", text, re.IGNORECASE):
            found[match.span()] = match.group()
    return tuple(found[span] for span in sorted(found))
