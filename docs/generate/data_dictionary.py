"""The tables of the database, from the SQLAlchemy models."""

import re
from typing import Any

from sqlalchemy import CheckConstraint, Column, Index, Table, UniqueConstraint
from sqlalchemy.dialects import postgresql

from docs.generate.markdown import bullets, code, description, page, table
from models.base import Base, Interval, Measured, Record, Sourced, Timed
from models.tables import MODELS

OPENING = """\
The same on SQLite and Postgres. Types are those of Postgres: `FLOAT` is double precision, a
`TIMESTAMP` is in UTC. Columns that many tables share are described once, first."""

MIXINS: tuple[type[Any], ...] = (Sourced, Record, Timed, Interval, Measured)
TITLES = {
    Sourced: "Trial record",
    Record: "Record of a subject",
    Timed: "Time",
    Interval: "Interval",
    Measured: "Measured value",
}


def data_dictionary_page() -> str:
    return page(
        "Data dictionary",
        OPENING,
        "## Shared columns",
        *(mixin_section(mixin) for mixin in MIXINS),
        "## Tables",
        *(table_section(model) for model in MODELS),
    )


def mixin_section(mixin: type[Any]) -> str:
    """The columns a mixin adds to those of its own parents, from a table that has it."""
    model = next(one for one in MODELS if issubclass(one, mixin))
    names = list(own_names(mixin))
    columns = [column for column in held(model).columns if column.name in names]
    checks = bullets(shared_checks(mixin))
    return join(f"### {TITLES[mixin]}", description(mixin), column_table(columns), checks)


def own_names(mixin: type[Any]) -> tuple[str, ...]:
    """The columns that the class itself declares."""
    return tuple(name for name in mixin.__annotations__ if not name.startswith("_"))


def table_section(model: type[Base]) -> str:
    mixins = [mixin for mixin in MIXINS if issubclass(model, mixin)]
    shared = {name for mixin in mixins for name in own_names(mixin)}
    columns = [column for column in held(model).columns if column.name not in shared]
    titles = [TITLES[mixin] for mixin in mixins if not covered(mixin, mixins)]
    also = f"Shared columns: {', '.join(titles)}." if titles else ""
    return join(
        f"### {model.__tablename__}", description(model), also, column_table(columns), rules(model)
    )


def covered(mixin: type[Any], mixins: list[type[Any]]) -> bool:
    """Whether another of the table's mixins extends this one."""
    return any(other is not mixin and issubclass(other, mixin) for other in mixins)


def held(model: type[Base]) -> Table:
    stored = model.__table__
    assert isinstance(stored, Table)
    return stored


def column_table(columns: list[Column[Any]]) -> str:
    dialect = postgresql.dialect()
    rows = [
        (code(c.name), c.type.compile(dialect), "" if c.nullable else "required", refers_to(c))
        for c in columns
    ]
    return table(("column", "type", "", "refers to"), rows)


def refers_to(column: Column[Any]) -> str:
    if column.primary_key:
        return "primary key"
    return ", ".join(code(key.target_fullname) for key in column.foreign_keys)


def shared_checks(mixin: type[Any]) -> list[str]:
    """Checks of the mixin's own columns that every table with the mixin has."""
    names = set(own_names(mixin))
    tables = [checks_of(model) for model in MODELS if issubclass(model, mixin)]
    return [
        text
        for text, named in tables[0].items()
        if named and named <= names and all(text in other for other in tables)
    ]


def rules(model: type[Base]) -> str:
    """Unique keys and checks; those that stand with the shared columns are left out."""
    shared = {text for mixin in MIXINS if issubclass(model, mixin) for text in shared_checks(mixin)}
    checks = [text for text in checks_of(model) if text not in shared]
    keys = [
        *(rule for rule in held(model).constraints if isinstance(rule, UniqueConstraint)),
        *(index for index in held(model).indexes if index.unique),
    ]
    unique = [
        f"unique: {', '.join(code(column.name) for column in key.columns)}" + when(key)
        for key in keys
    ]
    return bullets([*sorted(unique), *checks])


def when(key: UniqueConstraint | Index) -> str:
    """The condition of a partial unique index."""
    condition = key.dialect_options["postgresql"].get("where") if isinstance(key, Index) else None
    return "" if condition is None else f" where {code(condition)}"


def checks_of(model: type[Base]) -> dict[str, set[str]]:
    """Each CHECK of the table as text, with the columns that it names; sorted by its name."""
    columns = {column.name for column in held(model).columns}
    rules = [rule for rule in held(model).constraints if isinstance(rule, CheckConstraint)]
    texts = [
        " ".join(str(rule.sqltext).split()) for rule in sorted(rules, key=lambda one: str(one.name))
    ]
    return {f"check: {code(text)}": set(re.findall(r"\w+", text)) & columns for text in texts}


def join(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
