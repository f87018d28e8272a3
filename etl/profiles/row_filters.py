"""Which sheets and which rows a table of the profile takes: `when`, `stop` and `where`."""

import polars as pl

from analysis.errors import UserError
from etl.profiles.cells import fits, keeps
from etl.profiles.grid import Grid, Usage, open_grid
from etl.profiles.headers import matching
from etl.profiles.schema import Filter, Table
from etl.sheets.sheet import Sheet


def selected_rows(grid: Grid, table: Table) -> pl.DataFrame:
    """The data rows before the table's `stop` that pass all its `where` filters."""
    rows = grid.rows
    if table.stop is not None:
        index = grid.find((table.stop.column,), None, False)
        ends = rows.select(fits(pl.col(f"c{index}"), table.stop.like).arg_max()).item()
        hit = rows.select(fits(pl.col(f"c{index}"), table.stop.like).any()).item()
        if hit:
            grid.usage.ended |= set(rows["_row"].slice(ends))
            rows = rows.head(ends)
    for rule in table.where:
        rows = rows.filter(holds(grid, rule))
    return rows


def holds(grid: Grid, rule: Filter, grouped: bool = False) -> pl.Expr:
    """Whether a row passes a filter. An absent column is empty where the filter can do without
    it: for `present: false`, for `unlike` alone, and inside `any_of` and `none_of`."""
    if rule.any_of or rule.none_of:
        tests = [holds(grid, one, True) for one in rule.any_of]
        hit = pl.any_horizontal(tests) if tests else pl.lit(True)
        return hit & ~pl.any_horizontal(
            pl.lit(False), *(holds(grid, one, True) for one in rule.none_of)
        )
    only_unlike = bool(rule.unlike and not rule.equals and not rule.like)
    index = grid.find(rule.column, None, grouped or rule.present is False or only_unlike)
    column = pl.lit(None, pl.String) if index is None else pl.col(f"c{index}")
    return keeps(column, rule)


def selects(table: Table, sheet: Sheet) -> bool:
    """Whether the `when` filters of a table hold for the first data row of a sheet."""
    if not table.when:
        return True
    usage = Usage()
    try:
        grid = open_grid(sheet, table, "", usage)
    except UserError:
        return False
    first = grid.rows.head(1)
    for rule in table.when:
        found = [hit for name in rule.column for hit in matching(name, grid.paths)]
        if not found or first.is_empty():
            return False
        if not first.select(keeps(pl.col(f"c{found[0][0]}"), rule)).item():
            return False
    return True
