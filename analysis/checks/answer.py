"""What the checks of a specification look at: the question, the rows it used, what came out."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.results import Fit, InfluencePoint
from analysis.specs import ModelSpec

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, eq=False)
class Answer:
    """frame: rows of the fit (usubjid, day, group, below_limit ...); groups: levels, reference
    first; left_out: visits without a patient of some group; n_assumed: zeros that came without a
    limit; random_note: what of the random part had to be simplified."""

    spec: ModelSpec
    frame: "pl.DataFrame"
    fit: Fit
    groups: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    n_assumed: int = 0
    random_note: str = ""
    influence: tuple[InfluencePoint, ...] = ()
