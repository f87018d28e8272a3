"""One plain sentence for the answer of a bootstrap, a profile, a likelihood ratio, a permutation.

Each names the patients and values, the method with its seed, and the interval or p-value. No
effect is picked out for being the strongest: all stand in the sentence, or in the table.
"""

from collections.abc import Sequence
from typing import Protocol

from analysis.number_words import count, number, p_words

MOST_NAMED = 3
"""Parameters that a sentence holds; more are left to the table."""


class Row(Protocol):
    """A parameter with its interval."""

    @property
    def part(self) -> str: ...
    @property
    def term(self) -> str: ...
    @property
    def estimate(self) -> float | None: ...
    @property
    def conf_low(self) -> float | None: ...
    @property
    def conf_high(self) -> float | None: ...


def bootstrap_sentence(
    method: str,
    rows: Sequence[Row],
    replicates: int,
    n_failed: int,
    seed: int,
    level: float,
    n_subjects: int,
    n_observations: int,
) -> str:
    """'From 1,000 trials simulated from ... (parametric bootstrap, seed 0; ...): arm[T.b] 0.52'.

    method: what the replicates are, ending in an open bracket with the method's name.
    """
    shares = [row for row in rows if row.part == "share"]
    return (
        f"From {replicates - n_failed:,} {method}, seed {seed}"
        f"{_failed(n_failed, 'could not be fitted')}; {_size(n_subjects, n_observations)}), "
        f"{100 * level:g} % CI: {_listed(_named(rows, 'fixed effect', 'fixed effects'), shares)}."
    )


def profile_sentence(
    rows: Sequence[Row], level: float, n_subjects: int, n_observations: int
) -> str:
    """'By profile likelihood (maximum likelihood, nothing simulated; ...), 95 % CI: ...'."""
    spreads = [row for row in rows if row.part == "standard deviation"]
    named = _named(rows, "fixed effect", "fixed effects")
    if len(spreads) > MOST_NAMED:
        named = [*named, f"{len(spreads)} standard deviations in the table"]
        spreads = []
    return (
        f"By profile likelihood (maximum likelihood, nothing simulated; "
        f"{_size(n_subjects, n_observations)}), {100 * level:g} % CI: {_listed(named, spreads)}."
    )


def ratio_test_sentence(
    compared: str,
    statistic: float,
    p_value: float,
    reference: str,
    replicates: int,
    n_failed: int,
    seed: int | None,
    n_subjects: int,
    n_observations: int,
) -> str:
    """'The larger random part fits better than the smaller one (likelihood-ratio ...; p 0.003)'."""
    found = "fits better than" if p_value < 0.05 else "is not shown to fit better than"
    how = f"against {reference}"
    if seed is not None:
        how = (
            f"against {replicates - n_failed:,} trials simulated from the smaller model, seed "
            f"{seed}{_failed(n_failed, 'could not be fitted')}"
        )
    one = {"fixed effects": "set of fixed effects"}.get(compared, compared)
    return (
        f"The larger {one} {found} the smaller one (likelihood-ratio test, statistic "
        f"{number(statistic)} {how}; {p_words(p_value)}; {_size(n_subjects, n_observations)})."
    )


def permutation_sentence(
    variable: str,
    terms: str,
    p_value: float,
    replicates: int,
    n_failed: int,
    seed: int,
    n_subjects: int,
    n_observations: int,
) -> str:
    """'The outcome differs by arm (permutation of patients' labels, 999 ..., seed 0; p 0.01)'."""
    what = "The course of the outcome" if terms == "interaction" else "The outcome"
    found = "differs" if p_value < 0.05 else "is not shown to differ"
    return (
        f"{what} {found} by {variable} (permutation of patients' labels, "
        f"{replicates - n_failed:,} relabelled trials, seed {seed}"
        f"{_failed(n_failed, 'could not be fitted')}; {p_words(p_value)}; "
        f"{_size(n_subjects, n_observations)})."
    )


def _size(n_subjects: int, n_observations: int) -> str:
    return f"{count(n_subjects, 'patient')}, {count(n_observations, 'observation')}"


def _failed(n_failed: int, why: str) -> str:
    return f", {n_failed:,} more {why}" if n_failed else ""


def _named(rows: Sequence[Row], part: str, plural: str) -> list[str]:
    own = [row for row in rows if row.part == part and row.term != "Intercept"]
    if len(own) > MOST_NAMED:
        return [f"{len(own)} {plural} in the table"]
    return [_words(row) for row in own]


def _listed(named: Sequence[str], rows: Sequence[Row]) -> str:
    return "; ".join([*named, *(_words(row) for row in rows)]) or "no parameter was asked for"


def _words(row: Row) -> str:
    name = f"SD of {row.term}" if row.part == "standard deviation" else row.term
    if row.estimate is None:
        return f"{name} not estimable"
    ends = ["no limit found" if end is None else number(end) for end in _ends(row)]
    p_value = p_words(getattr(row, "p_value", None))
    return f"{name} {number(row.estimate)} ({' to '.join(ends)}{f', {p_value}' if p_value else ''})"


def _ends(row: Row) -> tuple[float | None, float | None]:
    return row.conf_low, row.conf_high
