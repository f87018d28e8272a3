"""The choices of "Adjusted for"."""

import polars as pl

from dashboard.model.adjuster_options import adjuster_options


def test_a_measured_characteristic_is_also_offered_by_its_logarithm() -> None:
    characteristics = pl.DataFrame(
        {
            "usubjid": ["P1", "P2", "P1", "P1"],
            "paramcd": ["LDH", "LDH", "COSTIM", "HLH"],
            "label": ["Lactate dehydrogenase", None, "Costimulatory domain", None],
            "value": [210.0, None, None, None],
            "value_text": [None, None, "4-1BB", None],
        }
    )
    found = {option["value"]: option["label"] for option in adjuster_options(characteristics)}
    assert found == {
        "": "None", "age_year": "Age", "sex": "Sex",
        "characteristic:LDH": "Lactate dehydrogenase",
        "log10(characteristic:LDH)": "Lactate dehydrogenase, log10",
        "characteristic:COSTIM": "Costimulatory domain", "characteristic:HLH": "HLH",
    }  # fmt: skip
    assert len(adjuster_options(characteristics.clear())) == 3
