"""Agreement of readers on categories beyond chance: Cohen's and Fleiss' kappa.

Two readers: Cohen J, Educ Psychol Meas 1960;20:37, doi:10.1177/001316446002000104; weights and
large-sample variance of Fleiss JL, Cohen J, Everitt BS, Psychol Bull 1969;72:323,
doi:10.1037/h0028106. More readers: Fleiss JL, Psychol Bull 1971;76:378, doi:10.1037/h0031619;
variance of Gwet KL, Educ Psychol Meas 2021;81:781, doi:10.1177/0013164420973080. Both variances are
sums of squared contributions of the rated units, so units of one patient are added up first: the
lesions of a patient are not independent.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from analysis.compute.confidence_level import require_level
from analysis.engine.structure import Array, Index
from analysis.errors import UserError
from analysis.fits.agreement.columns import codes, complete
from analysis.fits.agreement.result import (
    CONF_LEVEL,
    AgreementResult,
    Measure,
    judged,
    not_estimable,
)
from analysis.frames import takes_frames
from analysis.number_words import count
from analysis.results import Check, Excluded

if TYPE_CHECKING:
    import polars as pl

COHEN, FLEISS = "Cohen's kappa", "Fleiss' kappa"
WEIGHTS = ("none", "linear", "quadratic")
MINIMUM_UNITS = 5


class Kappa(NamedTuple):
    """Kappa, observed and chance agreement, and each unit's contribution to the error."""

    kappa: float
    observed: float
    chance: float
    contribution: Array


@takes_frames
def cohen_kappa(
    frame: "pl.DataFrame",
    first: str,
    second: str,
    subject: str | None = None,
    *,
    categories: Sequence[Any] = (),
    weights: str = "none",
    level: float = CONF_LEVEL,
) -> AgreementResult:
    """Agreement of two readers; one row per rated unit (patient, visit or lesion).

    subject: the patient of each unit; without it every row is a patient of its own. categories:
    in their order, required for weights "linear" and "quadratic" of text (numbers are sorted).
    Measures: the kappa, "observed agreement", "chance agreement".
    Raises UserError for a missing column, unknown weights or a rating outside the categories.
    """
    require_level(level)
    if weights not in WEIGHTS:
        raise UserError(f"{COHEN}: weights {weights!r} do not exist; use {', '.join(WEIGHTS)}")
    labels = (first, second, *((subject,) if subject else ()))
    kept, excluded = complete(COHEN, frame, (), labels)
    levels = _levels(kept, (first, second), categories, weights != "none")
    one, two = (_numbered(kept[name].to_list(), levels) for name in (first, second))
    patient = codes(kept[subject]) if subject else np.arange(kept.height)
    refused = _refused(COHEN, np.concatenate([one, two]), patient, kept.height, excluded)
    if refused:
        return refused
    found = _cohen(one, two, _weight_table(len(levels), weights))
    name = COHEN if weights == "none" else f"{weights} weighted kappa"
    return _concluded(
        name, found, patient, level, excluded, bool(subject), "2 readers",
        ("doi:10.1177/001316446002000104", "doi:10.1037/h0028106"),
    )  # fmt: skip


@takes_frames
def fleiss_kappa(
    frame: "pl.DataFrame",
    raters: Sequence[str],
    subject: str | None = None,
    *,
    level: float = CONF_LEVEL,
) -> AgreementResult:
    """Agreement of two or more readers who all rated every unit; one column per reader.

    subject: the patient of each unit; without it every row is a patient of its own.
    Raises UserError for a missing column or fewer than two readers.
    """
    require_level(level)
    names = tuple(raters)
    if len(set(names)) < 2:
        raise UserError(f"{FLEISS}: expected the columns of at least two readers, got {len(names)}")
    kept, excluded = complete(FLEISS, frame, (), (*names, *((subject,) if subject else ())))
    levels = _levels(kept, names, (), False)
    rated = np.array([_numbered(kept[name].to_list(), levels) for name in names])
    patient = codes(kept[subject]) if subject else np.arange(kept.height)
    refused = _refused(FLEISS, rated.ravel(), patient, kept.height, excluded)
    if refused:
        return refused
    table = (rated[:, :, None] == np.arange(len(levels))).sum(axis=0)
    return _concluded(
        FLEISS, _fleiss(table), patient, level, excluded, True, f"{len(names)} readers",
        ("doi:10.1037/h0031619", "doi:10.1177/0013164420973080"),
    )  # fmt: skip


def _cohen(one: Index, two: Index, weight: Array) -> Kappa:
    k = len(weight)
    table = np.zeros((k, k))
    np.add.at(table, (one, two), 1.0 / len(one))
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    observed = float((weight * table).sum())
    chance = float(rows @ weight @ columns)
    kappa = (observed - chance) / (1 - chance)
    expected = (weight @ columns)[one] + (rows @ weight)[two]
    own = weight[one, two] - observed - (1 - kappa) * (expected - 2 * chance)
    return Kappa(kappa, observed, chance, own / (1 - chance))


