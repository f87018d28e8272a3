"""Response by exposure: first the smooth test of all patients, then rates in thirds to look at.

Thirds throw away most of the exposure, and their edges are chosen by the sample: they are shown
beside the spline's test and never tested themselves.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analysis.compute.intervals import Proportion, proportion
from analysis.engine.binary_likelihood import binary_likelihood
from analysis.engine.maximum import maximize
from analysis.engine.structure import Array
from analysis.fits.guards import Problem
from analysis.fits.response.rows import (
    binary,
    complete_rows,
    exposures,
    one_answer,
    repeated_problem,
)
from analysis.fits.response.separation import separated
from analysis.fits.survival.result import SurvivalResult, refusal
from analysis.frames import takes_frames
from analysis.number_words import count, number

if TYPE_CHECKING:
    import polars as pl

LEAST_PATIENTS = 15


@dataclass(frozen=True)
class ExposureThird:
    """One third: its exposures and the exact rate."""

    low: float
    high: float
    rate: Proportion


@dataclass(frozen=True)
class ExposureResponse(SurvivalResult):
    """p_value: any relation (natural spline of the exposure against none); p_curvature: a curve
    against a straight line of log odds; both by likelihood ratio."""

    statistic: float | None = None
    df: int | None = None
    p_value: float | None = None
    p_curvature: float | None = None
    thirds: tuple[ExposureThird, ...] = ()


@takes_frames
def response_by_exposure(
    frame: "pl.DataFrame",
    response: str,
    exposure: str,
    *,
    spline_df: int = 3,
    subject: str | None = None,
) -> ExposureResponse:
    """Test the relation by a natural spline, and give the rates in thirds of the exposure.

    subject: column of the patient; more than one row of a patient is refused. A relation that
    cannot be tested comes back not_estimable, with its thirds. Raises UserError for a
    column that does not exist.
    """
    kept, excluded = complete_rows(frame, response, f"`{exposure}`", subject)
    repeated = repeated_problem(kept, subject)
    if repeated is not None:
        return refusal(ExposureResponse, repeated).replace(excluded=excluded)
    y = binary(kept, response)
    x = exposures(kept, exposure)
    problem = one_answer(y, response) or _exposure_problem(x, exposure)
    thirds = thirds_of(x, y) if len(x) >= 3 else ()
    if problem is not None:
        found = refusal(ExposureResponse, problem)
        return found.replace(n_subjects=len(y), n_events=int(y.sum()), thirds=thirds)
    values = [
        _value(design, y)
        for design in (np.ones((len(x), 1)), _line(x), _curve(kept, exposure, spline_df))
    ]
    if any(value is None for value in values):
        found = refusal(
            ExposureResponse,
            Problem(
                "separation",
                f"{exposure} separates the responses, so the curve has no end.",
                "Read the thirds, or fit one slope with a penalty (fit_logistic).",
            ),
        )
        return found.replace(n_subjects=len(y), n_events=int(y.sum()), thirds=thirds)
    return _tested(
        [float(value or 0.0) for value in values], spline_df, exposure, y, thirds
    ).replace(excluded=excluded)


def _exposure_problem(x: Array, exposure: str) -> Problem | None:
    if len(x) < LEAST_PATIENTS:
        return Problem(
            "too_few_subjects",
            f"{count(len(x), 'patient')} cannot carry a curve; about {LEAST_PATIENTS} are needed.",
            "Show the values of responders and others.",
        )
    if len(np.unique(x)) < 5:
        return Problem(
            "few_exposures",
            f"{exposure} has {len(np.unique(x))} distinct values only.",
            "Compare the groups instead.",
        )
    return None


def thirds_of(x: Array, y: NDArray[np.bool_]) -> tuple[ExposureThird, ...]:
    """Patients in order of exposure in three parts; equal exposures stay together."""
    edges = np.quantile(x, [1 / 3, 2 / 3])
    part = np.searchsorted(edges, x, side="left")
    return tuple(
        ExposureThird(
            float(x[part == k].min()),
            float(x[part == k].max()),
            proportion(int(y[part == k].sum()), int((part == k).sum())),
        )
        for k in range(3)
        if (part == k).any()
    )


def _line(x: Array) -> Array:
    return np.column_stack([np.ones(len(x)), (x - x.mean()) / x.std()])


def _curve(frame: "pl.DataFrame", exposure: str, df: int) -> Array:
    from analysis.fits import formulas

    data = frame.select(_x=frame[exposure].cast(float)).with_columns(_y=1.0)
    formula = f"_y ~ cr(_x, df={df}, constraints='center')"
    x = formulas.build_matrices(data, formula, "1").x
    scale = np.append(1.0, x[:, 1:].std(axis=0))
    return np.asarray(x / scale)


def _value(x: Array, y: NDArray[np.bool_]) -> float | None:
    found = maximize(binary_likelihood(x, y.astype(float), firth=False), np.zeros(x.shape[1]))
    return found.value if found.converged and not separated(x, y) else None


def _tested(
    values: list[float], spline_df: int, exposure: str, y: NDArray[np.bool_],
    thirds: tuple[ExposureThird, ...],
) -> ExposureResponse:  # fmt: skip
    from scipy.stats import chi2

    none, line, curve = values
    statistic = max(2 * (curve - none), 0.0)
    p_value = float(chi2.sf(statistic, spline_df))
    bend = float(chi2.sf(max(2 * (curve - line), 0.0), spline_df - 1))
    rates = ", ".join(
        f"{third.rate.successes} of {third.rate.n} from {number(third.low)} to {number(third.high)}"
        for third in thirds
    )
    clear = "goes with" if p_value < 0.05 else "has no clear relation to"
    return ExposureResponse(
        status="ok", reason=None,
        sentence=f"The response {clear} {exposure} (spline test p {p_value:.2g}; {rates}).",
        n_subjects=len(y), n_events=int(y.sum()), statistic=statistic, df=spline_df,
        p_value=p_value, p_curvature=bend, thirds=thirds,
    )  # fmt: skip
