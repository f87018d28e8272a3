"""Frozen results as plain JSON types and back, and their rows as a table."""

import dataclasses
import types
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self, get_args, get_type_hints

from analysis.results import plain

if TYPE_CHECKING:
    import polars as pl


class Serialized:
    """A frozen dataclass whose fields are plain values, or tuples of one kind of row.

    `ROWS` names the fields that hold rows (named tuples or frozen dataclasses) and their kind.
    """

    ROWS: ClassVar[Mapping[str, type]] = {}

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; an undefined number is null."""
        return {
            item.name: plain(getattr(self, item.name))
            for item in dataclasses.fields(self)  # type: ignore[arg-type]
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The result that `to_dict` described."""
        return cls(
            **{
                name: tuple(cls.ROWS[name](**row) for row in value)
                if name in cls.ROWS
                else tuple(value)
                if isinstance(value, list)
                else value
                for name, value in content.items()
            }
        )

    def rows_table(self, field: str) -> "pl.DataFrame":
        """The rows of a field, one column per name; text, whole numbers and numbers as declared."""
        import polars as pl

        kind = self.ROWS[field]
        hints = get_type_hints(kind)
        names = [name for name in hints if not name.startswith("_") and name != "ROWS"]
        schema = {name: _dtype(hints[name]) for name in names}
        rows = [[getattr(row, name) for name in names] for row in getattr(self, field)]
        return pl.DataFrame(rows, schema=schema, orient="row")


def _dtype(hint: Any) -> Any:
    import polars as pl

    inner = [kind for kind in get_args(hint) if kind is not types.NoneType] or [hint]
    return {str: pl.String, int: pl.Int64, bool: pl.Boolean}.get(inner[0], pl.Float64)
