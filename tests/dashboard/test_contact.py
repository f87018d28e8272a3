"""Overview and roster say one last contact, and the last sample or scan by its own name."""

import polars as pl
import pytest

from analysis.derive.follow_up import last_contact
from dashboard.address import Request
from dashboard.contact import last_contacts, last_measurements
from dashboard.pages import overview, patients
from dashboard.patient.records import records_of
from dashboard.patient.roster import roster
from dashboard.selecting import build_view
from dashboard.trial_numbers import trial_numbers
from dashboard.view import Services, View
from figures.theme import LIGHT
from tests.dashboard.app_fixture import MemoryReader, no_job
from tests.dashboard.test_model import text_of


def survival(*rows: tuple[str, str, float, int, str | None]) -> pl.DataFrame:
    names = ["usubjid", "endpoint", "time_day", "cnsr", "start_from"]
    types = dict(zip(names, (pl.String, pl.String, pl.Float64, pl.Int64, pl.String), strict=True))
    return pl.DataFrame(rows, schema=types, orient="row")


SCANS = pl.DataFrame({"usubjid": ["S1", "S2"], "rel_day": [60.0, 28.0]})


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # Progression-free to day 400 is a contact on day 400, with or without overall survival.
        ([("S1", "PFS", 400.0, 1, None)], (400.0, "survival")),
        ([("S1", "OS", 300.0, 0, None), ("S1", "PFS", 300.0, 0, None)], (300.0, "death")),
        ([("S1", "OS", 20.0, 1, None)], (60.0, "scan")),
        # Days of response do not count from infusion; nor do those from enrollment.
        ([("S1", "DOR", 370.0, 1, None)], (60.0, "scan")),
        ([("S1", "PFS", 400.0, 1, "Enrollment")], (60.0, "scan")),
        ([("S1", "PFS", 400.0, 1, "Infusion")], (400.0, "survival")),
    ],
)
def test_last_contact(rows, expected) -> None:
    found = last_contact(survival(*rows), {"scan": SCANS}).filter(pl.col("usubjid") == "S1")
    assert found.select("last_day", "source").row(0) == expected


def frames(end: float):
    held = {
        "survival": survival(("S1", "PFS", end, 1, None), ("S2", "PFS", end, 1, None)),
        "scans": SCANS,
    }
    return lambda name: held.get(name, pl.DataFrame())


def test_two_days_two_names() -> None:
    contact = dict(last_contacts(frames(400.0)).select("usubjid", "last_day").iter_rows())
    measured = dict(last_measurements(frames(400.0)).select("usubjid", "last_day").iter_rows())
    assert contact == {"S1": 400.0, "S2": 400.0}
    assert measured == {"S1": 60.0, "S2": 28.0}


def view_of(page) -> View:
    services = Services(MemoryReader(synthetic_only=True), no_job, no_job, no_job, "demo", "0.1.0")
    return build_view(Request(page.PATH, "", LIGHT, narrow=False), "", services, page)


def test_the_pages_agree() -> None:
    view = view_of(overview)
    numbers = trial_numbers(view)
    rows = roster(records_of(view.trial), view.selected.subjects.to_dicts(), pl.DataFrame()).rows
    infused = view.trial.subjects.filter(pl.col("infused").fill_null(False))["usubjid"].to_list()
    of_infused = [row for row in rows if row.usubjid in infused]
    days = [row.follow_up_day for row in of_infused if row.follow_up_day is not None]
    assert numbers.overview.follow_up_day == (pl.Series(days).median(), min(days), max(days))
    measured = [r.last_measured_day for r in of_infused if r.last_measured_day is not None]
    assert numbers.last_measured_day == pl.Series(measured).median()
    assert all((row.last_measured_day or 0.0) <= (row.follow_up_day or 0.0) for row in of_infused)
    page = text_of(overview.layout(view))
    assert "Last contact, median" in page
    assert "last sample or scan, median" in page
    listed = text_of(patients.layout(view_of(patients)))
    assert "Last contact" in listed
    assert "Last data" not in listed
    table = patients.DOWNLOADS["roster"](view_of(patients))
    assert {"last_contact_day", "last_sample_or_scan_day"} <= set(table.columns)
