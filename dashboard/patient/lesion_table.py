"""The lesions of one patient: size, volume and uptake side by side, one row per lesion."""

from collections.abc import Sequence
from typing import NamedTuple

from figures.day_scale import DayScale, scale_for
from figures.number_text import EN_DASH, signed_percent, significant, whole_day
from figures.sparkline import Sparkline, SparkPoint, prepare_sparkline, spark_scale
from figures.tracks.patient_frames import PatientFrames, Row, SignalRows
from figures.tracks.reading import drawn_value, value_text
from figures.tracks.tracer_text import SIGNAL_COLOR, metric_name, tracer_of, tracer_short
from figures.tracks.uptake import choose_metric, lesion_signal, natural

ARROW = "\N{RIGHTWARDS ARROW}"
DIAMETERS = ("LDIAM", "SAXIS")


class LesionRow(NamedTuple):
    """Finished text of one lesion; empty cells are a dash."""

    code: str
    site: str
    size: str
    change: str
    spark: Sparkline | None
    peak: str
    fold: str
    to_liver: str
    volume: str


class LesionTable(NamedTuple):
    """All lesions; a column that no lesion fills is not shown (`has`)."""

    rows: tuple[LesionRow, ...]
    has: frozenset[str]
    uptake: str
    """"FHBG SUVmean": what the uptake columns hold; empty without uptake."""
    color: str
    folds: tuple[float, ...]


def lesion_table(
    patient: PatientFrames, regions: Sequence[Row], measured: Sequence[Row], metric: str = ""
) -> LesionTable | None:
    """The table; None for a patient without a lesion.

    regions: rows of the region table; measured: rows of the lesion measurements with a day.
    """
    uptake = _uptake(patient, metric, cells=True)
    volume = _volume(patient)
    named = {row["region_code"]: row for row in regions if row.get("kind") == "lesion"}
    codes = sorted(
        {
            *named,
            *(row["region_code"] for row in measured if row.get("region_code")),
            *(row["region_code"] for row in (uptake[1].regions if uptake else ())),
        },
        key=natural,
    )
    if not codes:
        return None
    lines = {code: _spark_points(uptake[1] if uptake else None, code) for code in codes}
    days = scale_for([point.day for line in lines.values() for point in line] or [0.0])
    folds: list[float] = []
    rows = tuple(
        _row(code, named.get(code, {}), patient, measured, uptake, volume, lines, days, folds)
        for code in codes
    )
    columns = ("size", "change", "peak", "fold", "to_liver", "volume")
    has = {name for name in columns if any(getattr(row, name) != EN_DASH for row in rows)}
    if any(row.spark is not None for row in rows):
        has.add("spark")
    kind = uptake[0] if uptake else "tumor_tracer"
    return LesionTable(
        rows=rows,
        has=frozenset(has),
        uptake=f"{tracer_short(uptake[1].signal.tracer_id)} {metric_name(uptake[1].signal.code)}"
        if uptake
        else "",
        color=SIGNAL_COLOR[kind],
        folds=tuple(folds),
    )


def _uptake(patient: PatientFrames, metric: str, cells: bool) -> tuple[str, SignalRows] | None:
    by_tracer: dict[str, list[SignalRows]] = {}
    for one in patient.of_domain("uptake"):
        by_tracer.setdefault(one.signal.tracer_id or "", []).append(one)
    order = ("reporter_gene", "direct_label", "pretargeting", "immune_target", "tumor_tracer")
    for wanted in order if cells else ("tumor_tracer",):
        for tracer_id, found in sorted(by_tracer.items()):
            tracer = tracer_of(tracer_id)
            if tracer is not None and tracer.tracer_class == wanted:
                chosen = lesion_signal(choose_metric(found, wanted, metric))
                if chosen is not None and chosen.regions:
                    return wanted, chosen
    return None


def _volume(patient: PatientFrames) -> tuple[Row, ...]:
    """Volumes of the tumor in each lesion; a volume of tracked cells is none."""
    for one in patient.of_domain("uptake"):
        tracer = tracer_of(one.signal.tracer_id)
        if tracer is not None and tracer.tracer_class != "tumor_tracer":
            continue
        if one.signal.code.startswith("mtv") and one.signal.region_kind == "lesion":
            return one.regions
    return ()


def _spark_points(found: SignalRows | None, code: str) -> list[SparkPoint]:
    if found is None:
        return []
    return [
        SparkPoint(float(row["rel_day"]), value, (row.get("censored") or "none") != "none")
        for row in found.regions
        if row["region_code"] == code and (value := drawn_value(row)) is not None
    ]


