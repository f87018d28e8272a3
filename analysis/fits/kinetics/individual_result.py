"""What a fit of one patient's kinetic curve returns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from analysis.results import Check, Status
from analysis.serialized import Serialized


class KineticParameter(NamedTuple):
    """One parameter; estimate null when the data do not determine it, a bound null when the
    likelihood sets none. note says so in words. Times in days, cmax in the unit of the assay."""

    name: str
    estimate: float | None
    conf_low: float | None
    conf_high: float | None
    note: str = ""


class FittedSample(NamedTuple):
    """One sample; residual in units of the residual spread, null for one known by bounds only."""

    day: float
    fitted: float
    residual: float | None


class Candidate(NamedTuple):
    """One form of the curve: likelihood, corrected Akaike criterion, or why it was not fitted."""

    form: str
    log_likelihood: float | None
    aicc: float | None
    note: str = ""


@dataclass(frozen=True)
class KineticsFit(Serialized):
    """Curve of one patient. sigma: residual SD in natural logs. No number if not estimable."""

    ROWS: ClassVar[Mapping[str, type]] = {
        "parameters": KineticParameter, "samples": FittedSample, "candidates": Candidate,
        "checks": Check,
    }  # fmt: skip

    status: Status
    reason: str | None
    sentence: str
    advice: str = ""
    form: str = ""
    parameters: tuple[KineticParameter, ...] = ()
    sigma: float | None = None
    log_likelihood: float | None = None
    n_observations: int = 0
    n_censored: int = 0
    conf_level: float = 0.95
    candidates: tuple[Candidate, ...] = ()
    samples: tuple[FittedSample, ...] = ()
    checks: tuple[Check, ...] = ()

    def parameter(self, name: str) -> KineticParameter | None:
        """The parameter of that name, None when the curve has none."""
        return next((item for item in self.parameters if item.name == name), None)
