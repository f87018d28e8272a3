"""A ratio is reported where patients were measured; a curve between far visits is not a finding."""

import numpy as np
import polars as pl

from analysis.day_support import measured_around, supported_days, thin_groups
from analysis.fits.specification import fit_specification
from analysis.specs import ModelSpec


def rows(days: list[float], patients: int = 8) -> pl.DataFrame:
    """usubjid, day, group: half of the patients in each of two groups, all on the same days."""
    return pl.DataFrame(
        [
            (f"P{i}", day, "responder" if i % 2 else "non-responder")
            for i in range(patients)
            for day in days
        ],
        schema=["usubjid", "day", "group"],
        orient="row",
    )


def test_days_far_from_any_value_are_not_supported() -> None:
    tumor = rows([0.0, 35.0, 70.0])
    assert thin_groups(tumor, 14.0) == ["non-responder", "responder"]
    assert thin_groups(tumor, 28.0) == []  # 35 is within a third of 28
    assert supported_days(tumor, [7.0, 14.0, 28.0]) == [28.0]
    assert supported_days(rows([0.0, 60.0]), [7.0, 14.0, 28.0]) == [60.0]
    assert supported_days(rows([0.0, 7.0, 14.0, 28.0]), [7.0, 14.0, 28.0]) == [7.0, 14.0, 28.0]
    assert measured_around(tumor, "responder", 14.0) == "day 0 and day 35"


def test_one_group_without_values_is_enough() -> None:
    frame = pl.concat(
        [rows([0.0, 14.0, 28.0]).filter(pl.col("group") == "responder"),
         rows([0.0, 28.0]).filter(pl.col("group") != "responder")]
    )  # fmt: skip
    assert thin_groups(frame, 14.0) == ["non-responder"]


def tumor_frame() -> pl.DataFrame:
    rng = np.random.default_rng(4)
    found = []
    for i in range(24):
        level = rng.normal(0, 0.2)
        for day in (0.0, 35.0, 70.0, 105.0, 140.0, 175.0):
            value = 10 ** (1.8 + level - 0.001 * day * (i % 2) + rng.normal(0, 0.1))
            found.append((f"P{i:02d}", day, value, "responder" if i % 2 else "non-responder"))
    names = ["usubjid", "rel_day", "value", "group"]
    return pl.DataFrame(found, schema=names, orient="row")


def test_the_usual_days_give_way_to_days_with_values_and_an_asked_day_is_cautioned() -> None:
    spec = ModelSpec(
        outcome="burden:SUMDIAM", time="spline", random="intercept", day_low=0.0,
        question="signal_by_group",
    )  # fmt: skip
    fit = fit_specification(tumor_frame(), spec)
    assert [ratio.day for ratio in fit.ratios] == [28.0]
    assert fit.check("empty_cells").status == "ok"
    asked = fit_specification(tumor_frame(), spec.replace(days=(14.0,)))
    check = asked.check("empty_cells")
    assert (asked.status, check.status) == ("warning", "warning")
    assert check.message == (
        "Fewer than 3 patients of non-responder have a value within 5 days of day 14 (nearest: "
        "day 0 and day 35), so the curve alone speaks there; ask for days on which patients were "
        "measured."
    )
