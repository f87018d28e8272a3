"""Logistic regression of a response. `fit_logistic` is the entry point."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analysis.compute.confidence_level import require_level
from analysis.engine.binary_likelihood import binary_likelihood, chances
from analysis.engine.maximum import Maximum, maximize, profile_interval
from analysis.engine.structure import Array
from analysis.errors import UserError
from analysis.fits.guards import Problem
from analysis.fits.mixed import judged, refused
from analysis.fits.response.rows import response_rows
from analysis.fits.response.separation import separated
from analysis.fits.survival.concordance import concordance
from analysis.fits.survival.design import Covariates
from analysis.fits.survival.known_on import require_known
from analysis.fits.versions import provenance
from analysis.frames import takes_frames
from analysis.number_words import count, number
from analysis.results import Check, Estimate, Fit, finite

if TYPE_CHECKING:
    import polars as pl

KIND = "logistic regression"
PENALTIES = ("auto", "none", "firth")
NO_END = 12.0
"""Penalized log odds per standard deviation of a covariate from which groups do not overlap."""
METHOD = "Logistic regression by maximum likelihood; tests and intervals by likelihood ratio."
FIRTH = " Firth's penalty (finite under separation, less biased in small samples)."
REFERENCES = (
    "Heinze G, Schemper M. A solution to the problem of separation in logistic regression. "
    "Stat Med 2002. doi:10.1002/sim.1047",
    "Firth D. Bias reduction of maximum likelihood estimates. Biometrika 1993. "
    "doi:10.1093/biomet/80.1.27",
)


@takes_frames
def fit_logistic(
    frame: "pl.DataFrame",
    formula: str,
    *,
    subject: str | None = None,
    penalty: str = "auto",
    level: float = 0.95,
    known_on_day: Mapping[str, float] | None = None,
    assessed_on_day: float | None = None,
) -> Fit:
    """Fit a logistic regression, "responder ~ log10(cmax) + burden"; estimates are log odds ratios.

    The outcome is 1 or true for a response. subject: column of the patient; more than one row of a
    patient is refused, since they are not independent (see `fit_gee`). penalty: "firth", "none",
    or "auto" for Firth's where the covariates separate the responses. known_on_day: covariate ->
    day on which it was known; one known after `assessed_on_day` is refused.
    A model that cannot be fitted comes back not_estimable. Raises UserError for a column or option
    that does not exist.
    """
    require_level(level)
    if penalty not in PENALTIES:
        raise UserError(f"penalty {penalty!r} does not exist; use one of {', '.join(PENALTIES)}")
    if (assessed_on_day is None) != (known_on_day is None):
        raise UserError(
            "known_on_day and assessed_on_day belong together: the day each covariate was known, "
            "and the day of the response that it must come before; give both or none"
        )
    if assessed_on_day is not None:
        require_known(known_on_day, assessed_on_day, None, frame.columns)
    rows = response_rows(frame, formula, subject)
    shell = Fit(
        kind=KIND, status="not_estimable", reason=None, sentence="", formula=formula,
        group=subject or "", reml=False, inference="likelihood_ratio", conf_level=level,
        inference_note="Likelihood ratio: with few patients Wald's tests of log odds fail.",
        method=METHOD, references=REFERENCES, provenance=provenance(),
    )  # fmt: skip
    if isinstance(rows, Problem):
        return refused(shell, rows)
    shell = shell.replace(
        excluded=rows.excluded, n_subjects=len(rows.response), n_observations=len(rows.response),
        n_events=int(rows.response.sum()),
    )  # fmt: skip
    fitted = FittedLogistic(rows.design, rows.response, level, penalty == "firth")
    if penalty == "auto" and fitted.diverges:
        fitted = FittedLogistic(rows.design, rows.response, level, True)
    if fitted.diverges:
        return refused(shell, FAR_APART if fitted.firth else SEPARATED)
    return _answered(shell, fitted)


SEPARATED = Problem(
    "separation",
    "The covariates separate responders from non-responders, so an estimate has no end.",
    "Ask for penalty='firth', or show the values of both groups.",
)
FAR_APART = Problem(
    "separation",
    "The covariates separate responders from non-responders with so little near the border that "
    "even a penalized estimate is beyond all reason.",
    "Show the values of both groups, or ask for fewer covariates.",
)


@dataclass(eq=False)
class FittedLogistic:
    """Design and maximum; the first coefficient is the intercept. Held by `Fit.design`."""

    design: Covariates
    response: NDArray[np.bool_]
    level: float
    firth: bool

    def __post_init__(self) -> None:
        """Search at once: everything else is asked of the maximum."""
        self.x = np.column_stack([np.ones(len(self.response)), self.design.scaled])
        self.likelihood = binary_likelihood(self.x, self.response.astype(float), firth=self.firth)
        self.found: Maximum = maximize(self.likelihood, np.zeros(self.x.shape[1]))

    @property
    def diverges(self) -> bool:
        """Whether an estimate has no end, or under the penalty one that says no more than that."""
        far = float(np.abs(self.found.beta[1:]).max(initial=0.0)) > NO_END
        return not self.found.converged or (self.separated and (far or not self.firth))

    @cached_property
    def separated(self) -> bool:
        """Whether the covariates separate the responses."""
        return separated(self.x, self.response)

    @property
    def log_likelihood(self) -> float:
        """At the maximum; Firth's penalty holds the information on the scale of the data."""
        units = float(np.log(self.design.scale).sum()) if self.firth else 0.0
        return self.found.value + units

    @property
    def chances(self) -> Array:
        """Fitted probability of each patient."""
        return chances(self.x, self.found.beta)

    def estimates(self) -> tuple[Estimate, ...]:
        """Intercept (at the covariates' zero) and covariates, on the scale of the data."""
        covariance: Array = np.asarray(np.linalg.pinv(self.found.information, hermitian=True))
        slope = self.found.beta[1:] / self.design.scale
        back = np.append(1.0, -self.design.center / self.design.scale)
        intercept = Estimate(
            "Intercept",
            float(self.found.beta[0] - slope @ self.design.center),
            float(np.sqrt(back @ covariance @ back)),
        )
        return (intercept, *(self._estimate(i, covariance) for i in range(1, self.x.shape[1])))

    def _estimate(self, index: int, covariance: Array) -> Estimate:
        from scipy.stats import chi2

        scale = float(self.design.scale[index - 1])
        held = self.found.beta.copy()
        held[index] = 0.0
        others = np.array([i for i in range(len(held)) if i != index], dtype=np.intp)
        null = maximize(self.likelihood, held, others)
        statistic = max(2 * (self.found.value - null.value), 0.0)
        ends = profile_interval(self.likelihood, self.found, index, chi2.ppf(self.level, 1) / 2)
        low, high = (None if end is None else end / scale for end in ends)
        return Estimate(
            self.design.names[index - 1], float(self.found.beta[index]) / scale,
            float(np.sqrt(covariance[index, index])) / scale, None, finite(statistic),
            float(chi2.sf(statistic, 1)), low, high,
        )  # fmt: skip


