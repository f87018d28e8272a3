"""What is asked of a fitted Cox model: are hazards proportional, and how well does it order?"""

from dataclasses import dataclass

from analysis.checks.proportional_hazards import (
    ProportionalityTest,
    proportional_hazards_check,
    proportional_hazards_tests,
)
from analysis.errors import UserError
from analysis.fits.guards import Problem
from analysis.fits.survival.concordance import concordance
from analysis.fits.survival.cox_fit import FittedCox
from analysis.fits.survival.result import SurvivalResult, refusal
from analysis.number_words import count
from analysis.results import Fit


@dataclass(frozen=True)
class ProportionalHazards(SurvivalResult):
    """One test per covariate, then "GLOBAL"; score tests against the Kaplan-Meier time scale."""

    tests: tuple[ProportionalityTest, ...] = ()


@dataclass(frozen=True)
class ConcordanceIndex(SurvivalResult):
    """Harrell's C of the fitted linear predictor in the patients fitted: optimistic for others."""

    estimate: float | None = None
    std_error: float | None = None
    n_pairs: int = 0


def proportional_hazards(fit: Fit) -> ProportionalHazards:
    """Tests of effects that change with time (Grambsch, Therneau 1994, as survival::cox.zph).

    Raises UserError for anything but a Cox model with its data.
    """
    fitted = _fitted(fit, "proportional hazards")
    tests = proportional_hazards_tests(fitted)
    if not tests:
        return refusal(ProportionalHazards, NO_CHANGE).replace(
            n_subjects=fit.n_subjects, n_events=fit.n_events or 0, excluded=fit.excluded
        )
    check = proportional_hazards_check(fitted)
    return ProportionalHazards(
        status="warning" if check.status == "warning" else "ok",
        reason=check.name if check.status == "warning" else None,
        sentence=check.message, n_subjects=fit.n_subjects, n_events=fit.n_events or 0,
        excluded=fit.excluded, tests=tests,
    )  # fmt: skip


def concordance_index(fit: Fit) -> ConcordanceIndex:
    """Share of comparable pairs in which the higher fitted hazard has the event first, within
    strata; standard error by the infinitesimal jackknife, as survival::concordance.

    Raises UserError for anything but a Cox model with its data.
    """
    fitted = _fitted(fit, "concordance")
    sets = fitted.sets
    found = concordance(sets.x @ fitted.found.beta, sets.exit, sets.event, sets.entry, sets.stratum)
    if found.estimate is None:
        return refusal(ConcordanceIndex, NO_PAIRS).replace(
            n_subjects=fit.n_subjects, n_events=fit.n_events or 0, excluded=fit.excluded
        )
    return ConcordanceIndex(
        "ok", None,
        f"In {100 * found.estimate:.0f} % of {count(found.n_pairs, 'pair')} the patient with the "
        "higher fitted hazard had the event first.",
        n_subjects=fit.n_subjects, n_events=fit.n_events or 0, excluded=fit.excluded,
        estimate=found.estimate, std_error=found.std_error,
        n_pairs=found.n_pairs,
    )  # fmt: skip


NO_CHANGE = Problem(
    "no_change_seen",
    "A covariate varies at one event time only, so no change with time can be seen.",
    "Wait for longer follow-up, or compare the curves.",
)
NO_PAIRS = Problem(
    "no_pairs",
    "No two patients can be compared: none outlives an event of another.",
    "Wait for longer follow-up.",
)


def _fitted(fit: Fit, purpose: str) -> FittedCox:
    if not isinstance(fit.design, FittedCox):
        raise UserError(
            f"{purpose}: a Cox model that was fitted in this session is expected, got a fit of "
            f"kind '{fit.kind}' without such a model; call fit_cox"
        )
    return fit.design
