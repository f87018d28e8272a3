import polars as pl

from analysis.derive.toxicity import daily_grade, maximum_grade, on_one_scale


def events(*rows):
    """rows: (patient, category, scale, grade, start, end)."""
    names = ("usubjid", "category", "scale", "grade", "rel_day", "end_rel_day")
    types = (pl.String, pl.String, pl.String, pl.Int64, pl.Float64, pl.Float64)
    return pl.DataFrame(list(rows), schema=dict(zip(names, types, strict=True)), orient="row")


def test_maximum_onset_and_end():
    found = maximum_grade(
        events(
            ("P1", "CRS", "ASTCT 2019", 1, 2.5, 4.1),
            ("P1", "CRS", "ASTCT 2019", 3, 4.0, 6.0),
            ("P1", "ICANS", "ASTCT 2019", 2, 5.0, None),
        )
    )
    assert found.rows() == [
        ("P1", "CRS", "ASTCT 2019", 3, 2.5, 6.0, 2),
        ("P1", "ICANS", "ASTCT 2019", 2, 5.0, None, 1),
    ]


def test_grades_of_two_scales_stay_apart():
    found = maximum_grade(
        events(("P1", "CRS", "Penn", 3, 2.0, 3.0), ("P1", "CRS", "ASTCT 2019", 2, 2.0, 3.0))
    )
    assert found.select("scale", "max_grade").rows() == [("ASTCT 2019", 2), ("Penn", 3)]


def test_each_day_has_its_highest_grade():
    found = daily_grade(
        events(
            ("P1", "CRS", "ASTCT 2019", 1, 2.5, 4.1),
            ("P1", "CRS", "ASTCT 2019", 3, 4.0, 5.0),
            ("P1", "ICANS", "ASTCT 2019", 4, 4.0, 9.0),
        ),
        "CRS",
    )
    assert found.select("day", "grade").rows() == [(2, 1), (3, 1), (4, 3), (5, 3)]


def test_an_event_without_an_end_is_not_carried_forward():
    found = daily_grade(events(("P1", "CRS", "ASTCT 2019", 2, 9.0, None)), "CRS")
    assert found.select("day", "grade", "end_known").rows() == [(9, 2, False)]


def test_grade_0_is_no_event():
    """It says that none was seen, and does not begin the event that came later; beside an event
    without a grade the highest grade is unknown, not 0."""
    found = maximum_grade(
        events(
            ("P1", "CRS", "ASTCT 2019", 0, 0.0, 1.0),
            ("P1", "CRS", "ASTCT 2019", 2, 3.0, 5.0),
            ("P2", "CRS", "ASTCT 2019", 0, 0.0, None),
            ("P3", "CRS", "ASTCT 2019", 0, 0.0, 1.0),
            ("P3", "CRS", "ASTCT 2019", None, 4.0, 6.0),
        )
    )
    assert found.rows() == [
        ("P1", "CRS", "ASTCT 2019", 2, 3.0, 5.0, 1),
        ("P2", "CRS", "ASTCT 2019", 0, 0.0, None, 1),
        ("P3", "CRS", "ASTCT 2019", None, 4.0, 6.0, 1),
    ]


def test_no_events():
    assert maximum_grade(None).is_empty()
    assert daily_grade(None, "CRS").is_empty()


def test_of_two_scales_a_patient_keeps_the_one_that_most_have():
    """Patient a is graded on both, b by the usual one, c by the other one only."""
    events = pl.DataFrame({
        "usubjid": ["a", "a", "b", "c", "a"],
        "category": ["CRS"] * 4 + ["ICANS"],
        "scale": ["Penn", "ASTCT 2019", "ASTCT 2019", "Penn", None],
        "grade": [3, 1, 2, 3, 2],
    })  # fmt: skip
    kept = on_one_scale(events).select("usubjid", "category", "scale", "grade").rows()
    assert kept == [
        ("a", "CRS", "ASTCT 2019", 1), ("b", "CRS", "ASTCT 2019", 2), ("c", "CRS", "Penn", 3),
        ("a", "ICANS", None, 2),
    ]  # fmt: skip
