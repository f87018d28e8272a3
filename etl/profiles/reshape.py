"""A sheet and a table of the profile in, the text records of an incoming table out.

One output row per record: a data row, or a cell of a wide block. All fields stay text; numbers,
dates and codes are made by the contracts. Lineage: `_row`, `_column` (header path), `_raw`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from analysis.errors import UserError
from analysis.number_words import count
from etl.contracts.contract import Contract
from etl.contracts.values import SENT_NUMBER
from etl.id_rows import ID_FIELDS, id_only_rows
from etl.long_rows import LongRows, long_rows
from etl.profiles.cells import clean, fits, fold, translated
from etl.profiles.grid import Grid, Usage, open_grid
from etl.profiles.header_units import UNIT_FIELDS, bracketed, stated_unit, unit_field
from etl.profiles.headers import CAPTURE, leaf, matching, missing_message
from etl.profiles.row_filters import holds, selected_rows
from etl.profiles.schema import NOTHING, ColumnRule, Profile, Table, Wide
from etl.sheets.sheet import Sheet
from etl.source import Finding


@dataclass(frozen=True)
class Incoming:
    """The text records that one table of a profile makes of one sheet."""

    contract: str
    table: Table
    frame: pl.DataFrame
    headers: Mapping[str, str]
    findings: tuple[Finding, ...]
    id_only: pl.Series
    """Row numbers that hold a subject's id and nothing else."""
    long_rows: LongRows


def reshape(
    sheet: Sheet, profile: Profile, table: Table, contract: Contract, usage: Usage
) -> Incoming:
    """The records that this table of the profile reads from the sheet.

    Raises:
        UserError: A column, header row or unit the profile names is not in the sheet.
    """
    file = sheet.source_name.replace("\\", "/").rpartition("!")[2].rpartition("/")[2]
    place = f"sheet {sheet.name!r}" if sheet.name else f"file {file!r}"
    where = f"profile {profile.name!r}, table {table.title!r}, {place}"
    grid = open_grid(sheet, table, where, usage)
    rows = selected_rows(grid, table)
    shaper = _Shaper(grid, profile, table, contract, rows)
    frame = shaper.wide() if table.wide else shaper.long()
    if usage.rows_read is not None:
        usage.rows_read = pl.concat([usage.rows_read, rows["_row"]]).unique()
    alone = id_only_rows(grid, table, frozenset(shaper.ids), rows)
    return Incoming(
        table.contract,
        table,
        frame,
        shaper.headers,
        tuple(shaper.findings),
        alone,
        long_rows(grid, table, rows),
    )


