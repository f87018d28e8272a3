"""The patients behind an answer by exposure: those of the fit, in the unit of the signal."""

import polars as pl
import pytest

from analysis import fit_specification
from analysis.fits.exposure_question import exposure_patients
from tests.analysis.fits.test_exposure_question import EVENT, RESPONSE, patients_of, trial

ADJUSTED = RESPONSE.replace(adjusters=("characteristic:BURDEN",))


@pytest.mark.parametrize("spec", [RESPONSE, EVENT, ADJUSTED, ADJUSTED.replace(transform="none")])
def test_they_are_the_patients_of_the_fit(spec):
    frame = trial().with_columns(
        burden=pl.when(pl.col("usubjid") == "P03").then(None).otherwise("burden")
    )
    found, fit = exposure_patients(frame, spec), fit_specification(frame, spec)
    assert found.height == fit.n_subjects
    assert ("P03" in found["usubjid"].to_list()) is (not spec.adjusters)
    peaks = dict(patients_of(frame).select("usubjid", "value").iter_rows())
    assert found["exposure"].to_list() == pytest.approx([peaks[one] for one in found["usubjid"]])


def test_outcomes_are_those_from_the_landmark_on():
    frame = trial()
    responses = exposure_patients(frame, RESPONSE)
    assert "P07" not in responses["usubjid"].to_list()  # assessed on day 20
    own = patients_of(frame)
    assert responses["success"].sum() == own.filter(pl.col("usubjid") != "P07")["y"].sum()
    events = exposure_patients(frame, EVENT)
    assert events["event_day"].min() > 28
    assert events["event"].sum() == fit_specification(frame, EVENT).n_events


def test_a_shift_before_the_logarithm_is_taken_off_again():
    shifted = exposure_patients(trial(), RESPONSE.replace(transform="log10_shift", shift=5.0))
    plain = exposure_patients(trial(), RESPONSE)
    assert shifted["exposure"].to_list() == pytest.approx(plain["exposure"].to_list())
