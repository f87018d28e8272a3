"""Two response criteria are not one outcome: no ratio of the cohort page pools them."""

from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from analysis.derive.comparison import comparable_parts
from dashboard.address import Request
from dashboard.cohort import numbers
from dashboard.pages import cohort
from dashboard.selecting import build_view
from dashboard.view import Services, View
from figures.theme import LIGHT
from models.trial import Trial
from tests.dashboard.app_fixture import MemoryReader, no_job


class ReaderOfTwoCriteria(MemoryReader):
    """Cohort B is read by a marrow criterion."""

    def _read_trial(self, studyid: str, cut: str) -> Trial:
        trial = super()._read_trial(studyid, cut)
        in_b = trial.subjects.filter(pl.col("cohort") == "B").get_column("usubjid")
        criterion = pl.when(pl.col("usubjid").is_in(in_b.implode())).then(pl.lit("MARROW"))
        return replace(trial, responses=trial.responses.with_columns(
            criterion.otherwise("criterion").alias("criterion")))  # fmt: skip


def view(query: str) -> View:
    reader = ReaderOfTwoCriteria(synthetic_only=True)
    services = Services(reader, no_job, no_job, no_job, "demo", "0.1.0")
    return build_view(Request("/cohort", query, LIGHT, narrow=False), "", services)


@pytest.mark.parametrize("signal", ["", "signal=uptake:f18_dcfpyl_psma:suv_mean:lesion"])
def test_every_ratio_is_within_one_cohort_on_the_page_and_in_its_file(signal: str) -> None:
    page = numbers.shown(view(signal))
    sizes = dict(view("").selected.subjects.group_by("cohort").len().rows())
    assert [main.note for main in page.mains] == ["A", "B"]
    assert len({item.label for item in page.comparisons}) > 2
    for item in page.comparisons:
        assert item.note[:1] in sizes
        assert item.n_upper + item.n_lower <= sizes[item.note[:1]]
    assert {row.note[:1] for row in page.forest.rows} == {"A", "B"}
    notes = [panel.note.split("<br>") for panel in page.panels.panels if "ratio" in panel.note]
    assert notes
    assert all([line[:1] for line in lines] == ["A", "B"] for lines in notes)
    file = cohort.DOWNLOADS["forest"](view(signal))
    assert file.get_column("note").to_list() == [item.note for item in page.comparisons]


def test_one_criterion_chosen_is_not_split() -> None:
    page = numbers.shown(view("criterion=MARROW"))
    assert [main.note for main in page.mains] == [""]


def test_the_file_holds_the_peak_of_the_signal_once() -> None:
    rows = numbers.shown(view("cohort=A")).comparisons
    assert len({(row.label, row.note) for row in rows}) == len(rows)
    assert "Blood transgene, qPCR" not in {row.label for row in rows}


def best(*rows: tuple[str, str | None, bool | None]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["usubjid", "criterion", "responder"], orient="row")


def subjects(**cohorts: Any) -> pl.DataFrame:
    return pl.DataFrame({"usubjid": list(cohorts), "cohort": list(cohorts.values())},
                        schema_overrides={"cohort": pl.String})  # fmt: skip


def names(parts: list[tuple[str, pl.DataFrame]]) -> list[tuple[str, list[str]]]:
    return [(name, sorted(part.get_column("usubjid"))) for name, part in parts]


def test_the_parts_by_cohort_else_by_criterion() -> None:
    two = best(("a", "LUGANO", True), ("b", "LUGANO", False), ("c", "MARROW", True))
    by_cohort = comparable_parts(two, subjects(a="X", b="X", c="Y"))
    assert names(by_cohort) == [("X", ["a", "b"]), ("Y", ["c"])]
    one_cohort = comparable_parts(two, subjects(a="X", b="X", c="X"))
    assert names(one_cohort) == [("LUGANO", ["a", "b"]), ("MARROW", ["c"])]
    no_cohort = comparable_parts(two, subjects(a=None, b=None, c=None))
    assert names(no_cohort) == [("LUGANO", ["a", "b"]), ("MARROW", ["c"])]


def test_who_was_never_evaluable_splits_nothing() -> None:
    found = best(("a", "LUGANO", True), ("b", "LUGANO", False), ("c", "MARROW", None))
    assert names(comparable_parts(found, subjects(a="X", b="X", c="Y"))) == [
        ("", ["a", "b", "c"])
    ]  # fmt: skip
