"""What a fit says: frozen, comparable, serializable. Numbers, checks, one sentence, provenance.

Undefined numbers are None, never nan or inf, so that the JSON is valid and a round trip is exact:
`Fit.from_dict(json.loads(json.dumps(fit.to_dict()))) == fit`.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from analysis.result_rows import (
    Check,
    CurvePoint,
    Estimate,
    Excluded,
    GeometricMeanRatio,
    InfluencePoint,
    Provenance,
    ResidualPoint,
    SensitivityRow,
    Status,
    VarianceComponent,
    WaldTest,
    finite,
)

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "Check",
    "CurvePoint",
    "Estimate",
    "Excluded",
    "Fit",
    "GeometricMeanRatio",
    "InfluencePoint",
    "Provenance",
    "ResidualPoint",
    "SensitivityRow",
    "Status",
    "VarianceComponent",
    "WaldTest",
    "finite",
    "plain",
]


@dataclass(frozen=True)
class Fit:
    """Result of a statistical model. No number is carried by a fit that is not estimable.

    criterion: -2 log-likelihood, restricted (REML) or full (ML), comparable with lme4's.
    key_index: which of `ratios` the sentence is about.
    residual, crossed, weights, context: as `fit_mixed` takes them.
    covariance: of the random effects, "full" or "diagonal". inference: the method used for single
    effects, joint_inference: for joint tests, inference_note why, seed: of simulated inference.
    limits: columns of the lower and upper limits of a censored model. advice: what to do when the
    status is not ok. design: the fitted matrices, in memory only,
    outside equality and JSON.
    """

    kind: str
    status: Status
    reason: str | None
    sentence: str
    advice: str = ""
    formula: str = ""
    group: str = ""
    random: str = ""
    nested: tuple[str, ...] = ()
    covariance: str = "full"
    residual: str = "independent"
    crossed: tuple[str, ...] = ()
    weights: str = ""
    context: str = ""
    limits: tuple[str, ...] = ()
    reml: bool = True
    estimates: tuple[Estimate, ...] = ()
    variance_components: tuple[VarianceComponent, ...] = ()
    log_likelihood: float | None = None
    criterion: float | None = None
    n_subjects: int = 0
    n_observations: int = 0
    n_censored: int = 0
    n_events: int | None = None
    excluded: tuple[Excluded, ...] = ()
    inference: str = "wald"
    joint_inference: str = ""
    inference_note: str = ""
    seed: int | None = None
    conf_level: float = 0.95
    checks: tuple[Check, ...] = ()
    ratios: tuple[GeometricMeanRatio, ...] = ()
    key_index: int = 0
    interaction: WaldTest | None = None
    group_test: WaldTest | None = None
    icc: float | None = None
    r_squared_marginal: float | None = None
    curves: tuple[CurvePoint, ...] = ()
    residuals: tuple[ResidualPoint, ...] = ()
    influence: tuple[InfluencePoint, ...] = ()
    sensitivity: tuple[SensitivityRow, ...] = ()
    method: str = ""
    references: tuple[str, ...] = ()
    code: str = ""
    spec: Mapping[str, Any] | None = None
    provenance: Provenance = field(default_factory=Provenance)
    design: Any = field(default=None, compare=False, repr=False)

    @property
    def n_excluded(self) -> int:
        """All rows left out, whatever the reason."""
        return sum(row.n for row in self.excluded)

    @property
    def key_ratio(self) -> GeometricMeanRatio | None:
        """The ratio the sentence is about; None when there is none."""
        return self.ratios[self.key_index] if self.ratios else None

    def table(self) -> "pl.DataFrame":
        """Fixed effects: term, estimate, std_error, df, statistic, p_value, conf_low, conf_high.

        A fit of several parts names the part of each row in a column `part` before them.
        """
        import polars as pl

        apart = ("part", "caution")
        names = [item.name for item in dataclasses.fields(Estimate) if item.name not in apart]
        if any(estimate.part for estimate in self.estimates):
            names = ["part", *names]
        text = ("part", "term")
        schema = {name: pl.String if name in text else pl.Float64 for name in names}
        rows = [[getattr(estimate, name) for name in names] for estimate in self.estimates]
        return pl.DataFrame(rows, schema=schema, orient="row")

    def variance_table(self) -> "pl.DataFrame":
        """Variance components: group, term_1, term_2, variance, sd_or_corr."""
        import polars as pl

        names = VarianceComponent._fields
        schema = {
            name: pl.Float64 if name in ("variance", "sd_or_corr") else pl.String for name in names
        }
        return pl.DataFrame(list(self.variance_components), schema=schema, orient="row")

    def contrast(
        self,
        at: Mapping[str, Any],
        against: Mapping[str, Any] | None = None,
        *,
        frame: "pl.DataFrame | None" = None,
    ) -> Estimate:
        """Mean at chosen values, or its difference from another, with degrees of freedom: see
        `analysis.fits.marginal`. frame: the data, for a fit restored from JSON."""
        from analysis.fits.marginal import contrast

        return contrast(self, at, against, frame)

    def check(self, name: str) -> Check | None:
        """The check of that name, None when it was not made."""
        return next((item for item in self.checks if item.name == name), None)

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; named tuples become objects; `design` is left out."""
        return {
            item.name: plain(getattr(self, item.name))
            for item in dataclasses.fields(self)
            if item.name != "design"
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The fit that `to_dict` described. Raises ValueError for a field that does not exist."""
        known = {item.name for item in dataclasses.fields(cls)} - {"design"}
        unknown = sorted(set(content) - known)
        if unknown:
            raise ValueError(
                f"a stored fit has the unknown field {unknown[0]!r}; it was written "
                "by another version of the program, fit it again"
            )
        return cls(**{name: _restored(name, value) for name, value in content.items()})


_ROWS: Mapping[str, type] = {
    "estimates": Estimate,
    "variance_components": VarianceComponent,
    "excluded": Excluded,
    "checks": Check,
    "ratios": GeometricMeanRatio,
    "curves": CurvePoint,
    "residuals": ResidualPoint,
    "influence": InfluencePoint,
    "sensitivity": SensitivityRow,
}
_OBJECTS: Mapping[str, type] = {"interaction": WaldTest, "group_test": WaldTest}


def plain(value: Any) -> Any:
    """Plain JSON types: objects for dataclasses and named tuples, None for nan and infinity."""
    if isinstance(value, float):
        return finite(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: plain(item) for name, item in value._asdict().items()}
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return value


def _restored(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _ROWS:
        return tuple(_ROWS[name](**row) for row in value)
    if name in _OBJECTS:
        return _OBJECTS[name](**value)
    if name == "provenance":
        libraries = tuple((library, version) for library, version in value["libraries"])
        return Provenance(**{**value, "libraries": libraries})
    return tuple(value) if isinstance(value, list) else value
