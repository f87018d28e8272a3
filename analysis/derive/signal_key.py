"""The identity of a signal: one tracked quantity of one assay or tracer, and its names.

What makes a signal one variable is tracer, metric, method, reader, assay, matrix and unit: values
that differ in any of these never share an axis or a model. Unit, method and reader enter the key
only where the data hold several (`derive.signal.signal_catalog`), so that most keys stay short.
"""

import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, get_args
from urllib.parse import quote, unquote

from analysis.derive.labels import (
    ANALYTE_LABELS,
    KIND_LABELS,
    MATRIX_LABELS,
    METRIC_LABELS,
    METRIC_UNITS,
    TEST_LABELS,
    display_unit,
    region_label,
)
from analysis.errors import UserError
from analysis.tracers import TRACERS, TracerClass

Domain = Literal["kinetics", "uptake", "burden", "laboratory"]
DOMAINS: tuple[Domain, ...] = get_args(Domain)
QUALIFIERS = ("unit", "method", "reader", "tracer_id")
"""Parts of the identity that a key names only where the data hold several."""
_NONE = "-"
_PARTS: dict[Domain, tuple[str, ...]] = {
    "kinetics": ("code", "assay", "matrix"),
    "uptake": ("tracer_id", "code", "region_kind", "region_code"),
    "laboratory": ("code", "matrix"),
    "burden": ("code",),
}


