"""One sample in another unit takes over neither the headline of a patient nor the roster."""

from dataclasses import replace

import polars as pl
import pytest

from dashboard.address import Request
from dashboard.pages import cohort
from dashboard.patient.blood import blood_signals, odd_samples
from dashboard.patient.facts import patient_facts
from dashboard.patient.header import tiles
from dashboard.patient.records import CutRecords, patient_frames
from dashboard.patient.roster import roster
from dashboard.patient.words import live_sentence, plain_text
from dashboard.selecting import build_view
from dashboard.view import Services
from figures.patient_tracks import prepare_patient_tracks
from figures.theme import LIGHT
from figures.tracks.patient_frames import Choices
from models.trial import Trial
from tests.dashboard.app_fixture import MemoryReader, no_job
from tests.dashboard.test_model import text_of
from tests.dashboard.trial_fixture import tiny_trial

HUGE = 9_999_999.0


def with_odd(only: bool, usual: str = "copies/ug", odd: str = "cells/uL") -> tuple[Trial, str]:
    """The transgene in `usual` units; of one patient one sample, or all there is, in `odd` ones."""
    trial = tiny_trial()
    blood = (pl.col("analyte") == "CARTG") & (pl.col("matrix") == "BLOOD")
    frame = trial.kinetics.with_columns(
        pl.when(blood).then(pl.lit(usual)).otherwise(pl.col("unit")).alias("unit")
    )
    measured = frame.filter(blood & (pl.col("value") > 0) & (pl.col("rel_day") > 1))
    who = str(measured["usubjid"][0])
    one = measured.filter(pl.col("usubjid") == who).head(1)
    one = one.with_columns(unit=pl.lit(odd), value=pl.lit(HUGE))
    rest = frame.filter(~(blood & (pl.col("usubjid") == who))) if only else frame
    return replace(trial, kinetics=pl.concat([rest, one])), who


def facts_of(trial: Trial, who: str):
    records = CutRecords(trial)
    patient = patient_frames(records, who, who)
    return records, patient_facts(
        records, patient, prepare_patient_tracks(patient, Choices(), None)
    )


@pytest.mark.parametrize(
    ("usual", "odd"),
    [("copies/ug", "cells/uL"), ("cells/uL", "copies/ug"), ("copies/mL", "copies/ug")],
)
def test_the_peak_is_that_of_the_study_and_the_odd_sample_is_said(usual, odd) -> None:
    trial, who = with_odd(only=False, usual=usual, odd=odd)
    records, facts = facts_of(trial, who)
    assert blood_signals(records)[0].unit == usual
    own = trial.kinetics.filter(
        (pl.col("usubjid") == who) & (pl.col("analyte") == "CARTG") & (pl.col("unit") == usual)
    )
    assert facts.blood.text
    assert float(facts.blood.text.replace(",", "")) == pytest.approx(own["value"].max(), rel=0.05)
    shown = {"copies/ug": "copies/µg DNA", "cells/uL": "cells/µL"}[odd]
    assert facts.blood.odd == f"1 sample in {shown} not shown here"
    assert facts.blood.odd in text_of(tiles(facts))
    found = roster(records, trial.subjects.to_dicts(), pl.DataFrame())
    row = next(row for row in found.rows if row.usubjid == who)
    assert row.blood.sort == pytest.approx(own["value"].max())
    assert row.odd == found.odd == facts.blood.odd
    assert found.blood.unit.endswith(
        {"copies/ug": "copies/µg DNA", "cells/uL": "cells/µL"}.get(usual, usual)
    )
    assert all((row.blood.sort or 0.0) < HUGE for row in found.rows)


def test_the_cohort_page_says_it_too() -> None:
    trial, _ = with_odd(only=False)

    class Reader(MemoryReader):
        def _read_trial(self, studyid: str, cut: str) -> Trial:
            return trial

    services = Services(Reader(synthetic_only=True), no_job, no_job, no_job, "demo", "0.1.0")
    view = build_view(Request("/cohort", "", LIGHT, narrow=False), "", services, cohort)
    assert "1 sample in cells/µL not shown here" in text_of(cohort.layout(view))


def test_a_patient_with_the_odd_sample_only_has_no_peak() -> None:
    trial, who = with_odd(only=True)
    trial = replace(trial, kinetics=trial.kinetics.filter(pl.col("analyte") == "CARTG"))
    records, facts = facts_of(trial, who)
    assert (facts.blood.text, facts.blood.only_odd) == ("", True)
    said = plain_text(live_sentence(facts))
    assert (
        "Blood transgene was not measured in copies/µg DNA (1 sample in cells/µL not shown here)"
        in said
    )
    assert "9,999,999" not in said
    row = next(r for r in roster(records, trial.subjects.to_dicts(), pl.DataFrame()).rows
               if r.usubjid == who)  # fmt: skip
    assert (row.blood.sort, row.odd) == (None, "1 sample in cells/µL not shown here")


def test_two_units_of_many_patients_are_two_signals_and_not_odd() -> None:
    """Shares and numbers of cells are both delivered for all: neither is said to be missing."""
    trial = tiny_trial()
    flow = trial.kinetics.filter(pl.col("analyte") == "CARFLOW")
    share = flow.with_columns(unit=pl.lit("%"), value=pl.lit(12.0))
    records = CutRecords(replace(trial, kinetics=pl.concat([flow, share])))
    first = blood_signals(records)[0]
    assert first.unit == "cells/uL"
    assert odd_samples(records, first) == ""
