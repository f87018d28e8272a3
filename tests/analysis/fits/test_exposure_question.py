"""Response and events by exposure: the parameter by hand, the fit of the engine, the landmark."""

import json

import numpy as np
import polars as pl
import pytest

from analysis import Fit, ModelSpec, fit_cox, fit_logistic, fit_specification
from analysis.errors import UserError
from analysis.fits.exposure_rows import exposure_rows
from analysis.number_words import number as written

BLOOD = "kinetics:CARTG:qPCR:BLOOD"
RESPONSE = ModelSpec(
    outcome="response:responder", question="response_by_exposure", exposure=BLOOD,
    parameter="peak", day_high=28, landmark_day=28,
)  # fmt: skip
EVENT = RESPONSE.replace(outcome="event:PFS", question="event_by_exposure")


def samples(*rows, **outcome) -> pl.DataFrame:
    """rows: (patient, day, value, limit or None)."""
    return pl.DataFrame(
        [
            {
                "usubjid": patient, "rel_day": float(day), "nominal_day": float(day),
                "value": value, "lower": None if value else 0.0, "upper": limit,
                "censored": "none" if value else "left", "lloq": limit,
            } | outcome
            for patient, day, value, limit in rows
        ],
        schema_overrides={"value": pl.Float64, "lower": pl.Float64, "upper": pl.Float64,
                          "lloq": pl.Float64},
    )  # fmt: skip


COURSE = samples(
    ("A", 2, 10.0, None), ("A", 10, 1000.0, None), ("A", 20, 100.0, None), ("A", 40, 10.0, None),
    ("B", 10, 50.0, None),
    ("C", 5, None, 8.0), ("C", 14, None, 8.0), ("C", 28, 32.0, None),
    group="responder",
)  # fmt: skip


def exposures(**changes) -> dict[str, float]:
    rows = exposure_rows(COURSE, RESPONSE.replace(**changes), ("group",)).frame
    return dict(zip(rows["usubjid"], rows["exposure"], strict=True))


def test_parameters_by_hand():
    assert exposures() == pytest.approx({"A": 3.0, "C": np.log10(32)})
    assert exposures(parameter="last") == pytest.approx(
        {"A": 2.0, "B": np.log10(50), "C": np.log10(32)}
    )
    # half the limit of 8 is 4
    assert exposures(parameter="mean") == pytest.approx(
        {"A": 2.0, "C": np.log10((4 * 4 * 32) ** (1 / 3))}
    )
    # from zero: 10, then up to 1000, then two logarithmic falls, the last up to day 28
    at_28 = 100 * 0.1 ** (8 / 20)
    area = 10 + 8 * 505 + 10 * 900 / np.log(10) + 8 * (100 - at_28) / np.log(100 / at_28)
    assert exposures(parameter="auc", transform="none")["A"] == pytest.approx(area)
    assert exposures(day_low=9, transform="none") == pytest.approx({"A": 1000.0, "C": 32.0})
    assert exposures(transform="log10_shift", shift=1)["A"] == pytest.approx(np.log10(1001))


def test_patients_without_a_parameter_are_counted():
    def reasons(**changes):
        rows = exposure_rows(COURSE, RESPONSE.replace(**changes), ("group",))
        return [tuple(item) for item in rows.excluded]

    assert reasons() == [
        ("a day outside the window", 1),
        ("patient: fewer than 2 days with a sample in the window", 1),
    ]
    assert reasons(parameter="auc") == [
        ("patient: no sample at or after day 28, so the area is not calculable", 1)
    ]
    late = reasons(parameter="auc", day_low=4.0)
    assert ("patient: no sample at or before day 4, so the area is not calculable", 1) in late
    image = reasons(parameter="auc", exposure="uptake:f18_fhbg:suv_mean:lesion")
    assert any("at or before day 0" in reason for reason, _ in image)


