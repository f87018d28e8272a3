"""A response seen several times in a patient: population-averaged logistic regression.

Lesions of one patient, or visits, are not independent. The sandwich variance is too small with few
patients; Mancl and DeRouen's correction and t with patients minus estimates keep the level.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.compute.confidence_level import require_level
from analysis.fits import statsmodels_bridge as bridge
from analysis.fits.guards import Problem
from analysis.fits.mixed import judged, refused
from analysis.fits.response.rows import ResponseRows, response_rows
from analysis.fits.response.separation import separated
from analysis.fits.versions import provenance
from analysis.frames import takes_frames
from analysis.number_words import count
from analysis.results import Check, Estimate, Fit, finite

if TYPE_CHECKING:
    import polars as pl

KIND = "generalized estimating equations"
FEW_PATIENTS = 20
METHOD = (
    "Logistic regression by generalized estimating equations, exchangeable working correlation "
    "within the patient; variance corrected for few patients (Mancl, DeRouen), t with patients "
    "minus estimates degrees of freedom. By statsmodels GEE."
)
REFERENCES = (
    "Liang KY, Zeger SL. Longitudinal data analysis using generalized linear models. Biometrika "
    "1986. doi:10.1093/biomet/73.1.13",
    "Mancl LA, DeRouen TA. A covariance estimator for GEE with improved small-sample properties. "
    "Biometrics 2001. doi:10.1111/j.0006-341X.2001.00126.x",
)


@takes_frames
def fit_gee(frame: "pl.DataFrame", formula: str, subject: str, *, level: float = 0.95) -> Fit:
    """Fit "responded ~ covariates" to repeated rows of patients; estimates are log odds ratios.

    A model that cannot be fitted comes back not_estimable. Raises UserError for a column that does
    not exist.
    """
    require_level(level)
    rows = response_rows(frame, formula, subject, repeated=True)
    shell = Fit(
        kind=KIND, status="not_estimable", reason=None, sentence="", formula=formula,
        group=subject, reml=False, inference="robust_t", conf_level=level,
        inference_note="Robust variance corrected for few patients.", method=METHOD,
        references=REFERENCES, provenance=provenance(),
    )  # fmt: skip
    if isinstance(rows, Problem):
        return refused(shell, rows)
    patients = rows.frame[subject].n_unique()
    shell = shell.replace(
        excluded=rows.excluded, n_subjects=patients, n_observations=len(rows.response),
        n_events=int(rows.response.sum()),
    )  # fmt: skip
    df = patients - rows.design.scaled.shape[1] - 1
    if df < 1:
        return refused(
            shell,
            Problem(
                "too_few_subjects",
                f"{count(patients, 'patient')} cannot carry "
                f"{count(len(rows.design.names) + 1, 'estimate')}.",
                "Ask for fewer covariates.",
            ),
        )
    x = np.column_stack([np.ones(len(rows.response)), rows.design.scaled])
    groups = rows.frame[subject].cast(str).to_numpy()
    if separated(x, rows.response):
        return refused(shell, SEPARATED)
    result = bridge.binary_gee(rows.response.astype(float), x, groups)
    if result is None:
        return refused(shell, NOT_CONVERGED)
    return _answered(shell, rows, result, df)


SEPARATED = Problem(
    "separation",
    "The covariates separate the responses, so an estimate has no end.",
    "Ask for fewer covariates, or one row per patient with a penalty (fit_logistic).",
)
NOT_CONVERGED = Problem(
    "not_converged",
    "No solution of the estimating equations was found.",
    "Ask for fewer covariates, or one row per patient with a penalty (fit_logistic).",
)


def _answered(shell: Fit, rows: ResponseRows, result: Any, df: int) -> Fit:
    from scipy.stats import t

    back = np.eye(len(result.params))
    back[0, 1:] = -rows.design.center / rows.design.scale
    back[1:, 1:] /= rows.design.scale[:, None]
    values = back @ np.asarray(result.params)
    errors = np.sqrt(np.diag(back @ np.asarray(result.cov_params()) @ back.T))
    width = float(t.ppf(0.5 + shell.conf_level / 2, df))
    estimates = tuple(
        Estimate(
            name, float(value), float(error), float(df), finite(value / error),
            float(2 * t.sf(abs(value / error), df)), float(value - width * error),
            float(value + width * error),
        )
        for name, value, error in zip(
            ("Intercept", *rows.design.names), values, errors, strict=True
        )
    )  # fmt: skip
    share = float(result.model.cov_struct.dep_params)
    checks = (
        Check(
            "within_patient", "note",
            f"Rows of one patient correlate by {share:.2f} (working correlation).", share,
        ),
        _patients(shell.n_subjects),
    )  # fmt: skip
    status, reason, advice = judged(checks)
    caution = "" if status == "ok" else f" Caution: {advice}"
    facts = f"{count(shell.n_observations, 'row')} of {count(shell.n_subjects, 'patient')}"
    return shell.replace(
        estimates=estimates, checks=checks, status=status, reason=reason, advice=advice,
        sentence=f"The regression for repeated responses was fitted to {facts}.{caution}",
    )  # fmt: skip


def _patients(n: int) -> Check:
    if n >= FEW_PATIENTS:
        return Check("enough_subjects", "ok", f"{n} patients.", float(n))
    return Check(
        "enough_subjects", "warning",
        f"{n} patients: below {FEW_PATIENTS} even the corrected variance is rough; compare with "
        "one row per patient.", float(n),
    )  # fmt: skip
