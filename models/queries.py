"""Reading studies: what there is, and one study as it stands in one data cut.

Statements filter by study and cut only; everything finer is done in polars.
"""

from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Column, Connection, Engine, Table, or_, select

from models import snapshot
from models.connect import reading
from models.errors import UnknownNameError
from models.frames import read_frame
from models.tables import TABLES
from models.trial import RECORD_FRAMES, Cut, Trial

LINEAGE = ("source_file", "source_sheet", "source_row", "source_column", "raw_text", "raw_unit")
_HIDDEN = frozenset(("id", "study_id", "record_key", "content_hash", "superseded_in"))

LOOKUPS: dict[str, tuple[str, str, str]] = {
    "subject_id": ("subject", "usubjid", "usubjid"),
    "site_id": ("site", "siteid", "siteid"),
    "product_id": ("product", "name", "product"),
    "infusion_id": ("infusion", "infusion_no", "infusion_no"),
    "tracer_administration_id": ("tracer_administration", "administration_no", "administration_no"),
    "scan_id": ("scan", "scan_code", "scan_code"),
    "region_id": ("region", "region_code", "region_code"),
    "source_file_id": ("source_file", "path", "source_file"),
}
"""Column of ids -> (table, its column with the code, name of the code in the frame)."""

SCAN_COLUMNS = (
    "tracer_id",
    "modality",
    "uptake_time_h",
    "evaluable",
    "not_evaluable_reason",
    "rel_day",
    "rel_day_source",
    "visit",
    "visitnum",
    "nominal_day",
    "dtm_utc",
    "dtm_text",
)
"""What a quantification takes from its scan."""


def list_studies(engine: Engine) -> pl.DataFrame:
    """One row per study, sorted by `studyid`; the columns of the table."""
    table = TABLES["study"]
    with reading(engine) as connection:
        return read_frame(connection, list(table.c), select(table).order_by(table.c.studyid))


def list_cuts(engine: Engine, studyid: str) -> pl.DataFrame:
    """One row per data cut of the study, oldest first: id, name, load_id, created_at."""
    with reading(engine) as connection:
        return _cuts(connection, int(_study(connection, studyid)["id"]))


def read_study(engine: Engine, studyid: str) -> dict[str, Any]:
    """The row of a study. Raises UnknownNameError."""
    with reading(engine) as connection:
        return _study(connection, studyid)


def study_state(engine: Engine, studyid: str) -> tuple[Any, ...]:
    """A value that stays equal as long as nothing happens to the study: its row, its cuts and the
    state of its loads. Cheap; says whether a trial read before is still the whole truth.

    Raises UnknownNameError.
    """
    load, cut = TABLES["load"].c, TABLES["data_cut"].c
    with reading(engine) as connection:
        study = _study(connection, studyid)
        cuts = select(cut.id, cut.name, cut.load_id).where(cut.study_id == study["id"])
        loads = select(load.id, load.status).where(load.study_id == study["id"])
        return (
            tuple(study.values()),
            tuple(map(tuple, connection.execute(cuts.order_by(cut.id)))),
            tuple(map(tuple, connection.execute(loads.order_by(load.id)))),
        )


def read_trial(
    engine: Engine, studyid: str, cut: str | None = None, cache_dir: Path | None = None
) -> Trial:
    """The study in the cut of that name, by default the newest; all frames from one state.

    `cache_dir` keeps parquet copies of the frames (models.snapshot); the database stays the truth.
    Raises UnknownNameError for a study or a cut that is not there.
    """
    with reading(engine) as connection:
        study = _study(connection, studyid)
        study_id = int(study["id"])
        cuts = _cuts(connection, study_id)
        pinned = _cut(cuts, studyid, cut)
        records = _read_records(connection, studyid, study_id, pinned, cache_dir)
        history = _read_history(connection, study_id)
    tracers = history["tracers"]
    records["quantifications"] = _with_scan_and_region(records, tracers)
    records["lesions"] = _with_region(records["lesions"], records["regions"])
    records["scans"] = _with_tracer_class(records["scans"], tracers)
    arranged = {name: _arranged(frame) for name, frame in records.items()}
    return Trial(study=study, cut=pinned, cuts=cuts, **arranged, **history)


def _study(connection: Connection, studyid: str) -> dict[str, Any]:
    table = TABLES["study"]
    found = connection.execute(select(table).where(table.c.studyid == studyid)).mappings().first()
    if found is None:
        known = connection.scalars(select(table.c.studyid).order_by(table.c.studyid)).all()
        listed = ", ".join(known) if known else "none yet, load one by `cartograph load`"
        raise UnknownNameError(f"study '{studyid}' is not in the database; studies: {listed}")
    return dict(found)


def _cuts(connection: Connection, study_id: int) -> pl.DataFrame:
    table = TABLES["data_cut"]
    query = select(table).where(table.c.study_id == study_id)
    columns = [table.c[name] for name in ("id", "name", "load_id", "created_at")]
    return read_frame(connection, columns, query.order_by(table.c.load_id, table.c.id))