def _fleiss(table: Array) -> Kappa:
    """table: units by categories, number of readers in each cell."""
    readers = int(table[0].sum())
    share = table.sum(axis=0) / table.sum()
    agreement = (table * (table - 1)).sum(axis=1) / (readers * (readers - 1))
    observed, chance = float(agreement.mean()), float((share**2).sum())
    kappa = (observed - chance) / (1 - chance)
    expected = table @ share / readers
    own = agreement - observed - 2 * (1 - kappa) * (expected - chance)
    return Kappa(kappa, observed, chance, own / (1 - chance))


def _weight_table(k: int, weights: str) -> Array:
    """Credit for each pair of categories: 1 for the same, less the further apart."""
    apart = np.abs(np.subtract.outer(np.arange(k), np.arange(k))) / max(k - 1, 1)
    if weights == "none":
        return np.eye(k)
    return np.asarray(1 - (apart if weights == "linear" else apart**2))


def _levels(
    frame: "pl.DataFrame", names: Sequence[str], categories: Sequence[Any], ordered: bool
) -> list[Any]:
    seen = {value for name in names for value in frame[name].to_list()}
    if categories:
        strange = sorted(str(value) for value in seen - set(categories))
        if strange:
            raise UserError(
                f"kappa: the rating {strange[0]!r} is not one of the categories "
                f"{', '.join(str(item) for item in categories)}"
            )
        return list(categories)
    if ordered and any(not isinstance(value, (int, float)) for value in seen):
        raise UserError(
            "kappa: weights need the order of the categories; give categories=[...] from lowest to "
            "highest"
        )
    return sorted(seen, key=None if ordered else str)


def _numbered(values: Sequence[Any], levels: Sequence[Any]) -> Index:
    place = {value: index for index, value in enumerate(levels)}
    return np.array([place[value] for value in values], dtype=np.intp)


def _refused(
    kind: str, used: Index, patient: Index, units: int, excluded: tuple[Excluded, ...]
) -> AgreementResult | None:
    n = len(np.unique(patient))
    if n < MINIMUM_UNITS:
        return not_estimable(
            kind,
            "too_few_subjects",
            f"ratings of {count(n, 'patient')} cannot carry a kappa; at least {MINIMUM_UNITS} are "
            "needed.",
            "Show the table of ratings instead.",
            n_subjects=n, n_observations=units, excluded=excluded,
        )  # fmt: skip
    if len(np.unique(used)) == 1:
        return not_estimable(
            kind,
            "one_category",
            "all readers used the same one category, so agreement beyond chance is undefined.",
            "Report the observed agreement (100 %) instead.",
            n_subjects=n, n_observations=units, excluded=excluded,
        )  # fmt: skip
    return None


def _standard_error(found: Kappa, patient: Index, corrected: bool) -> float:
    """Root of the summed squares per patient; corrected: by n / (n - 1), as Gwet does."""
    sums = np.bincount(patient, found.contribution)
    n, units = len(sums), len(patient)
    factor = n / (n - 1) if corrected else 1.0
    return float(np.sqrt(factor * (sums**2).sum())) / units


def _concluded(
    name: str,
    found: Kappa,
    patient: Index,
    level: float,
    excluded: tuple[Excluded, ...],
    corrected: bool,
    who: str,
    references: tuple[str, ...],
) -> AgreementResult:
    from scipy.stats import norm, t

    n = len(np.unique(patient))
    error: float | None = _standard_error(found, patient, corrected)
    low = high = df = None
    if error is None or error <= 1e-12:
        error = None
    else:
        df = float(n - 1) if corrected else None
        share = 0.5 + level / 2
        width = float(t.ppf(share, n - 1) if corrected else norm.ppf(share)) * error
        low, high = max(found.kappa - width, -1.0), min(found.kappa + width, 1.0)
    bounds = "" if low is None or high is None else f", 95 % CI {low:.2f} to {high:.2f}"
    if level != CONF_LEVEL:
        bounds = bounds.replace("95 %", f"{100 * level:g} %")
    units = len(patient)
    result = AgreementResult(
        name,
        "ok",
        None,
        f"{name} of {who} is {found.kappa:.2f}{bounds}: they agree on "
        f"{100 * found.observed:.0f} % of {count(units, 'rating')}, {100 * found.chance:.0f} % "
        "would be expected by chance.",
        measures=(
            Measure(name, found.kappa, low, high, error, df=df),
            Measure("observed agreement", found.observed),
            Measure("chance agreement", found.chance),
        ),
        n_subjects=n,
        n_observations=units,
        excluded=excluded,
        conf_level=level,
        method="Large-sample variance from the contributions of the rated units"
        + (", added up per patient." if n < units else "."),
        references=references,
    )
    return judged(result, _without_interval() if error is None else ())


def _without_interval() -> tuple[Check, ...]:
    return (
        Check(
            "no_variation",
            "warning",
            "every unit agrees or disagrees alike, so no large-sample interval exists; report the "
            "number of ratings.",
        ),
    )
