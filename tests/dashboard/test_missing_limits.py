"""An assay that is delivered without any limit lacks none."""

import polars as pl

from dashboard.missingness import with_limits


def test_only_assays_that_give_a_limit_can_lack_one() -> None:
    samples = pl.DataFrame(
        {
            "analyte": ["CARTG"] * 3 + ["CARFLOW"] * 2,
            "assay": ["qPCR"] * 3 + ["flow"] * 2,
            "matrix": ["BLOOD"] * 5,
            "unit": ["copies/ug"] * 3 + ["%"] * 2,
            "lloq": [20.0, 20.0, None, None, None],
        }
    )
    kept = with_limits(samples)
    assert kept["assay"].to_list() == ["qPCR"] * 3
    assert kept["lloq"].null_count() == 1