def _cut(cuts: pl.DataFrame, studyid: str, name: str | None) -> Cut:
    if name is None:
        return Cut(**cuts.row(-1, named=True)) if cuts.height else Cut(0, "", 0, None)
    wanted = cuts.filter(pl.col("name") == name)
    if wanted.is_empty():
        listed = ", ".join(cuts["name"]) or "none yet"
        raise UnknownNameError(f"study '{studyid}' has no data cut '{name}'; cuts: {listed}")
    return Cut(**wanted.row(0, named=True))


def _read_records(
    connection: Connection, studyid: str, study_id: int, cut: Cut, cache_dir: Path | None
) -> dict[str, pl.DataFrame]:
    codes: dict[str, pl.DataFrame] = {}

    def read(table: str) -> pl.DataFrame:
        visible = _visible(connection, TABLES[table], study_id, cut)
        return _with_codes(connection, visible, study_id, codes)

    if cache_dir is None or not cut.load_id:
        return {name: read(table) for name, table in RECORD_FRAMES.items()}
    store = snapshot.Store(cache_dir, studyid, cut)
    return {
        name: store.read(table, lambda table=table: read(table))  # type: ignore[misc]
        for name, table in RECORD_FRAMES.items()
    }


def _visible(connection: Connection, table: Table, study_id: int, cut: Cut) -> pl.DataFrame:
    query = select(table).where(
        table.c.study_id == study_id,
        table.c.loaded_in <= cut.load_id,
        or_(table.c.superseded_in.is_(None), table.c.superseded_in > cut.load_id),
    )
    columns = [column for column in table.c if column.name not in _HIDDEN]
    return read_frame(connection, columns, query.order_by(table.c.id))


def _with_codes(
    connection: Connection, frame: pl.DataFrame, study_id: int, codes: dict[str, pl.DataFrame]
) -> pl.DataFrame:
    """Replace ids by codes. A code is the same in every version of the row it comes from."""
    for key, (table, _, name) in LOOKUPS.items():
        if key in frame.columns:
            if key not in codes:
                codes[key] = _codes(connection, key, TABLES[table], study_id)
            position = frame.columns.index(key)
            joined = frame.join(codes[key], on=key, how="left", maintain_order="left")
            resolved = joined[name]
            frame = joined.drop(key, name).insert_column(position, resolved)
    return frame


def _codes(connection: Connection, key: str, table: Table, study_id: int) -> pl.DataFrame:
    _, code, name = LOOKUPS[key]
    query = select(table).where(table.c.study_id == study_id)
    columns: list[Column[Any]] = [table.c.id, table.c[code]]
    return read_frame(connection, columns, query).rename({"id": key, code: name})


def _with_scan_and_region(records: dict[str, pl.DataFrame], tracers: pl.DataFrame) -> pl.DataFrame:
    """Quantifications with time, tracer and fitness of their scan in this cut."""
    scans = records["scans"].select("usubjid", "scan_code", *SCAN_COLUMNS)
    joined = records["quantifications"].join(
        scans, on=["usubjid", "scan_code"], how="left", maintain_order="left"
    )
    return _with_region(_with_tracer_class(joined, tracers), records["regions"])


def _with_region(frame: pl.DataFrame, regions: pl.DataFrame) -> pl.DataFrame:
    described = regions.select(
        "usubjid",
        "region_code",
        region_kind="kind",
        region_label="label",
        region_location="location",
        lesion_role="lesion_role",
    )
    return frame.join(described, on=["usubjid", "region_code"], how="left", maintain_order="left")


def _with_tracer_class(frame: pl.DataFrame, tracers: pl.DataFrame) -> pl.DataFrame:
    classes = tracers.select("tracer_class", tracer_id="id")
    return frame.join(classes, on="tracer_id", how="left", maintain_order="left")


def _arranged(frame: pl.DataFrame) -> pl.DataFrame:
    """Who first, where it stood last."""
    last = [*LINEAGE, "loaded_in"]
    middle = [name for name in frame.columns if name != "usubjid" and name not in last]
    return frame.select("usubjid", *middle, *last)


def _read_history(connection: Connection, study_id: int) -> dict[str, pl.DataFrame]:
    """The registry of tracers, and all loads of the study with what they brought."""
    load, file = TABLES["load"], TABLES["source_file"]
    of_study = select(load.c.id).where(load.c.study_id == study_id)
    tracer = TABLES["tracer"]
    paths = read_frame(
        connection, [file.c.id, file.c.path], select(file).where(file.c.study_id == study_id)
    )
    paths = paths.rename({"id": "source_file_id", "path": "source_file"})
    frames = {
        "tracers": read_frame(connection, list(tracer.c), select(tracer).order_by(tracer.c.id)),
        "loads": read_frame(
            connection,
            [column for column in load.c if column.name not in ("study_id", "profile_text")],
            select(load).where(load.c.study_id == study_id).order_by(load.c.id),
        ),
        "source_files": read_frame(
            connection,
            [column for column in file.c if column.name != "study_id"],
            select(file).where(file.c.study_id == study_id).order_by(file.c.id),
        ),
    }
    for name, table in (("refused", TABLES["refused_row"]), ("findings", TABLES["finding"])):
        query = select(table).where(table.c.load_id.in_(of_study)).order_by(table.c.id)
        frame = read_frame(connection, list(table.c), query)
        frames[name] = frame.join(
            paths, on="source_file_id", how="left", maintain_order="left"
        ).drop("id", "source_file_id")
    return frames
