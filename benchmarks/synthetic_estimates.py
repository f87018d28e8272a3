"""What one synthetic trial says of its planted truths: an estimate with its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import statsmodels.api as sm
from scipy import stats

from analysis import ModelSpec, fit_logistic, fit_specification
from etl.synthetic.design import Cohort
from etl.synthetic.latent import Latent, draw_latent
from etl.synthetic.outcomes import baseline_hazard, current_value, draw_outcomes
from etl.synthetic.schedule import draw_calendar
from etl.synthetic.trial import Block, simulate_block

TRIAL, LARGE = 24, 600
"""Patients per cohort."""
KEY_DAY = 14.0
MODEL = ModelSpec(
    outcome="kinetics:CARTG:qPCR:BLOOD", question="expansion_by_group", time="visit",
    random="intercept", day_low=7, day_high=28, days=(KEY_DAY,),
)  # fmt: skip
JOINT = 160
"""Patients of a joint model: about 30 events until the last samples, on day 90."""
EVENT = ModelSpec(
    outcome="event:PFS", question="joint", exposure="kinetics:CARTG:qPCR:BLOOD", day_low=14,
    blq="censored", adjusters=("characteristic:BURDEN",),
)  # fmt: skip
RESPONSE = ModelSpec(
    outcome="response:responder", question="joint_binary", exposure="kinetics:CARTG:qPCR:BLOOD",
    day_low=0, day_high=28, landmark_day=28, blq="censored", adjusters=("characteristic:BURDEN",),
)  # fmt: skip
SHORTEST = 1e-9
"""Days at risk of an event at midnight, whose logarithm is wanted."""


@dataclass(frozen=True, slots=True)
class Found:
    """Estimate, standard error and degrees of freedom of one seed."""

    estimate: float
    std_error: float
    df: float

    def interval(self) -> tuple[float, float]:
        """95 % interval by Student's t."""
        half = stats.t.ppf(0.975, self.df) * self.std_error
        return self.estimate - half, self.estimate + half


def people(cohort: Cohort, seed: int, size: int) -> Latent:
    """One group of patients, numbered from 1."""
    return draw_latent(np.random.default_rng(seed), cohort, np.arange(1, size + 1))


def log_ratio_by_welch(cohort: Cohort, seed: int) -> Found | None:
    """Log geometric-mean ratio of Cmax, responders over others; None with a group under 3."""
    group = people(cohort, seed, TRIAL)
    log, yes = np.log(group.cmax), group.responder
    if min(yes.sum(), (~yes).sum()) < 3:
        return None
    part = [log[yes].var(ddof=1) / yes.sum(), log[~yes].var(ddof=1) / (~yes).sum()]
    variance = sum(part)
    df = variance**2 / (part[0] ** 2 / (yes.sum() - 1) + part[1] ** 2 / ((~yes).sum() - 1))
    return Found(float(log[yes].mean() - log[~yes].mean()), float(np.sqrt(variance)), float(df))


def simulated(cohort: Cohort, seed: int, size: int) -> Block:
    """One trial of one cohort."""
    rng = np.random.default_rng(seed)
    return simulate_block(rng, cohort, np.arange(1, size + 1, dtype=np.int64), 2 * size)


def blood_frame(block: Block) -> pl.DataFrame:
    """Samples of blood with the response of each patient, as a model frame."""
    group = block.latent
    level = dict(zip(group.subject_no.tolist(), group.responder.tolist(), strict=True))
    below = pl.col("value") < pl.col("lloq")
    return block.frames.kinetics.filter(
        (pl.col("assay") == "qPCR") & (pl.col("matrix") == "BLOOD")
    ).with_columns(
        usubjid=pl.col("subject_no").cast(pl.String),
        group=pl.col("subject_no")
        .replace_strict(level, return_dtype=pl.Boolean)
        .replace_strict({True: "responder", False: "non-responder"}, return_dtype=pl.String),
        censored=pl.when(below).then(pl.lit("left")).otherwise(pl.lit("none")),
        lower=pl.when(below).then(0.0),
        upper=pl.when(below).then("lloq"),
        value=pl.when(~below).then("value"),
    )


