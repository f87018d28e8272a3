"""The numbers behind the figures of the model page, as tables."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

from analysis.result_rows import CurvePoint, GeometricMeanRatio, InfluencePoint, ResidualPoint
from analysis.results import Fit
from analysis.specs import EXPOSURE_QUESTIONS, OUTCOME_QUESTIONS, ModelSpec
from dashboard.model.outcome_answer import answer_rows, exposed
from dashboard.model.reading import chosen_spec
from dashboard.view import View
from figures.exposure_outcome import Exposed
from figures.ratio_forest import ForestRow


def _table(kind: Any, rows: Sequence[Any]) -> pl.DataFrame:
    """Rows of one kind (a named tuple, or a frozen class), one column per field."""
    if dataclasses.is_dataclass(kind):
        names = [item.name for item in dataclasses.fields(kind)]
    else:
        names = list(kind._fields)
    values = {name: [getattr(row, name) for row in rows] for name in names}
    return pl.DataFrame(values, strict=False).fill_nan(None)


def _of_answer(make: Callable[[ModelSpec, Fit], pl.DataFrame]) -> Callable[[View], pl.DataFrame]:
    """A table of the fit that the page shows; empty while there is none."""

    def table(view: View) -> pl.DataFrame:
        spec = chosen_spec(view)
        fit = view.reader.stored_fit(view.trial, spec.spec_hash())
        return pl.DataFrame() if fit is None else make(spec, fit)

    return table


def _ratios(spec: ModelSpec, fit: Fit) -> pl.DataFrame:
    if spec.question in OUTCOME_QUESTIONS:
        return _table(ForestRow, answer_rows(spec, fit))
    return _table(GeometricMeanRatio, fit.ratios)


def _exposed(view: View) -> pl.DataFrame:
    spec = chosen_spec(view)
    return _table(Exposed, exposed(view, spec) if spec.question in EXPOSURE_QUESTIONS else [])


DOWNLOADS: Mapping[str, Callable[[View], pl.DataFrame]] = {
    "curves": _of_answer(lambda spec, fit: _table(CurvePoint, fit.curves)),
    "ratios": _of_answer(_ratios),
    "residuals": _of_answer(lambda spec, fit: _table(ResidualPoint, fit.residuals)),
    "influence": _of_answer(lambda spec, fit: _table(InfluencePoint, fit.influence)),
    "exposure": _exposed,
}
