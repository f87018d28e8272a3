"""The tracer registry: what a signal is, which clock its decay runs on, when it may be read.

The facts are rows of `registry.yaml`; this file gives them types and checks them on first use.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal, TypeVar, get_args

import yaml

TracerClass = Literal[
    "direct_label",
    "reporter_gene",
    "immune_target",
    "target_antigen",
    "pretargeting",
    "tumor_tracer",
]
DecayClock = Literal["cell_infusion", "tracer_injection", "none"]
Evidence = Literal["seen", "mixed", "memory"]
Severity = Literal["info", "warning", "error"]

TRACER_CLASSES: tuple[TracerClass, ...] = get_args(TracerClass)
T = TypeVar("T")
WINDOW_LIMIT_IN_HALF_LIVES = 6.0
"""No window is longer: 1.6 % of the activity is left."""


@dataclass(frozen=True)
class Nuclide:
    """One radionuclide. `half_life_h` and `std_error_h` in hours (ENSDF)."""

    id: str
    half_life_h: float
    std_error_h: float
    positron_percent: float
    code: str
    """Coding scheme and value, e.g. `SCT:63360001`."""
    source: str


@dataclass(frozen=True)
class Flag:
    """A warning that belongs to a tracer, in one sentence."""

    code: str
    severity: Severity
    text: str


@dataclass(frozen=True)
class Tracer:
    """One cell-tracking system. Windows in hours on `decay_clock`."""

    id: str
    name: str
    tracer_class: TracerClass
    target: str
    nuclides: tuple[str, ...]
    modality: str
    window_low_h: float
    window_high_h: float
    decay_clock: DecayClock
    car_specific: bool
    signal_name: str
    flags: tuple[str, ...]
    evidence: Evidence
    sources: tuple[str, ...]

    @property
    def nuclide(self) -> str | None:
        """The one nuclide of this tracer; None when it has none or comes with several."""
        return self.nuclides[0] if len(self.nuclides) == 1 else None

    def half_life_h(self, nuclide: str | None = None) -> float | None:
        """Half-life in hours of `nuclide`, or of the tracer's one nuclide; else None."""
        chosen = nuclide or self.nuclide
        return NUCLIDES[chosen].half_life_h if chosen else None

    def window_for(self, nuclide: str | None = None) -> tuple[float, float]:
        """Usable window in hours for one nuclide, never beyond six of its half-lives."""
        half_life = self.half_life_h(nuclide)
        if half_life is None:
            return self.window_low_h, self.window_high_h
        limit = WINDOW_LIMIT_IN_HALF_LIVES * half_life
        return self.window_low_h, min(self.window_high_h, limit)


@dataclass(frozen=True)
class _Registry:
    nuclides: Mapping[str, Nuclide]
    flags: Mapping[str, Flag]
    tracers: Mapping[str, Tracer]


def _tracer(row: dict[str, Any]) -> Tracer:
    low, high = row.pop("window_h")
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in row.items()
    }
    return Tracer(**values, window_low_h=float(low), window_high_h=float(high))


@cache
def _registry() -> _Registry:
    text = files("analysis.tracers").joinpath("registry.yaml").read_text(encoding="utf-8")
    raw = yaml.load(text, Loader=yaml.CSafeLoader)
    nuclides = {key: Nuclide(id=key, **row) for key, row in raw["nuclides"].items()}
    flags = {key: Flag(code=key, **row) for key, row in raw["flags"].items()}
    tracers: dict[str, Tracer] = {}
    for row in raw["tracers"]:
        tracer = _tracer(row)
        if tracer.id in tracers:
            raise ValueError(f"registry.yaml: tracer id {tracer.id} occurs twice")
        tracers[tracer.id] = tracer
    return _Registry(MappingProxyType(nuclides), MappingProxyType(flags), MappingProxyType(tracers))


class _Rows(Mapping[str, T]):
    """One part of the registry, read on first use so that importing reads no file."""

    def __init__(self, part: Literal["nuclides", "flags", "tracers"]) -> None:
        self._part = part

    def _rows(self) -> Mapping[str, T]:
        rows: Mapping[str, T] = getattr(_registry(), self._part)
        return rows

    def __getitem__(self, key: str) -> T:
        return self._rows()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows())

    def __len__(self) -> int:
        return len(self._rows())


TRACERS: Mapping[str, Tracer] = _Rows[Tracer]("tracers")
NUCLIDES: Mapping[str, Nuclide] = _Rows[Nuclide]("nuclides")
FLAGS: Mapping[str, Flag] = _Rows[Flag]("flags")


def tracer_rows() -> list[dict[str, Any]]:
    """The registry as rows of the `tracer` table, one per tracer.

    A tracer that comes with several nuclides has them joined by "/" and no half-life: the
    half-life then comes from the scan's own header, never from a guess.
    """
    return [
        {
            "id": tracer.id,
            "name": tracer.name,
            "tracer_class": tracer.tracer_class,
            "nuclide": "/".join(tracer.nuclides) or None,
            "half_life_h": tracer.half_life_h(),
            "modality": tracer.modality,
            "window_low_h": tracer.window_for()[0],
            "window_high_h": tracer.window_for()[1],
            "decay_clock": tracer.decay_clock,
            "car_specific": tracer.car_specific,
            "signal_name": tracer.signal_name,
            "evidence": tracer.evidence,
        }
        for tracer in TRACERS.values()
    ]
