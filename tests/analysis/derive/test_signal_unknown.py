"""Who asks for a signal that is not there hears which part, and what there is."""

import polars as pl
import pytest

from analysis import ModelSpec
from analysis.derive.default_question import default_question
from analysis.derive.model_frame import model_frame
from analysis.derive.signal import Signal
from analysis.derive.signal_unknown import require_signal
from analysis.errors import UserError

SUBJECTS = pl.DataFrame({"usubjid": ["S1"], "infused": [True], "cohort": ["A"]})
KINETICS = pl.DataFrame(
    {
        "usubjid": ["S1"] * 3, "rel_day": [1.0, 7.0, 14.0], "value": [1.0, 2.0, 3.0],
        "analyte": ["CARTG", "CARTG", "CARFLOW"], "assay": ["qPCR", "qPCR", "flow"],
        "matrix": ["BLOOD", "MARROW", "BLOOD"], "unit": ["copies/ug", "copies/ug", "cells/uL"],
    }
)  # fmt: skip
KEYS = "kinetics:CARTG:qPCR:BLOOD, kinetics:CARTG:qPCR:MARROW, kinetics:CARFLOW:flow:BLOOD"


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("kinetics:CART:qPCR:BLOOD", "ANALYTE 'CART' is not there, only CARFLOW, CARTG; its"),
        ("kinetics:CARTG:ddPCR:BLOOD", "ASSAY 'ddPCR' is not there, only qPCR; its"),
        ("kinetics:CARTG:qPCR:CSF", "MATRIX 'CSF' is not there, only BLOOD, MARROW; its"),
        ("kinetics:CARTG:qPCR", "MATRIX is missing, it is BLOOD, MARROW; its"),
        ("kinetics:CARTG:qPCR:BLOOD@unit=cells", "unit 'cells' is not there, only copies/ug; its"),
        ("laboratory:CRP:SERUM", "it has no laboratory values; its"),
    ],
)
def test_the_part_that_is_not_there_and_the_keys_that_are(key: str, words: str) -> None:
    with pytest.raises(UserError) as error:
        require_signal(Signal.parse(key), kinetics=KINETICS)
    said = str(error.value)
    assert said.startswith(f"signal: '{key}' has no values in this study: {words}")
    assert all(own in said for own in KEYS.split(", "))
    assert "\n" not in said


def test_the_nearest_keys_come_first_and_the_rest_are_counted() -> None:
    labs = pl.DataFrame(
        {
            "usubjid": ["S1"] * 20, "rel_day": [1.0] * 20, "value": [1.0] * 20,
            "testcd": [f"T{n:02d}" for n in range(20)], "matrix": ["SERUM"] * 20,
            "unit": ["pg/mL"] * 20,
        }
    )  # fmt: skip
    with pytest.raises(UserError) as error:
        require_signal(Signal.parse("laboratory:T07:PLASMA"), labs=labs, kinetics=KINETICS)
    said = str(error.value)
    assert "MATRIX 'PLASMA' is not there, only SERUM; its signals of the kind are" in said
    assert "kind are laboratory:T07:SERUM, " in said
    assert said.endswith(" and 8 more; and 3 of other kinds")
    with pytest.raises(UserError, match=r"TEST 'T7' is not there, only T00, .*T11 and 8 more; its"):
        require_signal(Signal.parse("laboratory:T7:SERUM"), labs=labs)


def test_an_empty_study_says_so() -> None:
    with pytest.raises(UserError, match="it has no signal at all: load a file that carries one"):
        require_signal(Signal.parse("kinetics:CARTG:qPCR:BLOOD"))


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("uptake:f18_fhbg:suv_mean:L1",
         "'L1' stands where the kind of region is expected (lesion, blood_pool, background, "
         "organ); one lesion is uptake:f18_fhbg:suv_mean:lesion:L1, one organ "
         "uptake:f18_fhbg:suv_mean:organ:L1"),
        ("kinetics:CARTG:qPCR:BLOOD:day14",
         "'day14' is one part too many; expected kinetics:ANALYTE:ASSAY:MATRIX"),
        ("laboratory", "nothing stands behind 'laboratory'; expected laboratory:TEST:MATRIX"),
        ("burden:TMTV@threshold=41", "'@threshold' is none of @unit, @method, @reader, @tracer_id"),
        ("blood:CARTG", "'blood' is none of kinetics, uptake, burden, laboratory; expected e.g. "
                        "kinetics:CARTG:qPCR:BLOOD"),
    ],
)  # fmt: skip
def test_a_malformed_key_names_its_part(key: str, words: str) -> None:
    with pytest.raises(UserError) as error:
        Signal.parse(key)
    assert str(error.value).startswith(f"signal: '{key}' is not a signal: {words}")


def test_model_and_first_question_ask_it() -> None:
    spec = ModelSpec(outcome="kinetics:CARTG:ddPCR:BLOOD", group="cohort")
    with pytest.raises(UserError, match="ASSAY 'ddPCR' is not there, only qPCR"):
        model_frame(spec, subjects=SUBJECTS, kinetics=KINETICS)
    with pytest.raises(UserError, match="ASSAY 'ddPCR' is not there, only qPCR"):
        default_question(subjects=SUBJECTS, kinetics=KINETICS, outcome=spec.outcome)
