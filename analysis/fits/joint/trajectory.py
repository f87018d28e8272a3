"""The fitted mean course of a patient at any time, and its slope, as rows of design matrices."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.engine.structure import Array, Index
from analysis.errors import UserError
from analysis.fits import formulas

if TYPE_CHECKING:
    import polars as pl

STENCIL = 1e-3
"""Step of the derivative, as a share of the follow-up."""
CENTRAL = ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12))
FORWARD = ((0, -25 / 12), (1, 4.0), (2, -3.0), (3, 4 / 3), (4, -1 / 4))
"""Offsets and weights, exact for a polynomial of degree 4, so for every piece of a cubic spline."""


class Trajectory(NamedTuple):
    """Encoders of a longitudinal formula. patients: one row per patient with what the formula
    needs but for the time; end: last follow-up time."""

    x_encoder: object
    z_encoder: object
    patients: "pl.DataFrame"
    long_time: str
    end: float

    def value(self, patient: Index, time: Array) -> tuple[Array, Array]:
        """Fixed and random design of the current value, one row per element of `time`."""
        frame = self.patients[patient].with_columns(_series(self.long_time, time))
        return self._rows(self.x_encoder, frame), self._rows(self.z_encoder, frame)

    def slope(self, patient: Index, time: Array) -> tuple[Array, Array]:
        """Derivative of the same in time, by differences inside the follow-up."""
        h = STENCIL * self.end
        sides = (
            (time < 2 * h, FORWARD),
            (time > self.end - 2 * h, tuple((-o, -w) for o, w in FORWARD)),
        )
        inner = ~(sides[0][0] | sides[1][0])
        found: list[Array] = []
        for here, stencil in ((inner, CENTRAL), *sides):
            if not here.any():
                continue
            for offset, weight in stencil:
                at_x, at_z = self.value(patient[here], time[here] + offset * h)
                found = found or [np.zeros((len(time), m.shape[1])) for m in (at_x, at_z)]
                found[0][here] += weight / h * at_x
                found[1][here] += weight / h * at_z
        return found[0], found[1]

    def _rows(self, encoder: object, frame: "pl.DataFrame") -> Array:
        try:
            rows = formulas.matrix_at(encoder, frame)
        except Exception as error:  # formulaic raises several kinds for a spline out of bounds
            raise UserError(
                "formula: the course cannot be continued to the last follow-up time "
                f"({self.end:g}): {str(error).splitlines()[0][:120]}; write cr(...), which goes on "
                f"as a line, or give bs(...) an upper_bound of {self.end:g} and a lower_bound of 0"
            ) from error
        if not np.isfinite(rows).all():
            raise UserError(
                "formula: the course is not finite between 0 and the last follow-up time "
                f"({self.end:g}), as the logarithm of time 0 is; write the time another way"
            )
        return rows


def _series(name: str, time: Array) -> "pl.Series":
    import polars as pl

    return pl.Series(name, time)


def feature(trajectory: Trajectory, name: str, patient: Index, time: Array) -> tuple[Array, Array]:
    """Design rows of one association: the current value or the current slope."""
    return trajectory.slope(patient, time) if name == "slope" else trajectory.value(patient, time)
