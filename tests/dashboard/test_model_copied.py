"""The specification that the model page gives to copy asks the same question again."""

import pytest

from analysis.derive.model_frame import model_frame
from analysis.results import (
    Provenance,
)
from analysis.specs import ModelSpec
from dashboard.model import parts, reading
from dashboard.pages import model
from tests.dashboard.test_model import FIT, text_of, view, walk


def yaml_on(page: object) -> str:
    """The specification that the page shows to be copied."""
    shown = [
        child.children[1].children
        for child in walk(page)
        if type(child).__name__ == "Details" and "YAML" in text_of(child.children[0])
    ]
    assert len(shown) == 1
    return str(shown[0])


@pytest.mark.parametrize(
    "query",
    [
        "",
        "window=7-28",
        "window=all",
        "day_low=3&day_high=21",
        "signal=kinetics:CARFLOW:flow:BLOOD&time=visit&adjust=age_year&rule=censored",
        "signal=uptake:f18_dcfpyl_psma:suv_mean:lesion&analysis_set=imaging&time=none&window=0-90",
        "signal=laboratory:CRP:BLOOD&group=best_response&cohort=A",
    ],
)
def test_the_specification_to_copy_asks_for_the_same_rows_again(query: str) -> None:
    """Window (its lower day, too), analysis set, cohort, signal and unit come back exactly."""
    asked = view(query)
    spec = reading.chosen_spec(asked)
    fit = FIT.replace(
        spec=spec.to_dict(), provenance=Provenance(study="DEMO-1", cut="2026-01-02.1")
    )
    text = yaml_on(model.layout(view(query, fit)))
    assert text.startswith("# cartograph fit --study DEMO-1 --cut 2026-01-02.1 --spec THIS.yaml\n")
    assert "\nday_low: " in text
    again = ModelSpec.from_yaml(text)
    assert again == spec
    assert again.spec_hash() == spec.spec_hash()
    rows, same = (fit_trial_rows(asked.trial, one) for one in (spec, again))
    assert rows.frame.equals(same.frame)
    assert rows.excluded == same.excluded


def fit_trial_rows(trial, spec):
    names = ("characteristics", "kinetics", "quantifications", "labs", "lesions", "responses",
             "infusions", "scans")  # fmt: skip
    return model_frame(
        spec, subjects=trial.subjects, **{name: getattr(trial, name) for name in names}
    )


def test_a_fit_without_a_question_has_none_to_copy() -> None:
    assert parts.specification_yaml(FIT) == ""
