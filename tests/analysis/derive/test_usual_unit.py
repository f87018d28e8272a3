"""One sample in an odd unit never speaks for a quantity; units are never mixed."""

import polars as pl
import pytest

from analysis.derive.default_question import default_question
from analysis.derive.signal import signal_catalog, signal_series


def kinetics(**patients_by_unit: int) -> pl.DataFrame:
    """CARTG in blood by qPCR: that many patients with two samples in each unit."""
    rows = [
        {
            "usubjid": f"S{number:02d}", "rel_day": day, "value": 100.0, "analyte": "CARTG",
            "assay": "qPCR", "matrix": "BLOOD", "unit": unit.replace("_per_", "/"),
        }
        for unit, patients in patients_by_unit.items()
        for number in range(patients)
        for day in (7.0, 14.0)
    ]  # fmt: skip
    return pl.DataFrame(rows)


@pytest.mark.parametrize(
    ("units", "first"),
    [
        # copies/ug is the canonical unit of a transgene: it speaks unless it is rare.
        ({"copies_per_ug": 1, "cells_per_uL": 9}, "kinetics:CARTG:qPCR:BLOOD@unit=cells/uL"),
        ({"copies_per_ug": 5, "cells_per_uL": 9}, "kinetics:CARTG:qPCR:BLOOD"),
        ({"copies_per_ug": 9, "copies_per_mL": 1}, "kinetics:CARTG:qPCR:BLOOD"),
        ({"copies_per_mL": 9, "cells_per_uL": 2}, "kinetics:CARTG:qPCR:BLOOD@unit=copies/mL"),
    ],
)
def test_the_most_measured_unit_speaks(units, first) -> None:
    frame = kinetics(**units)
    catalog = signal_catalog(frame)
    assert catalog[0].key == first
    assert len(catalog) == 2
    subjects = frame.select("usubjid").unique().with_columns(infused=True, cohort=pl.lit("A"))
    assert default_question(subjects=subjects, kinetics=frame).outcome == first
    series = signal_series(catalog[0], kinetics=frame)
    assert series["unit"].unique().to_list() == [catalog[0].unit]
    assert series["usubjid"].n_unique() == max(
        n for unit, n in units.items() if unit.replace("_per_", "/") == catalog[0].unit
    )