@dataclass(frozen=True)
class Signal:
    """One variable. `code` is the analyte, metric or test; `unit` as in the data.

    `qualified_by` names those of unit, method and reader that are part of the key because the
    data hold more than one. `name` is the label delivered with the data; it is no part of the
    identity.
    """

    domain: Domain
    code: str
    assay: str | None = None
    matrix: str | None = None
    tracer_id: str | None = None
    region_kind: str | None = None
    region_code: str | None = None
    unit: str | None = None
    method: str | None = None
    reader: str | None = None
    qualified_by: tuple[str, ...] = ()
    name: str = field(default="", compare=False)

    @cached_property
    def key(self) -> str:
        """Stable text of this signal, e.g. `kinetics:CARTG:qPCR:BLOOD`; see `parse`."""
        values = [getattr(self, part) for part in _PARTS[self.domain]]
        while len(values) > 1 and values[-1] is None:
            values.pop()
        base = ":".join(
            [self.domain, *(quote(str(value or _NONE), safe="+% ") for value in values)]
        )
        extra = [f"{name}={quote(getattr(self, name) or _NONE)}" for name in self.qualified_by]
        return "@".join([base, *extra])

    @classmethod
    def parse(cls, key: str) -> "Signal":
        """The signal of a key. Raises UserError that names the part which is wrong."""
        base, *extra = key.split("@")
        domain, *values = base.split(":")
        named = dict(item.partition("=")[::2] for item in extra)
        problem = _key_problem(domain, values, named)
        if problem:
            raise UserError(f"signal: '{key}' is not a signal: {problem}")
        parts = _PARTS[domain]  # type: ignore[index]
        texts = {**dict(zip(parts, values, strict=False)), **named}
        known = {name: _text(value) for name, value in texts.items()}
        return cls(domain=domain, qualified_by=tuple(named), **{"code": "", **known})  # type: ignore[arg-type]

    @property
    def tracer_class(self) -> TracerClass | None:
        """Class of the tracer; None when the signal is no image or its tracer is unknown."""
        tracer = TRACERS.get(self.tracer_id) if self.tracer_id else None
        return tracer.tracer_class if tracer else None

    @property
    def label(self) -> str:
        """What a person reads, e.g. "Blood transgene, qPCR"; with its unit where others exist."""
        return self.axis_title if "unit" in self.qualified_by else self._words

    @property
    def _words(self) -> str:
        tracer = TRACERS.get(self.tracer_id) if self.tracer_id else None
        match self.domain:
            case "kinetics":
                analyte = ANALYTE_LABELS.get(self.code, self.name or self.code)
                where = MATRIX_LABELS.get(self.matrix or "", "")
                parts = [f"{where} {analyte}".strip(), self.assay]
            case "laboratory":
                parts = [TEST_LABELS.get(self.code, self.name or self.code)]
            case "burden":
                parts = [METRIC_LABELS.get(self.code, self.name or self.code)]
                parts += [tracer.name] if tracer else []
            case "uptake":
                unknown = self.tracer_id or "uptake, tracer not stated"
                parts = [
                    tracer.signal_name if tracer else unknown,
                    METRIC_LABELS.get(self.code, self.code),
                    region_label(self.region_kind, self.region_code),
                ]
        parts += [getattr(self, item) for item in ("method", "reader") if item in self.qualified_by]
        label = ", ".join(part for part in parts if part)
        return label[:1].upper() + label[1:] if re.match(r"[a-z]{2}", label) else label

    @property
    def axis_title(self) -> str:
        """Label with the unit as it is shown, e.g. "Blood transgene, qPCR (copies/µg DNA)"."""
        unit = self.shown_unit
        return f"{self._words} ({unit})" if unit and unit not in self._words else self._words

    @property
    def shown_unit(self) -> str:
        """Unit as a person reads it on an axis, SUV in its formal g/mL; empty without one."""
        formal = METRIC_UNITS.get(self.code, "")
        return display_unit(self.unit or formal) or formal

    def replace(self, **changes: object) -> "Signal":
        """A copy with some parts changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


CODE_WORDS = {"kinetics": "ANALYTE", "uptake": "METRIC", "laboratory": "TEST", "burden": "CODE"}
PART_WORDS = {
    "assay": "ASSAY",
    "matrix": "MATRIX",
    "tracer_id": "TRACER",
    "region_kind": "KIND",
    "region_code": "REGION",
}
"""What the parts of a key are called where a key is explained."""


def part_word(domain: str, part: str) -> str:
    """ "ANALYTE" for the code of kinetics, "KIND" for a kind of region."""
    return CODE_WORDS[domain] if part == "code" else PART_WORDS[part]


def key_pattern(domain: Domain) -> str:
    """ "kinetics:ANALYTE:ASSAY:MATRIX"."""
    return ":".join([domain, *(part_word(domain, part) for part in _PARTS[domain])])


def key_parts(domain: Domain) -> tuple[str, ...]:
    """Names of the parts of a key, in its order."""
    return _PARTS[domain]


def _key_problem(domain: str, values: list[str], named: dict[str, str]) -> str:
    """Which part of a key is wrong and what was expected; "" for a key that can be read."""
    if domain not in _PARTS:
        return (
            f"'{domain}' is none of {', '.join(DOMAINS)}; expected e.g. kinetics:CARTG:qPCR:BLOOD "
            "or uptake:f18_fhbg:suv_mean:lesion"
        )
    pattern = key_pattern(domain)
    parts = _PARTS[domain]
    if not values:
        return f"nothing stands behind '{domain}'; expected {pattern}"
    if len(values) > len(parts):
        return f"'{values[len(parts)]}' is one part too many; expected {pattern}"
    unknown = sorted(set(named) - set(QUALIFIERS))
    if unknown:
        return f"'@{unknown[0]}' is none of @{', @'.join(QUALIFIERS)}"
    kind = dict(zip(parts, values, strict=False)).get("region_kind")
    if kind is not None and _text(kind) not in {None, *KIND_LABELS}:
        here = ":".join([domain, *values[:2]])
        return (
            f"'{kind}' stands where the kind of region is expected ({', '.join(KIND_LABELS)}); "
            f"one lesion is {here}:lesion:{kind}, one organ {here}:organ:{kind}"
        )
    return ""


def _text(value: str) -> str | None:
    plain = unquote(value)
    return None if plain == _NONE else plain
