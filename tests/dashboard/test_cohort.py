"""The cohort page over the small trial: which signal, which groups, which words."""

import math
from dataclasses import replace

import polars as pl
import pytest

from analysis.derive.comparison import Comparison, compare_peaks
from analysis.derive.peak import peaks
from analysis.derive.response import best_response
from analysis.derive.summary import summarize_peaks
from dashboard.address import Request
from dashboard.cohort import finding, numbers, series, visit_table, words
from dashboard.pages import cohort
from dashboard.selecting import build_view
from dashboard.view import Services, View
from figures.ratio_forest import ForestRow
from figures.theme import LIGHT
from tests.dashboard.app_fixture import MemoryReader, no_job
from tests.dashboard.test_model import text_of


def view(query: str = "", *, narrow: bool = False) -> View:
    services = Services(MemoryReader(synthetic_only=True), no_job, no_job, no_job, "demo", "0.1.0")
    return build_view(Request("/cohort", query, LIGHT, narrow), "", services)


def found(query: str = "") -> numbers.CohortNumbers:
    return numbers.shown(view(query))


def test_blood_transgene_comes_first() -> None:
    assert found().signal.key == "kinetics:CARTG:qPCR:BLOOD"


def test_the_address_chooses_the_signal_and_an_unknown_one_is_said() -> None:
    assert found("signal=kinetics:CARFLOW:flow:BLOOD").signal.code == "CARFLOW"
    assert found("signal=no:such").signal.code == "CARTG"
    said = "This data cut holds no signal 'no:such'; Blood transgene, qPCR is shown instead."
    assert said in text_of(cohort.layout(view("signal=no:such")))
    assert "holds no signal" not in text_of(cohort.layout(view()))


def test_a_window_without_values_ends_the_sentence_and_says_what_to_do() -> None:
    shown = view("day_low=500&day_high=600")
    n = shown.selected.subjects.height
    said = f"0 of {n} patients have values of blood transgene, qPCR to draw."
    assert finding.sentence(numbers.shown(shown)) == said
    page = cohort.layout(shown)
    assert "No value in this window of days" in text_of(page)
    assert "The window is 500 to 600 d; the values of blood transgene" in text_of(page)
    drawn = str(page.to_plotly_json())
    assert "href='/cohort'" in drawn
    assert cohort.Ids.CURVES not in drawn


def test_patients_without_a_value_of_the_signal_are_sent_to_the_filters() -> None:
    shown = view("site=01")
    none = replace(shown, trial=replace(shown.trial, kinetics=shown.trial.kinetics.filter(
        ~pl.col("usubjid").is_in(shown.selected.subjects["usubjid"].implode()))))  # fmt: skip
    page = text_of(cohort.layout(none))
    assert "has a value of blood transgene" in page
    assert "Remove all filters" in page


def test_filters_that_leave_nobody_are_said_on_every_page() -> None:
    shown = view()
    empty = replace(
        shown, selected=replace(shown.selected, subjects=shown.selected.subjects.head(0))
    )
    said = text_of(cohort.layout(empty))
    assert "No patient is left" in said
    assert "No response" not in said


def test_a_peak_that_does_not_hold_among_all_comparisons_is_not_in_bold() -> None:
    page = found()
    main = page.mains[0]._replace(
        label="Peak to day 28", ratio=2.6, conf_low=1.1, conf_high=5.9, p_value=0.03
    )
    rows = [ForestRow(f"Day {k}", "", 1.0, 0.5, 2.0, 0.5) for k in range(7)]
    rows.append(ForestRow("Peak to day 28", "", 2.6, 1.1, 5.9, 0.03))
    page = page._replace(mains=(main,), forest=page.forest._replace(rows=tuple(rows)))
    parts = finding.sentence(page)
    assert all(isinstance(part, str) for part in parts)
    assert "p 0.030, not after correction for 8 comparisons)" in "".join(parts)
    alone = page._replace(forest=page.forest._replace(rows=(rows[-1],)))
    assert any(not isinstance(part, str) for part in finding.sentence(alone))


def test_groups_follow_the_address() -> None:
    assert found().groups == ("CR", "PR", "SD", "PD")
    assert found("color_by=dose_level").groups == ("DL1", "DL2")


def test_means_count_each_patient_once_and_need_three() -> None:
    rows = found().summary.filter(pl.col("group") == "SD").to_dicts()
    assert {row["n"] for row in rows} == {2}
    assert all(row["geometric_mean"] is None for row in rows)


def test_a_patient_never_above_the_limit_counts_in_the_mean_of_the_peaks() -> None:
    """Four peaks of 10 to 80 and one below 5: left out, the mean would be 28."""
    peaks_found = pl.DataFrame({
        "usubjid": list("abcde"), "group": ["PD"] * 5, "peak": [10.0, 20.0, 40.0, 80.0, 5.0],
        "peak_day": [10.0, 11.0, 12.0, 14.0, 7.0],
        "at_limit": [False] * 4 + [True], "above_limit": [False] * 5,
    })  # fmt: skip
    page = found()._replace(peaks=peaks_found)
    censored, day = visit_table.peak_cells(page)["PD"]
    (row,) = summarize_peaks(peaks_found, "x", blq="censored").to_dicts()
    assert (row["n"], row["n_below_limit"]) == (5, 1)
    assert row["geometric_mean"] == pytest.approx(17.7058, abs=1e-4)
    assert censored.startswith("18 (")
    assert day == "12 (10–14)"
    half, _ = visit_table.peak_cells(page._replace(blq="half_lloq"))["PD"]
    assert half.startswith("17 (")
    left_out, _ = visit_table.peak_cells(page._replace(blq="drop"))["PD"]
    assert left_out.startswith("28 (")


