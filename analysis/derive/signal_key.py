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
        """The signal of a key. Raises UserError when `key` is not one."""
        base, *extra = key.split("@")
        domain, *values = base.split(":")
        parts = _PARTS.get(domain)  # type: ignore[call-overload]
        named = dict(item.partition("=")[::2] for item in extra)
        if parts is None or not values or len(values) > len(parts) or set(named) - set(QUALIFIERS):
            raise UserError(
                f"signal: '{key}' is not a signal; expected e.g. kinetics:CARTG:qPCR:BLOOD or "
                "uptake:f18_fhbg:suv_mean:lesion"
            )
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


def _text(value: str) -> str | None:
    plain = unquote(value)
    return None if plain == _NONE else plain
