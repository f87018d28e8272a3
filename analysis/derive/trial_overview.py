"""The numbers of a trial at one glance: who was treated, who responded, how bad it got."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from analysis.compute.intervals import Proportion
from analysis.derive.columns import ensure
from analysis.derive.response import response_rate


@dataclass(frozen=True)
class GradeSummary:
    """One toxicity category under one scale among `n` infused patients.

    `counts[g]` patients have maximum grade g; a patient without an event counts as grade 0 when
    the study delivers the category at all. `ungraded` had an event without a grade.
    """

    category: str
    scale: str
    n: int
    counts: tuple[int, ...]
    ungraded: int

    @property
    def maximum(self) -> int:
        """The highest grade that any patient had."""
        return max((grade for grade, count in enumerate(self.counts) if count), default=0)

    def at_least(self, grade: int) -> int:
        """Patients with a maximum of `grade` or worse."""
        return sum(self.counts[grade:])


@dataclass(frozen=True)
class Rate:
    """A response rate with both denominators: all infused, and those with an evaluable call."""

    infused: Proportion
    evaluable: Proportion


@dataclass(frozen=True)
class TrialOverview:
    """Enrolled patients of the groups that are looked at, those of them infused, and of these the
    imaging- and efficacy-evaluable; everything else is of `n_shown`, the infused patients that are
    in the analysis set as well. `objective` and `complete` are None when the study has no
    response data; `follow_up_day` is (median, lowest, highest) days from infusion, None when no
    patient has a day. `infusions_unknown`: the study delivered neither infusions nor flags, so that
    every enrolled patient counts."""

    n_enrolled: int
    n_infused: int
    n_shown: int
    infusions_unknown: bool
    n_imaging: int
    n_efficacy: int
    objective: Rate | None
    complete: Rate | None
    criterion: str | None
    reader: str | None
    grades: tuple[GradeSummary, ...]
    follow_up_day: tuple[float, float, float] | None


def trial_overview(
    sets: pl.DataFrame,
    best: pl.DataFrame,
    maximum_grades: pl.DataFrame,
    last_contact: pl.DataFrame,
    usubjids: list[str],
    enrolled: Sequence[str] | None = None,
) -> TrialOverview:
    """The overview of the patients `usubjids`, out of those `enrolled` (None: every row of sets).

    sets: of `derive.sets` for every enrolled patient; best: `derive.response.best_response`;
    maximum_grades: `derive.toxicity.maximum_grade`; last_contact: `derive.follow_up`.
    """
    group = sets if enrolled is None else sets.filter(pl.col("usubjid").is_in(enrolled))
    treated = group.filter(pl.col("infused").fill_null(False))
    infused = treated.filter(pl.col("usubjid").is_in(usubjids))["usubjid"].to_list()
    mine = best.filter(pl.col("usubjid").is_in(infused))
    answered = not mine.is_empty()
    return TrialOverview(
        n_enrolled=group.height,
        n_infused=treated.height,
        n_shown=len(infused),
        infusions_unknown=(sets["infused_source"] == "assumed").any(),
        n_imaging=_count(treated, "imaging_evaluable"),
        n_efficacy=_count(treated, "efficacy_evaluable"),
        objective=_rate(best, infused, ("CR", "PR")) if answered else None,
        complete=_rate(best, infused, ("CR",)) if answered else None,
        criterion=mine["criterion"][0] if answered else None,
        reader=mine["reader"][0] if answered else None,
        grades=_grades(maximum_grades, infused),
        follow_up_day=_follow_up(last_contact, infused),
    )


def _count(sets: pl.DataFrame, column: str) -> int:
    return int(sets[column].fill_null(False).sum())


def _rate(best: pl.DataFrame, usubjids: list[str], categories: tuple[str, ...]) -> Rate:
    infused, evaluable = response_rate(best, usubjids, categories)
    return Rate(infused, evaluable)


def _grades(maximum_grades: pl.DataFrame, usubjids: list[str]) -> tuple[GradeSummary, ...]:
    """CRS, then ICANS, then HLH; each under the scale that most patients have."""
    rows = ensure(maximum_grades, "usubjid", "category", "scale").filter(
        pl.col("usubjid").is_in(usubjids)
    )
    found = []
    for category in ("CRS", "ICANS", "HLH"):
        mine = rows.filter(pl.col("category") == category)
        scales = mine.drop_nulls("scale").group_by("scale").len().sort("len", "scale")
        if scales.is_empty():
            continue
        scale = scales["scale"][-1]
        graded = mine.filter((pl.col("scale") == scale) & pl.col("max_grade").is_not_null())
        ungraded = mine.join(graded, on="usubjid", how="anti")["usubjid"].n_unique()
        tally = dict(graded.group_by("max_grade").len().iter_rows())
        without = len(usubjids) - graded["usubjid"].n_unique() - ungraded
        counts = tuple(tally.get(grade, 0) + (without if grade == 0 else 0) for grade in range(6))
        found.append(GradeSummary(category, scale, len(usubjids), counts, ungraded))
    return tuple(found)


def _follow_up(
    last_contact: pl.DataFrame, usubjids: list[str]
) -> tuple[float, float, float] | None:
    days = last_contact.filter(pl.col("usubjid").is_in(usubjids))["last_day"].drop_nulls()
    if days.is_empty():
        return None
    ordered = days.sort()
    return (float(ordered.median()), float(ordered[0]), float(ordered[-1]))  # type: ignore[arg-type]