def _answered(shell: Fit, fitted: FittedLogistic) -> Fit:
    checks = logistic_checks(fitted)
    status, reason, advice = judged(checks)
    fit = shell.replace(
        method=METHOD + FIRTH * fitted.firth, estimates=fitted.estimates(),
        log_likelihood=fitted.log_likelihood, criterion=-2 * fitted.log_likelihood, checks=checks,
        status=status, reason=reason, advice=advice, design=fitted,
    )  # fmt: skip
    return fit.replace(sentence=logistic_sentence(fit))


def logistic_checks(fitted: FittedLogistic) -> tuple[Check, ...]:
    """Responses per estimate, separation, and how well the groups are told apart."""
    rarer = int(min(fitted.response.sum(), (~fitted.response).sum()))
    p = len(fitted.design.names)
    each = rarer / p
    words = f"{rarer} patients in the smaller group for {count(p, 'estimate')}"
    found = [Check("responses_per_estimate", "ok", f"{words}.", each)]
    if each < 10:
        found = [
            Check(
                "responses_per_estimate",
                "warning" if each < 5 else "note",
                f"{words}: fewer than {'five' if each < 5 else 'ten'} for each. Estimates are "
                "biased away from no effect; ask for fewer covariates.",
                each,
            )
        ]
    if fitted.separated:
        found.append(
            Check(
                "separation", "warning",
                "The covariates separate the responses, so Firth's penalty was taken; read the "
                "interval, not the estimate.",
            )
        )  # fmt: skip
    area = concordance(
        fitted.chances, np.where(fitted.response, 0.0, 1.0), fitted.response
    ).estimate
    if area is not None:
        text = f"The area under the ROC curve, responders against others, is {area:.2f}"
        found.append(Check("discrimination", "ok", f"{text}, in the patients fitted.", area))
    return tuple(found)


def logistic_sentence(fit: Fit) -> str:
    """One covariate: its odds ratio; several: how many patients there are."""
    facts = f"{fit.n_events or 0} of {count(fit.n_subjects, 'patient')} responded"
    caution = "" if fit.status == "ok" else f" Caution: {fit.advice}"
    rows = fit.estimates[1:]
    if len(rows) != 1:
        return f"The logistic regression was fitted ({facts}).{caution}"
    row = rows[0]
    low, high = (
        "without end" if end is None else number(float(np.exp(end)))
        for end in (row.conf_low, row.conf_high)
    )
    ratio = number(float(np.exp(row.estimate)))
    text = f"The odds of a response were {ratio} times higher for each unit more of {row.term}"
    if row.estimate < 0:
        ratio = number(float(np.exp(-row.estimate)))
        text = f"The odds of a response were {ratio} times lower for each unit more of {row.term}"
    return f"{text} (odds ratio {100 * fit.conf_level:g} % CI {low} to {high}; {facts}).{caution}"
