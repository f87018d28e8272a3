"""Where Alembic meets the data model; run by `models.revision`, always on an open connection.

A new revision is drafted with
``alembic -x database=sqlite:///FILE revision --autogenerate -m "..."`` and then read and
corrected by hand: triggers and CHECK constraints are not seen by the comparison.
"""

from typing import Any

from alembic import context
from sqlalchemy import Connection

from models.connect import create_engine_for
from models.tables import METADATA


def include_object(item: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
    """On Postgres the references of measured tables are triggers (models.triggers)."""
    if kind != "foreign_key_constraint" or reflected:
        return True
    only = getattr(item, "_ddl_if", None)
    return only is None or only.dialect == context.get_context().dialect.name


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        render_as_batch=True,
        include_object=include_object,
    )
    with context.begin_transaction():
        context.run_migrations()


if (given := context.config.attributes.get("connection")) is not None:
    run(given)
else:
    engine = create_engine_for(
        context.get_x_argument(as_dictionary=True)["database"], create=True, foreign_keys=False
    )
    with engine.begin() as opened:
        run(opened)
