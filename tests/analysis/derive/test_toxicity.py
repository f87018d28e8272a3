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


def rows_of(frame):
    return frame.select("usubjid", "category", "scale", "grade").rows()


def test_of_two_scales_for_the_same_days_the_one_that_most_have_stands():
    """Three patients have Penn, and the first in the alphabet would be ASTCT."""
    found = on_one_scale(
        events(
            ("a", "CRS", "ASTCT 2019", 1, 2.0, 4.0),
            ("a", "CRS", "Penn", 3, 4.5, 6.0),
            ("b", "CRS", "Penn", 2, 1.0, 3.0),
            ("c", "CRS", "Penn", 3, 1.0, 3.0),
            ("d", "CRS", "ASTCT 2019", 2, 1.0, 3.0),
            ("a", "ICANS", None, None, 2.0, 4.0),
        )
    )
    assert rows_of(found.kept) == [
        ("a", "CRS", "Penn", 3), ("b", "CRS", "Penn", 2), ("c", "CRS", "Penn", 3),
        ("d", "CRS", "ASTCT 2019", 2), ("a", "ICANS", None, None),
    ]  # fmt: skip
    assert rows_of(found.set_aside) == [("a", "CRS", "ASTCT 2019", 1)]


def test_another_episode_stands_on_the_scale_it_has():
    """A second episode of grade 4 was once lost behind a first one of grade 1."""
    given = events(
        ("A", "CRS", "ASTCT 2019", 1, 1.0, 3.0),
        ("A", "CRS", "Penn", 4, 40.0, 44.0),
        ("B", "CRS", "ASTCT 2019", 1, 1.0, None),
        ("B", "CRS", "Penn", 2, 2.0, None),
        ("B", "CRS", "Penn", 3, None, None),
    )
    found = on_one_scale(given)
    assert rows_of(found.kept) == rows_of(given)
    assert found.set_aside.is_empty()


def test_a_scale_without_a_grade_grades_nobody():
    given = events(
        ("A", "CRS", "ASTCT 2019", None, 1.0, 3.0),
        ("A", "CRS", "Penn", 3, 1.0, 3.0),
        ("B", "CRS", "ASTCT 2019", 1, 1.0, 3.0),
    )
    assert rows_of(on_one_scale(given).kept) == rows_of(given)


def test_other_events_are_not_one_event():
    given = events(
        ("A", "OTHER", "CTCAE 5.0", 1, 3.0, 9.0),
        ("A", "OTHER", "CTCAE 4.03", 4, 3.0, 9.0),
        ("B", "OTHER", "CTCAE 5.0", 2, 1.0, 2.0),
    )
    assert rows_of(on_one_scale(given).kept) == rows_of(given)


def test_what_only_a_set_aside_grade_touches_stands():
    """Of three scales the third meets the second alone, which is set aside for the first."""
    found = on_one_scale(
        events(
            ("A", "CRS", "X", 1, 1.0, 3.0),
            ("A", "CRS", "Y", 2, 3.0, 9.0),
            ("A", "CRS", "Z", 4, 9.0, 12.0),
        )
    )
    assert [row[2] for row in rows_of(found.kept)] == ["X", "Z"]
    assert [row[2] for row in rows_of(found.set_aside)] == ["Y"]


def test_nobody_has_a_scale():
    assert on_one_scale(None).kept.is_empty()
    assert on_one_scale(events(("A", "CRS", None, None, 1.0, 2.0))).kept.height == 1