def test_uptake_is_compared_by_region_sorted_by_ratio() -> None:
    forest = found("signal=uptake:f18_dcfpyl_psma:suv_mean:lesion").forest
    ratios = [row.ratio for row in forest.rows if math.isfinite(row.ratio)]
    assert forest.rows[0].label == "Lesions"
    assert ratios == sorted(ratios, reverse=True)


@pytest.mark.parametrize(
    ("comparison", "words"),
    [
        (Comparison("x", "", 2.6, 1.7, 3.8, 0.00014, 12, 6, 0),
         "2.6 times higher in responders (95 % CI 1.7–3.8; n = 12 against 6, p 0.00014)"),
        (Comparison("x", "", 0.5, 0.25, 0.9, 0.03, 12, 6, 0),
         "2.0 times lower in responders (ratio 0.50, 95 % CI 0.25–0.90; n = 12 against 6, "
         "p 0.030)"),
        (Comparison("x", "", 0.62, 0.12, 3.1, 0.52, 16, 7, 0),
         "not clearly different (ratio 0.62, 95 % CI 0.12–3.1; n = 16 against 7, p 0.52)"),
        (Comparison("x", "", math.nan, math.nan, math.nan, math.nan, 2, 6, 0),
         "not comparable between responders and others (n = 2 against 6)"),
    ],
)  # fmt: skip
def test_the_sentence(comparison: Comparison, words: str) -> None:
    parts = finding.finding(comparison, "")
    said = "".join(part if isinstance(part, str) else str(part.children) for part in parts)
    assert said == words


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"geometric_mean": 1.84, "conf_low": 1.6, "conf_high": 2.1}, "1.8 (1.6–2.1)"),
        ({"geometric_mean": 0.01, "conf_low": 1e-9, "conf_high": 5e7}, "0.010 (too few to say)"),
        ({"geometric_mean": None, "values": [1.2, 2.3], "n": 2}, "1.2 / 2.3"),
        ({"geometric_mean": None, "n": 4, "n_below_limit": 4, "median_below": 50.0}, "< 50"),
        ({"geometric_mean": None, "n": 8, "n_below_limit": 6, "median_below": 50.0}, "mostly < 50"),
        ({"geometric_mean": None, "values": None, "n": 4}, "–"),
    ],
)
def test_a_cell_of_the_table(row: dict, text: str) -> None:
    whole = {"values": None, "n_below_limit": 0, "median_below": None, "conf_low": None,
             "conf_high": None, **row}  # fmt: skip
    assert visit_table.mean_cell(whole) == text


def test_many_visits_keep_the_usual_days() -> None:
    shown = visit_table.table_days(found())
    assert len(shown) <= visit_table.MAX_TABLE_DAYS
    assert {7.0, 14.0, 28.0} <= set(shown)


def test_the_title_says_when_and_never_who_is_ahead_by_chance() -> None:
    title = words.curves_title(found())
    assert title.startswith(("All group means peak on day", "Group means peak between day"))


def test_downloads_hold_the_numbers_of_the_page() -> None:
    asked = view()
    curves = cohort.DOWNLOADS["curves"](asked)
    assert curves.columns[:4] == ["usubjid", "group", "rel_day", "nominal_day"]
    assert curves.height == found().series.height
    assert "values" not in cohort.DOWNLOADS["table"](asked).columns
    assert cohort.DOWNLOADS["forest"](asked).height >= 1


def test_the_phone_gets_its_own_figure() -> None:
    assert cohort.layout(view(narrow=True)) is not None


@pytest.mark.parametrize("query", ["", "dose_level=DL1", "day_low=3&day_high=10"])
def test_peaks_kept_with_the_trial_are_those_of_the_patients_shown(query: str) -> None:
    shown = view(query)
    catalog = numbers.signals(shown)
    signal = numbers.chosen_signal(shown, catalog)
    numbers.cohort_numbers(view(""), signal, catalog)  # kept from the page without filters
    fresh = peaks(series.series_of(shown, signal))
    assert series.peaks_of(shown, signal).sort("usubjid").equals(fresh.sort("usubjid"))
    main = numbers.cohort_numbers(shown, signal, catalog).mains[0]
    best = best_response(shown.selected.responses, None, None)
    by_hand = compare_peaks(
        series.series_of(shown, signal),
        best.filter(best["responder"])["usubjid"].to_list(),
        best.filter(~best["responder"])["usubjid"].to_list(),
        label=main.label,
    )
    assert repr(main) == repr(by_hand._replace(note=main.note))