def trial(seed: int = 1, patients: int = 60, slope: float = 1.5) -> pl.DataFrame:
    """Responders by a logistic law of the log10 peak; events with a hazard that falls with it."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(patients):
        peak = rng.normal(0, 0.8)
        response = rng.random() < 1 / (1 + np.exp(-slope * peak))
        burden = float(rng.normal())
        end = 28 + rng.exponential(200 * 10 ** (0.5 * peak)) - 20 * (number % 10 == 0)
        rows += [
            {
                "usubjid": f"P{number:02d}", "rel_day": day, "value": 10 ** (3 + peak) * share,
                "group": "responder" if response else "non-responder",
                "response_day": 20.0 if number == 7 else 30.0,
                "event_day": min(end, 400.0), "event": int(end < 400),
                "burden": burden,
            }
            for day, share in ((3.0, 0.1), (10.0, 1.0), (21.0, 0.3))
        ]  # fmt: skip
    return pl.DataFrame(rows)


def patients_of(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(pl.col("rel_day") == 10.0).with_columns(
        exposure=pl.col("value").log10(), y=pl.col("group") == "responder"
    )


def test_response_is_a_firth_regression_at_the_landmark():
    frame = trial()
    spec = RESPONSE.replace(adjusters=("characteristic:BURDEN",))
    fit = fit_specification(frame, spec)
    own = patients_of(frame).filter(pl.col("usubjid") != "P07")
    peer = fit_logistic(own, "y ~ exposure + burden", penalty="firth")
    for ours, theirs in zip(fit.estimates[1:], peer.estimates[1:], strict=True):
        assert ours.term == theirs.term
        assert ours.estimate == pytest.approx(theirs.estimate, rel=1e-7)
        assert ours.p_value == pytest.approx(theirs.p_value, rel=1e-6)
    assert fit.n_subjects == 59
    assert ("patient: assessed before day 28, the landmark", 1) in [
        tuple(item) for item in fit.excluded
    ]
    assert fit.check("confounding") is None
    assert (fit.status, fit.provenance.spec_hash) == ("ok", spec.spec_hash())
    ratio = np.exp(fit.estimates[1].estimate)
    assert fit.sentence.startswith(
        "From day 28, ten times the peak of blood transgene (day 0 to 28) went with "
        f"{ratio:.1f} times higher odds of response (odds ratio {ratio:.1f}, 95 % CI "
    )
    assert "the landmark" in fit.method
    assert Fit.from_dict(json.loads(json.dumps(fit.to_dict(), allow_nan=False))) == fit
    assert "study_frame(trial, spec)" in fit.code


def test_a_response_on_the_day_of_the_landmark_counts():
    patient = pl.col("usubjid")
    frame = trial().with_columns(
        response_day=pl.when(patient == "P08").then(28.0).when(patient == "P09").then(27.9)
        .otherwise("response_day")
    )  # fmt: skip
    fit = fit_specification(frame, RESPONSE)
    assert fit.n_subjects == 58
    early = [item.n for item in fit.excluded if "assessed before day 28" in item.reason]
    assert early == [2]  # P07 and P09


def test_the_logarithm_of_an_adjuster_is_in_table_sentence_and_method():
    frame = trial().with_columns(log10_burden=pl.col("burden"))
    logged = fit_specification(frame, RESPONSE.replace(adjusters=("log10(characteristic:BURDEN)",)))
    plain = fit_specification(frame, RESPONSE.replace(adjusters=("characteristic:BURDEN",)))
    assert [row.term for row in logged.estimates] == ["Intercept", "exposure", "log10_burden"]
    assert logged.estimates[2].estimate == pytest.approx(plain.estimates[2].estimate)
    assert logged.sentence.endswith(" Adjusted for log10 of BURDEN.")
    assert plain.sentence.endswith(" Adjusted for BURDEN.")
    assert "adjusted for log10(characteristic:BURDEN)" in logged.method
    assert logged.check("confounding") is None


def test_events_are_a_cox_model_from_the_landmark():
    frame = trial(seed=4)
    fit = fit_specification(frame, EVENT)
    own = patients_of(frame)
    peer = fit_cox(own, "exposure", "event_day", "event", landmark_day=28)
    for name in ("estimate", "std_error", "conf_low", "conf_high"):
        ours, theirs = (getattr(item.estimates[0], name) for item in (fit, peer))
        assert ours == pytest.approx(theirs, rel=1e-9)
    assert 0 < fit.n_subjects < 60
    assert any("the landmark" in item.reason for item in fit.excluded)
    assert "times lower hazard of PFS (hazard ratio" in fit.sentence
    assert "events)" in fit.sentence
    assert fit.check("confounding").status == "note"


def test_the_true_slope_is_covered():
    covered = 0
    for seed in range(60):
        row = fit_specification(trial(seed, patients=50), RESPONSE).estimates[1]
        covered += row.conf_low < 1.5 < row.conf_high
    assert covered >= 53


def test_a_step_that_no_patient_took_is_a_warning():
    narrow = trial().with_columns(value=1000 * (pl.col("value") / 1000) ** 0.2)
    fit = fit_specification(narrow, RESPONSE)
    step = next(check for check in fit.checks if check.name == "step")
    peaks = patients_of(narrow).filter(pl.col("usubjid") != "P07")["value"]
    assert 1 < peaks.max() / peaks.min() < 10
    assert f"factor of {written(peaks.max() / peaks.min())} only" in step.message
    assert fit.status == "warning"
    assert "step" not in {check.name for check in fit_specification(trial(), RESPONSE).checks}


def test_no_relation_is_said_plainly():
    frame = trial(seed=2).with_columns(
        group=pl.when(pl.col("usubjid").str.slice(1).cast(pl.Int64) % 2 == 0)
        .then(pl.lit("responder")).otherwise(pl.lit("non-responder"))
    )  # fmt: skip
    fit = fit_specification(frame, RESPONSE)
    assert "The data are also compatible with no relation." in fit.sentence


def test_an_unknown_day_of_assessment_is_a_warning():
    fit = fit_specification(trial().drop("response_day"), RESPONSE)
    assert (fit.status, fit.reason) == ("warning", "assessment_day")
    assert "Caution: The day of some responses is not known" in fit.sentence


@pytest.mark.parametrize(("exposure", "said", "unsaid"), [
    ("uptake:zr89_oxine_cells:suv_mean:organ:LIVER", "label", "expansion"),
    ("uptake:zr89_crefmirlimab:suv_mean:lesion", "immune target", "CAR"),
])  # fmt: skip
def test_the_words_are_those_of_the_tracer(exposure, said, unsaid):
    fit = fit_specification(trial(), RESPONSE.replace(exposure=exposure))
    assert said in fit.sentence
    assert unsaid not in fit.sentence


CANNOT = {
    "too_few_subjects": (trial(patients=4), RESPONSE),
    "constant_exposure": (trial().with_columns(value=pl.lit(5.0)), RESPONSE),
    "one_response": (trial().with_columns(group=pl.lit("responder")), RESPONSE),
    "no_events": (trial().with_columns(event=pl.lit(0)), EVENT),
}


@pytest.mark.parametrize("reason", CANNOT)
def test_what_cannot_be_said(reason):
    frame, spec = CANNOT[reason]
    fit = fit_specification(frame, spec)
    assert fit.status == "not_estimable"
    assert fit.reason
    assert fit.sentence.startswith("Not estimable: ")
    assert fit.advice
    assert fit.estimates == ()
    assert Fit.from_dict(json.loads(json.dumps(fit.to_dict(), allow_nan=False))) == fit


def test_groups_that_do_not_overlap_have_no_odds_ratio():
    frame = trial()
    median = patients_of(frame)["value"].median()
    high = pl.col("value").max().over("usubjid") > median
    frame = frame.with_columns(
        group=pl.when(high).then(pl.lit("responder")).otherwise(pl.lit("non-responder"))
    )
    fit = fit_specification(frame, RESPONSE)
    assert (fit.status, fit.reason, fit.estimates) == ("not_estimable", "separation", ())
    assert "penalty" not in fit.advice
    assert "Compare the exposure between the groups" in fit.advice


def test_frames_without_the_outcome_say_so():
    with pytest.raises(UserError, match="no column 'event_day'"):
        fit_specification(trial().drop("event_day"), EVENT)
    mixed = trial().with_columns(group=pl.when(pl.col("rel_day") > 9).then(pl.lit("responder"))
                                 .otherwise(pl.lit("non-responder")))  # fmt: skip
    with pytest.raises(UserError, match="a patient has two values of group"):
        fit_specification(mixed, RESPONSE)