def association(cohort: Cohort, seed: int, spec: ModelSpec) -> Found | None:
    """Association of a joint question, given burden; None where there is no number."""
    block = simulated(cohort, seed, JOINT)
    burden = pl.DataFrame({"subject_no": block.latent.subject_no, "burden": block.latent.burden_z})
    events = block.frames.survival.filter(pl.col("endpoint") == "PFS").select(
        "subject_no", pl.col("time_day").alias("event_day"), event=1 - pl.col("cnsr")
    )
    frame = blood_frame(block)
    frame = frame.join(burden, on="subject_no").join(events, on="subject_no")
    fit = fit_specification(frame, spec)
    row = next((item for item in fit.estimates if item.part == "association"), None)
    if row is None or row.std_error is None:
        return None
    return Found(row.estimate, row.std_error, 1e6)


def event_by_course(cohort: Cohort, seed: int) -> Found | None:
    """Joint model of blood and progression from day 14 to the last samples, 160 patients."""
    return association(cohort, seed, EVENT)


def response_by_course(cohort: Cohort, seed: int) -> Found | None:
    """Joint model of blood until day 28 and response, 160 patients."""
    return association(cohort, seed, RESPONSE)


def log_ratio_by_model(cohort: Cohort, seed: int) -> Found | None:
    """Log ratio of blood on day 14 by the specification of the model page, one trial: planned
    visits from day 7 to 28, limits and losses as they come."""
    block = simulated(cohort, seed, TRIAL)
    group = block.latent
    if min(group.responder.sum(), (~group.responder).sum()) < 3:
        return None
    frame = blood_frame(block)
    fit = fit_specification(frame, MODEL, influence=False)
    ratio = fit.key_ratio
    if ratio is None or ratio.day != KEY_DAY or ratio.conf_high is None or ratio.df is None:
        return None
    width = float(np.log(ratio.conf_high / ratio.ratio))
    error = width / float(stats.t.ppf(0.975, ratio.df))
    return Found(float(np.log(ratio.ratio)), error, ratio.df)


def log_ratio_given_burden(cohort: Cohort, seed: int) -> Found | None:
    """Least squares of ln Cmax on response and burden, one trial."""
    group = people(cohort, seed, TRIAL)
    if not 2 <= group.responder.sum() <= TRIAL - 2:
        return None
    design = np.column_stack([np.ones(TRIAL), group.responder.astype(float), group.burden_z])
    fit = sm.OLS(np.log(group.cmax), design).fit()
    return Found(float(fit.params[1]), float(fit.bse[1]), float(fit.df_resid))


def expansion_log_odds(cohort: Cohort, seed: int) -> Found | None:
    """Logistic regression of response on log10 Cmax and burden, 600 patients, with Firth's
    penalty: maximum likelihood exaggerates log odds of this size by 0.2 standard errors."""
    group = people(cohort, seed, LARGE)
    frame = pl.DataFrame(
        {"responder": group.responder.astype(float), "burden": group.burden_z,
         "expansion": np.log10(group.cmax / cohort.expansion.cmax)}
    )  # fmt: skip
    fit = fit_logistic(frame, "responder ~ expansion + burden", penalty="firth")
    row = fit.estimates[1]
    return None if row.std_error is None else Found(row.estimate, row.std_error, 1e6)


def event_association(cohort: Cohort, seed: int) -> Found | None:
    """Poisson regression on person-days with the true current value, 600 patients: the likelihood
    of the simulated hazard itself, which is constant within a day. The day of an event counts up
    to the event; counted whole, it draws the association of a steep hazard 1 % to none."""
    rng = np.random.default_rng(seed)
    number = np.arange(1, LARGE + 1)
    group = draw_latent(rng, cohort, number)
    outcomes = draw_outcomes(rng, group, draw_calendar(rng, number, 2 * LARGE))
    day = np.arange(18, 150, dtype=np.float64) + 0.5
    event = np.floor(outcomes.pfs_day)[:, None] == np.floor(day)[None, :]
    kept = (day[None, :] < outcomes.pfs_day[:, None]) | event
    value = (current_value(group, day) - cohort.events.center)[kept]
    burden = np.broadcast_to(group.burden_z[:, None], kept.shape)[kept]
    at_risk = np.clip(outcomes.pfs_day[:, None] - np.floor(day), SHORTEST, 1.0)
    offset = np.log((baseline_hazard(cohort, day) * at_risk)[kept])
    design = sm.add_constant(np.column_stack([value, burden]))
    fit = sm.GLM(event[kept], design, family=sm.families.Poisson(), offset=offset).fit()
    return Found(float(fit.params[1]), float(fit.bse[1]), 1e6)
