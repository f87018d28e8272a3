"""Samples of one curve as they come in."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.errors import UserError


def numbers(who: str, name: str, values: ArrayLike) -> NDArray[np.float64]:
    """The values as numbers. Raises UserError that names the analysis and the vector."""
    try:
        return np.asarray(values, float)
    except (TypeError, ValueError) as error:
        raise UserError(
            f"{who}: {name} holds something that is not a number ({error}); give days and "
            "concentrations as numbers, and a missing value where a sample is below its limit"
        ) from None
