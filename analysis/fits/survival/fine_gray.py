"""Regression of a cumulative incidence: proportional subdistribution hazards.

Patients with a competing event stay at risk, weighted by the chance of not yet being censored.
Fine JP, Gray RJ, J Am Stat Assoc 1999, doi:10.1080/01621459.1999.10474144.
Who is censored on the day of an event is weighted as R's cmprsk does; R's survival::finegray takes
it for later: the same where no day is shared, the third digit of mgus2, whose times are months.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analysis.compute.confidence_level import require_level
from analysis.engine.maximum import maximize
from analysis.engine.structure import Array
from analysis.fits.guards import Problem
from analysis.fits.mixed import judged, refused
from analysis.fits.survival.cox_fit import runs_away
from analysis.fits.survival.cumulative_incidence import causes_of
from analysis.fits.survival.design import covariate_names, covariates_of
from analysis.fits.survival.rows import event_rows
from analysis.fits.versions import provenance
from analysis.frames import takes_frames
from analysis.number_words import count
from analysis.results import Check, Estimate, Fit

if TYPE_CHECKING:
    import polars as pl

KIND = "subdistribution hazards model"
METHOD = (
    "Fine-Gray model of the cumulative incidence of {cause}; competing events stay at risk with "
    "inverse probability of censoring weights; robust variance that counts the weights."
)
REFERENCES = (
    "Fine JP, Gray RJ. A proportional hazards model for the subdistribution of a competing risk. "
    "J Am Stat Assoc 1999. doi:10.1080/01621459.1999.10474144",
)


@takes_frames
def fit_fine_gray(
    frame: "pl.DataFrame",
    formula: str,
    time: str,
    event: str,
    cause: str,
    of: str,
    *,
    level: float = 0.95,
) -> Fit:
    """Fit the incidence of the cause `of`; estimates are log subdistribution hazard ratios.

    event: 1 where any event ended the follow-up; cause: which. A model that cannot be fitted comes
    back not_estimable. Raises UserError for a column that does not exist.
    """
    require_level(level)
    names = covariate_names(formula, frame.columns, event)
    rows = event_rows(frame, time, event, None, names)
    shell = Fit(
        kind=KIND, status="not_estimable", reason=None, sentence="", formula=formula, reml=False,
        inference="wald", conf_level=level, method=METHOD.format(cause=of),
        inference_note="Normal intervals, robust variance.", references=REFERENCES,
        provenance=provenance(),
    )  # fmt: skip
    if isinstance(rows, Problem):
        return refused(shell, rows)
    labels, codes = causes_of(rows, cause)
    events = int((codes == labels.index(of)).sum()) if of in labels else 0
    shell = shell.replace(
        excluded=rows.excluded, n_subjects=len(rows.time), n_observations=len(rows.time),
        n_events=events,
    )  # fmt: skip
    if not events:
        return refused(
            shell,
            Problem("no_events", f"Nobody had {of}.", "Name a cause that was seen: "
                    f"{', '.join(labels) or 'none was'}."),
        )  # fmt: skip
    design = covariates_of(rows.frame, formula, event)
    if isinstance(design, Problem):
        return refused(shell, design)
    sets = _Weighted(design.scaled, rows.time, codes, labels.index(of))
    found = maximize(sets.likelihood, np.zeros(len(design.names)))
    none = sets.likelihood(np.zeros(len(design.names)))[2]
    if not found.converged or runs_away(found.beta, none, found.information):
        return refused(shell, NO_END)
    errors = np.sqrt(np.diag(sets.sandwich(found.beta))) / design.scale
    estimates = _estimates(design.names, found.beta / design.scale, errors, level)
    each = events / len(design.names)
    check = Check(
        "events_per_estimate", "ok" if each >= 10 else "warning" if each < 5 else "note",
        f"{count(events, 'event')} for {count(len(design.names), 'estimate')}.", each,
    )  # fmt: skip
    status, reason, advice = judged((check,))
    return shell.replace(
        estimates=estimates, log_likelihood=found.value, criterion=-2 * found.value,
        checks=(check,), status=status, reason=reason, advice=advice,
        sentence=f"The incidence of {of} was modeled in {count(len(rows.time), 'patient')}, "
        f"{count(events, 'event')}.",
    )  # fmt: skip


NO_END = Problem(
    "monotone_likelihood",
    "An estimate has no end: the covariates order the events, completely or in one category.",
    "Join or leave out the rare category, or show the curves instead.",
)


def _estimates(
    names: tuple[str, ...], values: Array, errors: Array, level: float
) -> tuple[Estimate, ...]:
    from scipy.stats import norm

    width = float(norm.ppf(0.5 + level / 2))
    return tuple(
        Estimate(
            name, float(value), float(error), None, float(value / error),
            float(2 * norm.sf(abs(value / error))), float(value - width * error),
            float(value + width * error),
        )
        for name, value, error in zip(names, values, errors, strict=True)
    )  # fmt: skip


class _Weighted:
    """Risk sets of the subdistribution: (event times, rows) weights."""

    def __init__(self, x: Array, time: Array, codes: NDArray[np.intp], cause: int) -> None:
        self.x, self.time, self.codes = x, time, codes
        self.own = codes == cause
        self.competing = (codes >= 0) & ~self.own
        self.times = np.unique(time[self.own])
        self.events = np.array([(self.own & (time == t)).sum() for t in self.times], dtype=float)
        self.censor_times, self.free = _free_of_censoring(time, codes)
        at_event = self._free_before(self.times)
        at_own = self._free_before(time)
        self.weight = (time[None] >= self.times[:, None]).astype(float)
        later = (time[None] < self.times[:, None]) & self.competing[None]
        with np.errstate(divide="ignore", invalid="ignore"):
            kept = np.minimum(at_event[:, None] / at_own[None], 1.0)
        self.weight = np.where(later, kept, self.weight)

    def _free_before(self, times: Array) -> Array:
        """Chance of not being censored before each time."""
        place = np.searchsorted(self.censor_times, times, side="left")
        return np.append(1.0, self.free)[place]

    def _moments(self, beta: Array) -> tuple[Array, Array, Array, Array]:
        risk = np.exp(self.x @ beta - (self.x @ beta).max())
        weighted = self.weight * risk
        total = weighted.sum(axis=1)
        mean = weighted @ self.x / total[:, None]
        return risk, weighted, total, mean

    def likelihood(self, beta: Array) -> tuple[float, Array, Array]:
        """Value, score and information, ties by Breslow."""
        _, weighted, total, mean = self._moments(beta)
        linear = self.x @ beta
        value = float(linear[self.own].sum() - self.events @ (np.log(total) + linear.max()))
        score = self.x[self.own].sum(axis=0) - self.events @ mean
        share = (self.events / total)[:, None] * weighted
        second = np.einsum("er,ri,rj->ij", share, self.x, self.x)
        return value, score, second - np.einsum("e,ei,ej->ij", self.events, mean, mean)

    def sandwich(self, beta: Array) -> Array:
        """Variance of Fine and Gray: scores of the patients and what the weights add."""
        risk, weighted, total, mean = self._moments(beta)
        hazard = self.events / total
        inverse = np.linalg.inv(self.likelihood(beta)[2])
        place = np.searchsorted(self.times, self.time[self.own])
        eta = -np.einsum("er,erp->rp", hazard[:, None] * weighted, self.x[None] - mean[:, None])
        eta[self.own] += self.x[self.own] - mean[place]
        parts = (eta + self._weights_part(risk, mean, hazard)) @ inverse
        return np.asarray(parts.T @ parts)

    def _weights_part(self, risk: Array, mean: Array, hazard: Array) -> Array:
        """What estimating the chance of censoring adds to each patient."""
        found = np.zeros_like(self.x)
        for u in self.censor_times:
            at_risk = self.time >= u
            censored = (self.codes < 0) & (self.time == u)
            # Patients with a competing event before u who are still counted at events from u on.
            after = self.times >= u
            earlier = self.competing & (self.time < u)
            if not after.any() or not earlier.any():
                continue
            part = self.weight[np.ix_(after, earlier)] * risk[earlier] * hazard[after][:, None]
            q = np.einsum("er,erp->p", part, self.x[earlier][None] - mean[after][:, None])
            share = q / at_risk.sum()
            found[censored] += share
            found[at_risk] -= share * censored.sum() / at_risk.sum()
        return found


def _free_of_censoring(time: Array, codes: NDArray[np.intp]) -> tuple[Array, Array]:
    """Kaplan-Meier curve of the censoring at its times."""
    times = np.unique(time[codes < 0])
    at_risk = np.array([(time >= t).sum() for t in times], dtype=float)
    left = np.array([((codes < 0) & (time == t)).sum() for t in times], dtype=float)
    return times, np.cumprod(1 - left / at_risk)
