"""Whether covariates separate the outcomes, so that a likelihood has no maximum.

Quasi-complete separation included: a covariate that is there in two patients, both responders, has
no finite odds ratio however many other patients there are. Searched for as a linear program, which
does not depend on how far a search for the maximum happened to walk.

Reference: Konis K. Linear programming algorithms for detecting separated data in binary logistic
regression models. DPhil thesis, University of Oxford 2007, chapter 4; the condition is that of
Albert A, Anderson JA 1984, doi:10.1093/biomet/71.1.1.
"""

import numpy as np
from numpy.typing import NDArray

from analysis.engine.structure import Array


def separated(x: Array, response: NDArray[np.bool_]) -> bool:
    """Whether a direction of the coefficients raises no row's misfit and lowers one's.

    x: design with its intercept, (n, p).
    """
    return _recedes(np.where(response, 1.0, -1.0)[:, None] * x)


def grades_separated(x: Array, grade: Array, n_cuts: int) -> bool:
    """The same of proportional odds: cuts and slopes that no patient's grade holds back.

    x: covariates (n, p) without intercept; grade: 0 to n_cuts.
    """
    place = grade.astype(int)
    cuts = np.eye(n_cuts)
    below, above = place < n_cuts, place > 0
    upper = np.hstack([cuts[place[below]], -x[below]])
    lower = np.hstack([-cuts[place[above] - 1], x[above]])
    return _recedes(np.vstack([upper, lower]))


def _recedes(rows: Array) -> bool:
    """Whether some b has rows @ b >= 0 without all being zero. Any such b can be scaled until a row
    reaches 1, so the largest sum under rows @ b <= 1 is either zero or at least one."""
    from scipy.optimize import linprog

    found = linprog(
        -rows.sum(axis=0),
        A_ub=np.vstack([rows, -rows]),
        b_ub=np.concatenate([np.ones(len(rows)), np.zeros(len(rows))]),
        bounds=(None, None),
        method="highs",
    )
    return bool(found.status == 0 and -found.fun > 0.5)
