"""What a signal is, for the words of a sentence: a name that is held to its tracer's rules.

`signal_name` is the gate of every entry point that takes such a name. With a tracer of the
registry, or the class of one, the name obeys the words of that class. Free text is read for the
tracers it mentions; a claim about cells (their growth, persistence, number, or that they carry the
CAR) needs a tracer that can show it, or a measurement of blood.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from analysis.errors import UserError
from analysis.tracers.registry import TRACERS, Tracer, TracerClass
from analysis.tracers.words import WORDS, check_words, claims_about_cells, words_for

BLOOD = re.compile(
    r"\b(?:blood|transgene|flow cytometry|(?:q|dd|d|RT-)?PCR|copies|serum|plasma|leukapheresis|"
    r"marrow aspirates?|cerebrospinal fluid|CSF)\b",
    re.IGNORECASE,
)
IMAGING = re.compile(
    r"\b(?:PET|SPECT|scintigra\w*|scans?|imag(?:e|ed|es|ing)|uptake|SU[VL]\w*|tracers?|MRI|"
    r"radio\w+|blood pool|\d{2,3}m?[A-Z][a-z]?|[A-Z][a-z]?-\d{2,3}m?)\b"
)
CLASS_MENTIONS: dict[TracerClass, str] = {
    "direct_label": r"(?<!un)(?<!un-)label(?:l?ed|ling|ing)?\b(?!-free)",
    "reporter_gene": r"\breporter",
    "pretargeting": r"\bpretarget",
    "tumor_tracer": r"tumou?r (?:metabolism|tracer)|glucose",
}
NOT_NAMES = frozenset(
    [
        "cells",
        "anti",
        "reporter",
        "tumor",
        "tracers",
        "bispecific",
        "ct",
        "mri",
        "mpi",
        "fluor",
        "pretarget",
        "nota",
        "gsi",
        "fb",
        "click",
        "dye",
        "gold",
        "net",
        "pd1",
    ]
)
"""Parts of the registry's ids that stand for no one tracer in plain text."""
EXTRA_NAMES: dict[str, str] = {
    "zr89_anti_pd1": r"PD-?1\b",
    "i123_mibg_net": r"(?-i:\bNET\b)|norepinephrine transporter",
    "tc99m_pertechnetate_nis": r"sodium[- ]iodide symporter",
    "f18_fdg": r"fluorodeoxyglucose",
    "zr89_crefmirlimab": r"CD8a\b",
}


@dataclass(frozen=True)
class SignalContext:
    """What a signal is. name: a noun phrase, that of the tracer when empty. tracer: an id of the
    registry, such as "zr89_oxine_cells", or a class, such as "direct_label"."""

    name: str = ""
    tracer: str = ""


def signal_name(context: str | SignalContext, where: str = "context") -> str:
    """The noun phrase of a context, as it may stand in a sentence; empty for an empty one.

    Raises UserError for a tracer that is not registered, or words that its signal must not be
    called, with the reason and the right ones.
    """
    if isinstance(context, str):
        context = SignalContext(context)
    if not isinstance(context, SignalContext) or not all(
        isinstance(part, str) for part in (context.name, context.tracer)
    ):
        raise UserError(
            f"{where}: expected a noun phrase, or SignalContext(name, tracer); it is {context!r}"
        )
    name = " ".join(context.name.split())
    if context.tracer:
        return _of_tracer(name, context.tracer, where)
    if not name:
        return name
    if BLOOD.search(name) and not IMAGING.search(name):
        return name
    mentioned = tuple(_mentioned(name))
    for tracer_class, car_specific in mentioned:
        _require_words(name, tracer_class, car_specific, where)
    claims = claims_about_cells(name)
    if claims and not mentioned:
        raise UserError(
            f"{where}: '{claims[0]}' is a claim that not every signal can carry; say which tracer "
            "it is, as SignalContext(name, tracer=...), or which measurement of blood"
        )
    return name


def _of_tracer(name: str, tracer: str, where: str) -> str:
    if tracer in WORDS:
        tracer_class = tracer
        _require_words(name, tracer_class, False, where)
        return name or words_for(tracer_class).signal
    known = TRACERS.get(tracer)
    if known is None:
        raise UserError(
            f"{where}: tracer {tracer!r} is not in the registry; use one of its ids, or a class: "
            f"{', '.join(WORDS)}"
        )
    _require_words(name, known.tracer_class, known.car_specific, where)
    return name or known.signal_name


def _require_words(name: str, tracer_class: TracerClass, car_specific: bool, where: str) -> None:
    found = check_words(name, tracer_class, car_specific=car_specific)
    if not found:
        return
    words = words_for(tracer_class)
    kind = tracer_class.replace("_", " ")
    raise UserError(
        f"{where}: '{found[0]}' cannot be said of the signal of this tracer ({kind}). "
        f"{words.caution} Write '{words.signal}' or '{words.allowed[-1]}'."
    )


def _mentioned(text: str) -> Iterator[tuple[TracerClass, bool]]:
    """Classes of the tracers that a text mentions, and whether all those mentioned of the class are
    specific for the CAR."""
    found: dict[TracerClass, bool] = {}
    for tracer in TRACERS.values():
        if re.search(_pattern(tracer), text, re.IGNORECASE):
            found[tracer.tracer_class] = found.get(tracer.tracer_class, True) and (
                tracer.car_specific
            )
    for tracer_class, pattern in CLASS_MENTIONS.items():
        if re.search(pattern, text, re.IGNORECASE):
            found.setdefault(tracer_class, False)
    yield from found.items()


@cache
def _pattern(tracer: Tracer) -> str:
    """Names of a tracer in text: parts of its id, with hyphens or not, and its target."""
    parts = [
        part for part in tracer.id.split("_") if not re.fullmatch(r"[a-z]{1,2}\d{2,3}m?", part)
    ]
    if "fdg" in parts and "cells" in parts:
        # FDG in plain text is the tracer of the tumor; as a label it is called one.
        parts.remove("fdg")
    names = ["-?".join(re.findall(r"[a-z]+|\d+", part)) for part in parts if part not in NOT_NAMES]
    if tracer.tracer_class in ("immune_target", "target_antigen"):
        names.append(re.escape(tracer.target))
    names.append(re.escape(tracer.signal_name))
    words = [rf"(?<![A-Za-z0-9]){name}(?![a-z0-9])" for name in names]
    return "|".join([*words, EXTRA_NAMES.get(tracer.id, "$.")])
