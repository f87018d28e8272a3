"""Correlation of two measurements within patients, without the differences between them.

Analysis of covariance with a line of common slope and an own level per patient (Bakdash JZ,
Marusich LR, Front Psychol 2017;8:456, doi:10.3389/fpsyg.2017.00456; Bland JM, Altman DG, BMJ
1995;310:446, doi:10.1136/bmj.310.6977.446). The interval takes the degrees of freedom of a partial
correlation, as the authors' R package rmcorr does in its current version; the paper's own
took two fewer and was a little wide.
"""

from typing import TYPE_CHECKING

import numpy as np

from analysis.compute.confidence_level import require_level
from analysis.fits.agreement.columns import codes, complete
from analysis.fits.agreement.result import (
    CONF_LEVEL,
    AgreementResult,
    Measure,
    not_estimable,
)
from analysis.frames import takes_frames
from analysis.number_words import count
from analysis.results import Excluded

if TYPE_CHECKING:
    import polars as pl

KIND = "repeated-measures correlation"
MINIMUM_DF = 3
NOTHING = 1e-20
"""Variation within patients relative to the squared values that is rounding alone."""


@takes_frames
def repeated_measures_correlation(
    frame: "pl.DataFrame", first: str, second: str, subject: str, *, level: float = CONF_LEVEL
) -> AgreementResult:
    """r within patients with its p-value, interval (Fisher z) and the common slope.

    One row per patient and time; patients with one row carry nothing and are counted as left out.
    Measures: "correlation" (df = rows - patients - 1), "slope" of second on first.
    Raises UserError for a column that is not there.
    """
    require_level(level)
    import polars as pl

    kept, excluded = complete(KIND, frame, (first, second), (subject,))
    several = kept.filter(pl.len().over(subject) > 1)
    if several.height < kept.height:
        alone = kept.height - several.height
        excluded = (*excluded, Excluded("a patient with one observation", alone))
    patient = codes(several[subject]) if several.height else np.zeros(0, dtype=np.intp)
    n = several[subject].n_unique()
    df = several.height - n - 1
    if n < 2 or df < MINIMUM_DF:
        return _nothing(
            "too_few_repeats",
            f"{count(several.height, 'observation')} of {count(n, 'patient')} with repeats cannot "
            "carry a correlation within patients.",
            "Show the individual courses instead.", n, several.height, excluded,
        )  # fmt: skip
    columns = [several[name].cast(pl.Float64).to_numpy() for name in (first, second)]
    counts = np.bincount(patient)
    x, y = (v - (np.bincount(patient, v) / counts)[patient] for v in columns)
    for name, rest, whole in zip((first, second), (x, y), columns, strict=True):
        if float(rest @ rest) <= NOTHING * float(whole @ whole):
            return _nothing(
                "no_variation",
                f"{name} does not change within any patient.",
                "Correlate the patients' values instead.", n, several.height, excluded,
            )  # fmt: skip
    return _concluded(x, y, df, (first, second), level, (n, several.height, excluded))


def _nothing(
    reason: str, sentence: str, advice: str, n: int, rows: int, excluded: tuple[Excluded, ...]
) -> AgreementResult:
    return not_estimable(
        KIND, reason, sentence, advice, n_subjects=n, n_observations=rows, excluded=excluded
    )


def _concluded(
    x: np.ndarray,
    y: np.ndarray,
    df: int,
    names: tuple[str, str],
    level: float,
    used: tuple[int, int, tuple[Excluded, ...]],
) -> AgreementResult:
    from scipy.special import ndtri
    from scipy.stats import t

    r = float(np.clip(x @ y / np.sqrt((x @ x) * (y @ y)), -1, 1))
    slope = float(x @ y / (x @ x))
    exact = 1 - r**2 < 1e-12
    low = high = p_value = error = None
    if not exact:
        width = float(ndtri(0.5 + level / 2)) / np.sqrt(df - 1)
        low, high = (float(np.tanh(np.arctanh(r) + side * width)) for side in (-1, 1))
        p_value = 2 * float(t.sf(abs(r) * np.sqrt(df / (1 - r**2)), df))
        error = float(np.sqrt((y @ y) * (1 - r**2) / df / (x @ x)))
    way = "rises" if r > 0 else "falls"
    shown = (
        "every point lies on its patient's line"
        if low is None or high is None or p_value is None
        else f"{100 * level:g} % CI {low:.2f} to {high:.2f}, p {_p(p_value)}"
    )
    compatible = (
        " The data are also compatible with no relation." if (low or 0) < 0 < (high or 0) else ""
    )
    n, rows, excluded = used
    return AgreementResult(
        KIND,
        "ok",
        None,
        f"Within patients {names[1]} {way} with {names[0]}: r = {r:.2f} ({shown}; "
        f"{count(rows, 'observation')} of {count(n, 'patient')}).{compatible}",
        measures=(
            Measure("correlation", r, low, high, p_value=p_value, df=float(df)),
            Measure("slope", slope, std_error=error, p_value=p_value, df=float(df)),
        ),
        n_subjects=n,
        n_observations=rows,
        excluded=excluded,
        conf_level=level,
        method="Analysis of covariance with a common slope and an own level per patient; interval "
        "by Fisher's z with standard error 1 / sqrt(df - 1).",
        references=("doi:10.3389/fpsyg.2017.00456", "doi:10.1136/bmj.310.6977.446"),
    )


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.2g}"
