"""Does the hazard of an event, or the odds of response, go with the true course of the signal?

The mean course is a natural spline of log(1 + day); patients differ in level and in slope over
log(1 + day), for a joint model integrates over few random effects. On synthetic trials whose true
curves bend, what this costs is measured by `benchmarks.synthetic`, row "event by course".
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from analysis.exposure_rules import RESPONSES
from analysis.fits.joint.alternatives import joint_alternatives
from analysis.fits.joint.binary import fit_joint_binary
from analysis.fits.joint.event_account import LeftOut, few_events
from analysis.fits.joint.model import fit_joint
from analysis.fits.joint_question_rows import CourseRows, course_rows
from analysis.fits.mixed import judged, refused
from analysis.fits.recipe import named_signal, snippet
from analysis.fits.versions import provenance
from analysis.joint_rules import ASSOCIATIONS, EVENT_OF_A_PATIENT
from analysis.number_words import count
from analysis.results import Check, Excluded, Fit
from analysis.sentences import as_asked, signal_phrase
from analysis.specs import BLQ_RULES, TRANSFORMS, ModelSpec, adjuster_column

if TYPE_CHECKING:
    import polars as pl

COURSE = (
    "Patients' own courses are reduced to a level and a slope over log(1 + day); a course that "
    "bends otherwise is missed."
)
MANY = 0.25
"""Share of the events behind the last measured day from which the answer is doubted: with half of
them there, synthetic associations came out 7 % too small (300 trials of 80 patients)."""


def fit_joint_question(
    frame: "pl.DataFrame",
    spec: ModelSpec,
    n_excluded: Sequence[Excluded | tuple[str, int]] = (),
    signal_words: Any = None,
) -> Fit:
    """Answer "joint" or "joint_binary"; columns of the frame: `analysis.specs`.

    Rows of the fit name their part (longitudinal, event or response, association). Under "joint"
    the two-stage, carried-forward and landmark analyses stand in `sensitivity`.
    Raises UserError for a frame without the columns of the question.
    """
    rows = course_rows(frame, spec)
    fit = _fit(rows, spec, signal_words)
    if spec.question == "joint" and fit.estimates:
        fit = _beside(_doubted(fit, rows), spec)
    before = tuple(Excluded(str(reason), int(n)) for reason, n in n_excluded)
    if fit.reason == "too_few_events":
        fit = _accounted(fit, rows, before)
    said = as_asked(spec, fit.sentence) if fit.estimates else fit.sentence
    return fit.replace(
        excluded=before + rows.excluded + fit.excluded,
        n_censored=rows.n_censored,
        n_observations=fit.n_observations or rows.visits.height,
        n_subjects=fit.n_subjects or rows.visits["usubjid"].n_unique(),
        spec=spec.to_dict(),
        provenance=provenance(spec.spec_hash()),
        method=_method(spec, fit, rows),
        sentence=said,
        code=snippet(spec),
    )


def _fit(rows: CourseRows, spec: ModelSpec, signal_words: Any) -> Fit:
    joint = spec.question == "joint"
    day = f"since + {spec.day_low!r}" if joint else "day"
    left = {"log10": "log10(value)", "log10_shift": f"log10(value + {spec.shift!r})"}
    mean = f"cr(np.log1p({day}), df={spec.spline_df}, constraints='center')"
    formula = f"{left.get(spec.transform, 'value')} ~ {mean}"
    random = "1" if spec.random == "intercept" else f"1 + np.log1p({day})"
    right = " + ".join(adjuster_column(name) for name in spec.adjusters) or "1"
    association = spec.association or ("value",)
    lower, upper = ("bound_low", "bound_high") if spec.blq == "censored" else (None, None)
    signal = signal_phrase(spec, signal_words)
    tracer_class = _tracer_class(spec)
    if joint:
        late = bool((rows.patients["entry"] > 0).any())
        return fit_joint(
            rows.visits, rows.patients, formula, "usubjid", random, "since", "until", "event",
            right, association, spec.baseline or "piecewise", "entry" if late else None,
            lower=lower, upper=upper, level=spec.level, signal=signal, tracer_class=tracer_class,
        )  # fmt: skip
    return fit_joint_binary(
        rows.visits, rows.patients, formula, "usubjid", random, "day", "success", right,
        association, spec.landmark_day, lower, upper, level=spec.level, signal=signal,
        tracer_class=tracer_class,
    )  # fmt: skip


def _accounted(fit: Fit, rows: CourseRows, before: Sequence[Excluded]) -> Fit:
    """The refusal with an account of all events of the study, not only those of the rows."""
    outside = [
        LeftOut(item.reason.removeprefix("an event "), item.n)
        for item in before
        if item.reason.startswith(EVENT_OF_A_PATIENT)
    ]
    problem = few_events(rows.n_counted, (*outside, *rows.uncounted))
    return refused(fit, problem) if problem else fit


def _beside(fit: Fit, spec: ModelSpec) -> Fit:
    """With the simpler analyses, whose landmark is told in days from infusion."""
    low = spec.day_low or 0.0
    landmark = None if spec.landmark_day is None else spec.landmark_day - low
    fit = joint_alternatives(fit, landmark)
    return fit.replace(
        sensitivity=tuple(
            row if row.day is None else row._replace(day=row.day + low) for row in fit.sensitivity
        )
    )


def _doubted(fit: Fit, rows: CourseRows) -> Fit:
    """With what a reduced course misses, and where the time at risk or the values end."""
    checks = (*fit.checks, Check("course", "note", COURSE), *_end(fit, rows))
    status, reason, advice = judged(checks)
    if status == fit.status:
        return fit.replace(checks=checks)
    return fit.replace(
        checks=checks, status=status, reason=reason, advice=advice,
        sentence=f"{fit.sentence} Caution: {advice}",
    )  # fmt: skip


def _end(fit: Fit, rows: CourseRows) -> list[Check]:
    found = []
    if rows.n_beyond:
        found.append(
            Check(
                "window_end", "note",
                f"The time at risk ends on day {rows.end:g}; {count(rows.n_beyond, 'event')} later "
                "on do not count.", float(rows.n_beyond),
            )
        )  # fmt: skip
    if rows.n_continued:
        many = rows.n_continued > MANY * (fit.n_events or 0)
        found.append(
            Check(
                "extrapolation", "warning" if many else "note",
                f"{rows.n_continued} of {count(fit.n_events or 0, 'event')} came after day "
                f"{rows.measured:g}, the last with values of patients; the course is continued "
                "there as a line over log(1 + day), which draws the association to none where it "
                "bends. Without day_high the question ends with the values.",
                float(rows.n_continued),
            )
        )  # fmt: skip
    return found


def _tracer_class(spec: ModelSpec) -> str | None:
    from analysis.tracers import TRACERS

    tracer = TRACERS.get(spec.tracer_id or "")
    return None if tracer is None else str(tracer.tracer_class)


def _method(spec: ModelSpec, fit: Fit, rows: CourseRows) -> str:
    association = " and ".join(ASSOCIATIONS[name] for name in spec.association or ("value",))
    response = spec.question == "joint_binary"
    code = spec.outcome.partition(":")[2]
    what = RESPONSES[code][1] if response else code
    slope = "" if spec.random == "intercept" else " and in slope over log(1 + day)"
    window = "" if response else f" from day {spec.day_low:g} to {rows.end:g}"
    parts = (
        f"Course: {named_signal(spec.exposure)}, "
        f"{TRANSFORMS[spec.transform].partition(';')[0]}; natural cubic "
        f"spline of log(1 + day) with {spec.spline_df} degrees of freedom; patients differ in "
        f"level{slope}.",
        f"Outcome: {what}{window}, by {association}"
        + (f" on day {spec.landmark_day:g}" if response else "")
        + (f", adjusted for {', '.join(spec.adjusters)}" if spec.adjusters else "")
        + ".",
        f"Limits: {BLQ_RULES[spec.blq]}.",
        fit.method,
        fit.inference_note,
    )
    return " ".join(part for part in parts if part)