class _Shaper:
    """Builds the records of one table from the selected rows of one sheet."""

    def __init__(
        self, grid: Grid, profile: Profile, table: Table, contract: Contract, rows: pl.DataFrame
    ) -> None:
        self.grid = grid
        self.profile = profile
        self.table = table
        self.contract = contract
        self.rows = rows
        self.findings: list[Finding] = []
        self.headers: dict[str, str] = {}
        self.ids: set[int] = set()
        self.content = contract.content

    def long(self) -> pl.DataFrame:
        """One record per data row."""
        fields, raw, label = self._base_fields()
        if self.table.number_in is not None:
            index = self.grid.find((self.table.number_in,), None, True)
            number = pl.lit(None, pl.String) if index is None else clean(pl.col(f"c{index}"))
            fields[SENT_NUMBER] = number
        return self._frame(self.rows, fields, raw, pl.lit(label, pl.String))

    def wide(self) -> pl.DataFrame:
        """One record per data row and matched column; what is only named, once."""
        fields, _, _ = self._base_fields()
        parts = []
        for block in self.table.wide:
            made = [
                self._cell_records(block, index, captured, fields)
                for index, captured in self._columns_of(block)
            ]
            parts += [_once(made)] if made and block.into == NOTHING else made
        if not parts:
            return self._frame(self.rows.head(0), fields, pl.lit(None, pl.String), pl.lit(""))
        return pl.concat(parts, how="diagonal")

    def _columns_of(self, block: Wide) -> list[tuple[int, dict[str, str]]]:
        if block.position is not None:
            index = self.grid.find((), block.position, False)
            assert index is not None
            return [(index, {})]
        if block.optional and not any(matching(h, self.grid.paths) for h in block.header):
            return []
        return self.grid.find_many(block.header)

    def _base_fields(self) -> tuple[dict[str, pl.Expr], pl.Expr, str | None]:
        fields: dict[str, pl.Expr] = {
            name: pl.lit(text) for name, text in self.table.constants.items()
        }
        raw, label = pl.lit(None, pl.String), None
        for name, rule in self.table.columns.items():
            cell, index = self._cell(rule)
            if cell is None:
                if rule.default is not None:
                    fields[name] = pl.lit(rule.default)
                continue
            if index is not None and name in self.content and label is None:
                raw, label = cell, self.grid.paths[index]
            if index is not None:
                self.headers[name] = self.grid.paths[index]
                self.ids |= {index} if name in ID_FIELDS else set()
            words = {**self.table.maps.get(name, {}), **rule.map}
            missing = {**self.profile.missing, **rule.missing}
            text = self._read(cell, words, rule.map_else, missing, name, index)
            fields[name] = self._finished(text, rule)
            self._give_unit(fields, name, rule, index)
        return fields, raw, label

    def _give_unit(
        self, fields: dict[str, pl.Expr], name: str, rule: ColumnRule | Wide, index: int | None
    ) -> None:
        """Adds the unit of a number: of the profile, else what its header states."""
        unit = self._unit(rule.unit, rule.units_from, index)
        where = self.grid.where
        if index is not None:
            given = unit if unit is not None else self._unit_elsewhere(name, rule)
            stated = stated_unit(self.grid.paths[index], name, self.contract, given, where)
            unit = unit if unit is not None else stated
        if unit is not None:
            fields[unit_field(name, self.contract, where)] = pl.lit(unit)

    def _unit_elsewhere(self, name: str, rule: ColumnRule | Wide) -> str | None:
        """The unit that a constant gives, "" when a column holds it, None when nothing does."""
        field = UNIT_FIELDS.get(name, "")
        constants = {**self.table.constants, **getattr(rule, "constants", {})}
        beside = getattr(rule, "beside", {})
        return constants.get(field, "" if field in {*self.table.columns, *beside} else None)

    def _cell(self, rule: ColumnRule) -> tuple[pl.Expr | None, int | None]:
        """The expression of a field's text, and its column when it is a single one."""
        if rule.cell is not None:
            text = self.grid.text_at(rule.cell, rule.optional)
            return (None if text is None else pl.lit(text)), None
        if rule.first_of or rule.join:
            found = [self.grid.find((name,), None, True) for name in (rule.first_of or rule.join)]
            present = [clean(pl.col(f"c{index}")) for index in found if index is not None]
            if not present:
                if rule.optional:
                    return None, None
                names = rule.first_of or rule.join
                raise UserError(missing_message(names, self.grid.paths, self.grid.where))
            if rule.join:
                joined = pl.concat_str(present, separator=rule.separator, ignore_nulls=True)
                return pl.when(joined.str.len_bytes() > 0).then(joined), None
            return pl.coalesce(present), next(index for index in found if index is not None)
        index = self.grid.find(rule.from_, rule.position, rule.optional)
        return (None, None) if index is None else (pl.col(f"c{index}"), index)

    def _read(
        self,
        cell: pl.Expr,
        words: Mapping[str, str],
        otherwise: str | None,
        missing: Mapping[str, str],
        name: str,
        index: int | None,
    ) -> pl.Expr:
        """The text of a field: dictionary first, then the words that mean "no value"."""
        spoken = {fold(word) for word in words}
        absent = {word: why for word, why in missing.items() if fold(word) not in spoken}
        self._count_reasons(cell, absent, name, index)
        if absent:
            cell = pl.when(~fits(cell, tuple(absent))).then(cell)
        return translated(cell, words, otherwise)

    def _finished(self, text: pl.Expr, rule: ColumnRule) -> pl.Expr:
        """The text where the rule's filters hold, with its default and its added number."""
        for one in rule.where:
            text = pl.when(holds(self.grid, one)).then(text)
        if rule.default is not None:
            text = text.fill_null(rule.default)
        if rule.add is not None:
            number = text.cast(pl.Float64, strict=False)
            shifted = (number + rule.add).cast(pl.Int64, strict=False).cast(pl.String)
            text = pl.coalesce(shifted, text)
        return text

    def _count_reasons(
        self, cell: pl.Expr, absent: Mapping[str, str], name: str, index: int | None
    ) -> None:
        header = name if index is None else leaf(self.grid.paths[index])
        for word, reason in absent.items():
            if not reason or self.rows.is_empty():
                continue
            n = int(self.rows.select(fits(cell, (word,)).sum()).item())
            if n:
                message = f"{count(n, 'cell')} of {header!r} without a value: {reason}"
                self.findings.append(Finding("missing_reason", message, "info", header, n))

    def _unit(self, fixed: str | None, source: str | None, index: int | None) -> str | None:
        if fixed is not None:
            return fixed
        if source is None or index is None:
            return None
        unit = self.grid.units[index] if source == "row" else bracketed(self.grid.paths[index])
        if not unit:
            place = "the units row" if source == "row" else "its header"
            raise UserError(
                f"{self.grid.where}: column {leaf(self.grid.paths[index])!r} has no unit in "
                f"{place}; give `unit` in the profile"
            )
        return unit

    def _cell_records(
        self, block: Wide, index: int, captured: Mapping[str, str], base: dict[str, pl.Expr]
    ) -> pl.DataFrame:
        raw = pl.col(f"c{index}")
        known = {name: _word(text, block.maps.get(name, {})) for name, text in captured.items()}
        fields = dict(base)
        for name, text in {**self.table.constants, **block.constants}.items():
            fields[name] = pl.lit(self._filled(text, captured))
        for name, text in known.items():
            if name in self.contract.field_names:
                fields[name] = pl.lit(text)
        for name, text in block.beside.items():
            partner = self.grid.find((_with_captures(text, captured),), None, False)
            words = {**self.table.maps.get(name, {}), **block.maps.get(name, {})}
            cell = pl.col(f"c{partner}")
            fields[name] = self._read(cell, words, None, self.profile.missing, name, partner)
        missing = {**self.profile.missing, **block.missing}
        if block.into == NOTHING:
            there = clean(raw).is_not_null() & ~fits(raw, tuple(missing))
            label = pl.lit(self.grid.paths[index])
            return self._frame(self.rows.filter(there), fields, raw, label)
        words = {**self.table.maps.get(block.into, {}), **block.maps.get(block.into, {})}
        fields[block.into] = self._read(raw, words, None, missing, block.into, index)
        self._give_unit(fields, block.into, block, index)
        return self._frame(self.rows, fields, raw, pl.lit(self.grid.paths[index]))

    def _filled(self, text: str, known: Mapping[str, str]) -> str:
        for name, value in known.items():
            text = text.replace("{" + name + "}", value)
        return text

    def _frame(
        self, rows: pl.DataFrame, fields: Mapping[str, pl.Expr], raw: pl.Expr, label: pl.Expr
    ) -> pl.DataFrame:
        columns = [expression.cast(pl.String).alias(name) for name, expression in fields.items()]
        return rows.select(
            pl.col("_row"),
            label.cast(pl.String).alias("_column"),
            raw.cast(pl.String).alias("_raw"),
            *columns,
        )


def _once(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """The records of a block without those that agree with an earlier one in every field."""
    made = pl.concat(parts, how="diagonal")
    fields = [name for name in made.columns if name not in {"_row", "_column", "_raw"}]
    return made.unique(fields, keep="first", maintain_order=True)


def _word(text: str, words: Mapping[str, str]) -> str:
    """One captured text by a dictionary."""
    if not words:
        return text
    frame = pl.DataFrame({"text": [text]}, schema={"text": pl.String})
    return str(frame.select(translated(pl.col("text"), words)).item())


def _with_captures(text: str, captured: Mapping[str, str]) -> str:
    """A header pattern with the captured texts in their places."""

    def fill(match: re.Match[str]) -> str:
        name = match.group(1)
        return captured[name] if name in captured else str(match.group(0))

    return CAPTURE.sub(fill, text)
