"""What stands beside a comparison of groups: measured means, and the scale of the fit in words."""

import polars as pl
import pytest

from analysis.derive.model_frame import study_frame
from analysis.fits.model_rows import model_rows
from dashboard.model import reading
from dashboard.model.group_answer import scale_words
from tests.dashboard.test_model import view


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "log10 cells/uL"), ({"transform": "none"}, "cells/uL"),
        ({"transform": "log10_shift", "shift": 0.5}, "log10 of value + 0.5, cells/uL"),
    ],
)  # fmt: skip
def test_the_scale_of_a_fit_in_words(changes: dict[str, object], words: str) -> None:
    spec = reading.chosen_spec(view()).replace(**changes)
    assert scale_words(spec, "cells/uL") == words


def test_means_as_measured_stand_beside_the_curve() -> None:
    asked = view("window=0-28")
    spec = reading.chosen_spec(asked)
    means = reading.measured_group_means(asked, spec)
    rows = model_rows(study_frame(asked.trial, spec).frame, spec).frame
    day = means[0].day
    own = rows.filter((pl.col("nominal_day") == day) & (pl.col("group") == means[0].group))
    patients = own.group_by("usubjid").agg(pl.col("y").mean())
    assert means[0].n_patients == patients.height >= 3
    assert means[0].value == pytest.approx(10 ** patients["y"].mean())
    censored = reading.measured_group_means(asked, spec.replace(blq="censored"))
    assert len(censored) <= len(means)
    assert reading.measured_group_means(asked, spec.replace(time="none")) == []