def _row(
    code: str,
    region: Row,
    patient: PatientFrames,
    measured: Sequence[Row],
    uptake: tuple[str, SignalRows] | None,
    volume: Sequence[Row],
    lines: dict[str, list[SparkPoint]],
    days: DayScale,
    folds: list[float],
) -> LesionRow:
    scale = spark_scale(lines.values(), days, log=True)
    size, change = _size([row for row in measured if row.get("region_code") == code])
    peak, fold, to_liver = EN_DASH, EN_DASH, EN_DASH
    if uptake is not None:
        found = [row for row in uptake[1].regions if row["region_code"] == code]
        peak, fold, to_liver, ratio = _peak(found, patient, uptake[1])
        if ratio is not None:
            folds.append(ratio)
    return LesionRow(
        code=code,
        site=str(region.get("label") or region.get("location") or patient.region_labels.get(code)
                 or EN_DASH),
        size=size,
        change=change,
        spark=prepare_sparkline(lines[code], scale),
        peak=peak,
        fold=fold,
        to_liver=to_liver,
        volume=_first_last([row for row in volume if row["region_code"] == code]),
    )  # fmt: skip


def _size(rows: Sequence[Row]) -> tuple[str, str]:
    """Diameter at baseline and at the last visit in mm, and the change in percent."""
    for metric in DIAMETERS:
        found = [row for row in rows if row.get("metric") == metric]
        if found:
            return _first_last(found), _size_change(found)
    return EN_DASH, EN_DASH


def _size_change(found: Sequence[Row]) -> str:
    first, last = _baseline(found), found[-1]
    if first is None or first is last or not first.get("value") or last.get("value") is None:
        return EN_DASH
    return signed_percent(100 * (last["value"] / first["value"] - 1)).removesuffix(" %")


def _baseline(found: Sequence[Row]) -> Row | None:
    """The last row at or before infusion; a later one is no baseline."""
    before = [row for row in found if row["rel_day"] <= 0]
    return before[-1] if before else None


def _first_last(found: Sequence[Row]) -> str:
    """ "34 → 14"; a dash stands for a baseline that was not measured."""
    if not found:
        return EN_DASH
    first, last = _baseline(found), found[-1]
    if first is last:
        return value_text(last, False)
    start = EN_DASH if first is None else value_text(first, False)
    return f"{start} {ARROW} {value_text(last, False)}"


def _peak(
    found: Sequence[Row], patient: PatientFrames, signal: SignalRows
) -> tuple[str, str, str, float | None]:
    after = [
        row for row in found
        if row["rel_day"] >= 0 and row.get("censored", "none") == "none" and row.get("value")
    ]  # fmt: skip
    if not after:
        return EN_DASH, EN_DASH, EN_DASH, None
    top = max(after, key=lambda row: row["value"])
    text = f"{significant(top['value'])} (day {whole_day(top['rel_day'])})"
    before = [row for row in found if row["rel_day"] < 0 and row.get("value")]
    ratio = top["value"] / before[-1]["value"] if before else None
    liver = _liver(patient, signal, top)
    return (
        text,
        EN_DASH if ratio is None else significant(ratio, 2),
        EN_DASH if liver is None else significant(top["value"] / liver, 2),
        ratio,
    )


def _liver(patient: PatientFrames, signal: SignalRows, top: Row) -> float | None:
    same = signal.signal
    for one in patient.of_domain("uptake"):
        other = one.signal
        if ((other.region_code or "").upper(), other.tracer_id, other.code) == (
            "LIVER",
            same.tracer_id,
            same.code,
        ):
            for row in one.rows:
                if abs(row["rel_day"] - top["rel_day"]) < 0.05 and row.get("value"):
                    return float(row["value"])
    return None


def lesion_title(table: LesionTable) -> str:
    """What the table shows: the range of the folds when every lesion has one."""
    if table.folds and len(table.folds) == len(table.rows):
        low, high = min(table.folds), max(table.folds)
        if low > 1.0 and table.color == "reporter_gene":
            return f"Lesion uptake rose {_range(low, high)} times"
        return f"Lesion uptake, {_range(low, high)} times baseline"
    return "Lesions: uptake, size and volume" if table.uptake else "Lesions: size"


def _range(low: float, high: float) -> str:
    first, last = significant(low, 2), significant(high, 2)
    return first if first == last else f"{first} to {last}"
