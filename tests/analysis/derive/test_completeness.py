"""Literal tables: what counts as planned, as owed and as done."""

import polars as pl

from analysis.derive.completeness import planned_visits, visit_states
from analysis.derive.follow_up import last_contact

_SCANS = pl.DataFrame(
    [
        ("P1", "psma", 7.0, 7.1, True, None),
        ("P2", "psma", 7.0, 6.9, False, "uptake time"),
        ("P1", "psma", 28.0, 28.0, True, None),
        ("P2", "psma", 28.0, 29.0, False, "motion"),
        ("P2", "psma", 28.0, 30.0, True, None),
        ("P3", "psma", 21.0, 21.0, True, None),  # one patient only: unscheduled
        ("P9", "psma", 7.0, 7.0, True, None),  # not among the patients asked for
    ],
    schema=["usubjid", "series", "nominal_day", "rel_day", "evaluable", "reason"],
    orient="row",
)
_PATIENTS = pl.Series(["P1", "P2", "P3", "P4"])
_LAST = pl.DataFrame({"usubjid": ["P1", "P2", "P3"], "last_day": [90.0, 60.0, 25.5]})


def test_visit_is_planned_when_a_fifth_of_the_patients_have_it():
    visits = planned_visits(_SCANS, 4)
    assert visits.rows() == [("psma", 7.0, 3), ("psma", 28.0, 2)]


def test_states_per_patient_and_visit():
    states = visit_states(_SCANS, planned_visits(_SCANS, 4), _PATIENTS, _LAST)
    table = {(row[0], row[2]): row[3] for row in states.rows()}
    assert table == {
        ("P1", 7.0): "evaluable",
        ("P1", 28.0): "evaluable",
        ("P2", 7.0): "not_evaluable",
        ("P2", 28.0): "evaluable",  # the repeated scan counts
        ("P3", 7.0): "missing",  # has the tracer on another day
        ("P3", 28.0): "missing",  # followed to day 25.5: inside the window of day 28
        ("P4", 7.0): "not_due",  # never had this tracer
        ("P4", 28.0): "not_due",
    }


def test_visit_after_the_last_contact_is_not_due():
    early = pl.DataFrame({"usubjid": ["P3"], "last_day": [20.0]})
    states = visit_states(_SCANS, planned_visits(_SCANS, 4), _PATIENTS, early)
    found = states.filter((pl.col("usubjid") == "P3") & (pl.col("nominal_day") == 28.0))
    assert found["state"].to_list() == ["not_due"]


def test_last_contact_prefers_the_latest_day_and_names_its_source():
    survival = pl.DataFrame(
        {
            "usubjid": ["P1", "P1", "P2"],
            "endpoint": ["OS", "PFS", "OS"],
            "time_day": [100.0, 300.0, 40.0],
            "cnsr": [0, 1, 1],
        }
    )
    scans = pl.DataFrame(
        {
            "usubjid": ["P2", "P3", "P4"],
            "rel_day": [55.0, None, -6.0],
            "nominal_day": [55.0, 14.0, -5.0],
        }
    )
    known = last_contact(survival, {"scan": scans, "sample": None})
    assert known.rows() == [("P1", 100.0, "death"), ("P2", 55.0, "scan"), ("P3", 14.0, "scan")]
