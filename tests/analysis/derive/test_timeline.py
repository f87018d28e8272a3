import polars as pl

from analysis.derive.timeline import LANES, intervention_lanes

NAMES = (
    "usubjid",
    "term",
    "intervention_class",
    "dose",
    "dose_unit",
    "rel_day",
    "end_rel_day",
    "ongoing",
)
TYPES = (pl.String, pl.String, pl.String, pl.Float64, pl.String, pl.Float64, pl.Float64, pl.Boolean)


def given(*rows):
    return pl.DataFrame(list(rows), schema=dict(zip(NAMES, TYPES, strict=True)), orient="row")


def test_lanes_in_order_with_dose_and_end():
    found = intervention_lanes(
        given(
            ("P1", "tocilizumab", "tocilizumab", 8.0, "mg/kg", 3.2, None, None),
            ("P1", "fludarabine", "lymphodepletion", None, None, -5.0, -3.0, None),
            ("P1", "prednisone", "corticosteroid", 12.5, "mg", 4.0, 9.0, True),
            ("P1", "vitamin", "vitamins", None, None, 1.0, 1.0, False),
        ),
        pl.DataFrame(
            {"usubjid": ["P1"], "infusion_no": [1], "product": ["CG-1"], "rel_day": [0.0]}
        ),
    )
    columns = ("lane", "label", "start_day", "end_day", "end_known", "ongoing")
    assert found.select(columns).rows() == [
        ("lymphodepletion", "fludarabine", -5.0, -3.0, True, False),
        ("infusion", "CG-1", 0.0, 0.0, True, False),
        ("tocilizumab", "tocilizumab, 8 mg/kg", 3.2, 3.2, False, False),
        ("corticosteroid", "prednisone, 12.5 mg", 4.0, 9.0, True, True),
        ("other", "vitamin", 1.0, 1.0, True, False),
    ]
    assert found["lane_label"].to_list()[0] == "Lymphodepletion"


def test_without_a_start_there_is_no_mark():
    assert intervention_lanes(
        given(("P1", "tocilizumab", "tocilizumab", None, None, None, 4.0, None))
    ).is_empty()


def test_an_infusion_without_a_product_is_numbered():
    found = intervention_lanes(
        None, pl.DataFrame({"usubjid": ["P1", "P1"], "infusion_no": [1, 2], "rel_day": [0.0, 30.0]})
    )
    assert found["label"].to_list() == ["Infusion 1", "Infusion 2"]


def test_nothing():
    assert intervention_lanes(None).is_empty()
    assert list(LANES)[:3] == ["bridging", "lymphodepletion", "infusion"]
