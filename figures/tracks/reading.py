"""From stored rows to drawn points: a limit is drawn at the limit and says so."""

from collections.abc import Iterable, Sequence

from analysis.derive.labels import display_unit
from figures.number_text import EN_DASH, day_text, significant
from figures.tracks.patient_frames import PatientFrames, Row, at_day, hover_text
from figures.tracks.track import Limit, Point, ReadRow, Series


def unit_text(unit: str | None) -> str:
    """A unit as it is printed: micro signs, and SUV with its formal g/mL left to the title."""
    return display_unit(unit or "")


def value_text(row: Row, with_unit: bool = True) -> str:
    """ "16,300 copies/µg", "< 50" below the limit, "0" for a zero delivered without a limit."""
    unit = f" {unit_text(row.get('unit'))}" if with_unit and row.get("unit") else ""
    kind = row.get("censored") or "none"
    if row.get("limit_source") == "assumed" and row.get("delivered") is not None:
        return f"{significant(row['delivered'])}{unit}"
    if kind == "left":
        return f"< {significant(row.get('upper'))}{unit}"
    if kind == "right":
        return f"> {significant(row.get('lower'))}{unit}"
    if kind == "interval":
        return f"{significant(row.get('lower'))} to {significant(row.get('upper'))}{unit}"
    return f"{significant(row.get('value'))}{unit}"


def drawn_value(row: Row) -> float | None:
    """Height at which a row is drawn: the value, or the limit when it is censored."""
    kind = row.get("censored") or "none"
    column = {"none": "value", "right": "lower"}.get(kind, "upper")
    value = row.get(column)
    return None if value is None else float(value)


def points(
    patient: PatientFrames, found: Iterable[Row], what: str, log: bool, factor: float = 1.0
) -> tuple[Point, ...]:
    """Drawn points of one quantity; `factor` scales the height, never the words."""
    made = []
    for row in found:
        height = drawn_value(row)
        if height is None or row.get("rel_day") is None or (log and height <= 0):
            continue
        made.append(
            Point(
                day=float(row["rel_day"]),
                value=height * factor,
                censored=row.get("censored") or "none",
                text=value_text(row, with_unit=False),
                unit=unit_text(row.get("unit")),
                hover=hover_text(patient, row, f"{what} {value_text(row)}", _note(row)),
            )
        )
    return tuple(made)


def _note(row: Row) -> str:
    if row.get("limit_source") == "assumed":
        return "Zero delivered without a limit: drawn open at the smallest value of the trial"
    return "Geometric mean of replicates" if (row.get("n_regions") or 1) > 1 else ""


def limits(
    found: Sequence[Row], color: str, factor: float = 1.0, column: str = "lloq"
) -> tuple[Limit, ...]:
    """One dashed line when all samples share their limit; several limits are said as a range."""
    known = {float(row[column]) for row in found if row.get(column)}
    censored = [row for row in found if row.get("censored") == "left" and row.get("upper")]
    known |= {float(row["upper"]) for row in censored if row.get("limit_source") != "assumed"}
    if not known:
        assumed = {float(row["upper"]) for row in censored}
        return tuple(Limit(value * factor, "Limit not delivered", color) for value in assumed)
    low, high = min(known), max(known)
    if high / low < 1.05:
        return (Limit(high * factor, f"LLOQ {significant(high)}", color),)
    return (Limit(high * factor, f"LLOQ {significant(low)} to {significant(high)}", color),)


def point_at(series: Series, day: float | None) -> Point | None:
    """The last sample of a series on a whole day; None when nothing was measured."""
    here = [point for point in series.points if at_day(point.day, day)]
    return here[-1] if here else None


NEAR_DAYS = 2.5
"""How far a neighboring sample may lie to be read in place of none; its day is then said."""


def read_row(series: Series, day: float | None, with_unit: bool = False) -> ReadRow:
    """Legend and value of a series: on the day, else of the nearest sample within two days with
    its day named, else a dash. Visits wander by a day or two; a silent stand-in would mislead."""
    point, at = point_at(series, day), ""
    if point is None and day is not None:
        near = [one for one in series.points if abs(one.day - day) < NEAR_DAYS]
        point = min(near, key=lambda one: abs(one.day - day), default=None)
        at = f"d {day_text(point.day)}" if point is not None else ""
    if point is None:
        return ReadRow(series.label, EN_DASH, series.key)
    text = f"{point.text} {point.unit}".strip() if with_unit else point.text
    return ReadRow(series.label, text, series.key, at=at)


def peak(series: Series) -> Point | None:
    """The highest exact point at or after infusion; None when there is none."""
    exact = [p for p in series.points if p.censored == "none" and p.day >= 0]
    return max(exact, key=lambda point: point.value) if exact else None
