"""The title of the cohort page counts what holds after correction, and says the family."""

import math
from types import SimpleNamespace

import pytest

from analysis.compute.multiplicity import adjust_p_values
from analysis.derive.signal import Signal
from dashboard.cohort.words import (
    course_note,
    differing,
    family_note,
    forest_note,
    forest_title,
    marked,
)
from figures.ratio_forest import ForestNumbers, ForestRow

NAN = math.nan


def rows(*p_values: float) -> tuple[ForestRow, ...]:
    """Rows whose intervals leave out 1 where p is below 5 %."""
    return tuple(
        ForestRow(f"Day {7 * (k + 1)}", "", 2.0, 1.1 if p < 0.05 else 0.9, 4.0, p)
        for k, p in enumerate(p_values)
    )


def page(found: tuple[ForestRow, ...], domain: str = "kinetics"):
    mains = (SimpleNamespace(n_at_limit=1, n_above_limit=0),)
    return SimpleNamespace(forest=SimpleNamespace(rows=found),
                           signal=SimpleNamespace(domain=domain), mains=mains)  # fmt: skip


def test_three_of_eight_uncorrected_are_none_after_correction() -> None:
    """0.02, 0.03 and 0.04 of eight have false discovery rates of 0.107 and more."""
    found = rows(0.02, 0.03, 0.04, 0.3, 0.4, 0.5, 0.6, 0.7)
    assert sum(row.p_value < 0.05 for row in found) == 3
    assert differing(found).rows == ()
    assert forest_title(page(found)) == "None of 8 differs after correction"
    assert family_note(found) == (
        "8 comparisons; the p beside a row is not corrected, the title counts false discovery "
        "rates below 5 % (Benjamini-Hochberg). None is."
    )


def test_only_what_the_title_counts_is_drawn_bold() -> None:
    none_holds = ForestNumbers(rows(0.02, 0.03, 0.04, 0.3, 0.4, 0.5, 0.6, 0.7), 0.5, 8.0)
    assert not any(row.clear for row in marked(none_holds).rows)
    two_hold = ForestNumbers(rows(0.001, 0.004, 0.04, 0.5), 0.5, 8.0)
    assert [row.clear for row in marked(two_hold).rows] == [True, True, False, False]


@pytest.mark.parametrize(
    ("tracer", "said"),
    [
        ("zr89_oxine_cells", ["Released 89Zr goes to bone", "does not rise when cells divide"]),
        ("f18_dcfpyl_psma", []),
        (None, []),
    ],
)
def test_a_course_of_a_label_carries_the_cautions_of_its_tracer(
    tracer: str | None, said: list[str]
) -> None:
    note = course_note(Signal("uptake", "suv_mean", tracer_id=tracer, region_kind="lesion"))
    assert bool(note) is bool(said)
    assert all(words in note for words in said)


def test_what_holds_is_named_with_its_rate() -> None:
    found = rows(0.001, 0.004, 0.04, 0.5)
    rates = adjust_p_values([0.001, 0.004, 0.04, 0.5], "benjamini_hochberg", "rows").adjusted
    assert [q for _, q in differing(found).rows] == list(rates[:2])
    assert rates[:2] == pytest.approx((0.004, 0.008))
    assert forest_title(page(found)) == "2 of 4 differ (corrected for 4 tests)"
    assert family_note(found).endswith(" Day 7 (0.0040); Day 14 (0.0080).")
    assert family_note(found[:2]).endswith(" All are.")


def test_one_that_differs_is_named_and_rows_without_a_test_are_no_family() -> None:
    found = (*rows(0.001, 0.8), ForestRow("Day 28", "2 patients", NAN, NAN, NAN, NAN))
    assert differing(found).n_tests == 2
    assert forest_title(page(found)) == "Day 7 differs (corrected for 2 tests)"
    assert forest_title(page(rows(0.001))) == "Day 7 differs (1 test)"
    assert forest_title(page((found[2],))) == "Too few patients to compare"


def test_the_note_says_how_to_read_it() -> None:
    said = forest_note(page(rows(0.001, 0.8)))
    assert said.startswith("Best response is read after the peak")
    assert "2 comparisons; " in said
    assert said.endswith("1 patient never above the limit enters at it, which pulls the ratio "
                         "toward 1.")  # fmt: skip
