"""The questions of a summary: which stored fits belong to its selection, and who asked them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from analysis.derive.default_question import usual_criterion
from analysis.derive.groups import RESPONSE_LEVELS
from analysis.exposure_rules import RESPONSE_QUESTIONS
from analysis.results import Fit
from analysis.selection import Selection
from analysis.specs import ModelSpec
from export.document import Column, Table, concatenated
from models.trial import Trial

TITLES: Mapping[str, tuple[str, str]] = {
    "signal_by_group": ("model_estimates", "Mixed model: fixed effects"),
    "expansion_by_group": ("model_estimates", "Mixed model: fixed effects"),
    "response_by_exposure": ("logistic_estimates", "Logistic regression: log odds ratios"),
    "event_by_exposure": ("cox_estimates", "Cox model: log hazard ratios"),
    "joint": ("joint_estimates", "Joint model: estimates by part"),
    "joint_binary": ("joint_estimates", "Joint model: estimates by part"),
}
"""Kind of question -> name and title of the table with the estimates of its model."""
SCOPE = ("analysis_set", "cohort", "criterion", "reader")
"""Filters that a question has too."""
COLUMNS = (
    Column("question", "Question"),
    Column("default", "The study's own first question"),
    Column("asked_by", "Asked by"),
    Column("asked_at", "Asked at", "UTC"),
    Column("model", "Model"),
    Column("outcome", "Outcome"),
    Column("settings", "What the question sets"),
    Column("n_subjects", "Patients"),
    Column("n_observations", "Values"),
    Column("status", "Status"),
    Column("reason", "Reason"),
    Column("sentence", "Answer"),
)


@dataclass(frozen=True)
class AskedFit:
    """A fit with who asked its question and when. `default`: the study's first question, which
    every summary answers; all others were asked by somebody who had seen data."""

    fit: Fit
    default: bool = False
    asked_by: str = ""
    asked_at: str = ""

    @property
    def spec(self) -> Mapping[str, Any]:
        """The specification; empty where none could be made."""
        return self.fit.spec or {}

    @property
    def question(self) -> str:
        """Which question it is: the hash of its specification."""
        return self.fit.provenance.spec_hash or ""

    @property
    def table(self) -> tuple[str, str]:
        """Name and title of the table of its estimates."""
        return TITLES[str(self.spec.get("question", "signal_by_group"))]


def model_questions(asked: Sequence[AskedFit]) -> Table:
    """Every question with its answer, or the reason why there is none."""
    rows = [
        {
            "question": one.question,
            "default": "yes" if one.default else "no",
            "asked_by": one.asked_by,
            "asked_at": one.asked_at,
            "model": one.fit.kind,
            "outcome": str(one.spec.get("outcome", "")),
            "settings": settings_of(one.fit),
            "n_subjects": one.fit.n_subjects,
            "n_observations": one.fit.n_observations,
            "status": one.fit.status,
            "reason": one.fit.reason or "",
            "sentence": one.fit.sentence,
        }
        for one in asked
    ]
    return Table(
        "model_questions",
        "Models: the questions that were asked",
        "one row per question",
        COLUMNS,
        concatenated([pl.DataFrame(rows)] if rows else [], COLUMNS),
        (
            "The study's own first question follows from the data that were delivered and is in "
            "every summary. All others were asked by somebody, on the page or by a file: they are "
            "exploratory unless a plan that was written before names them.",
        ),
    )


def settings_of(fit: Fit) -> str:
    """In what a question differs from one that names its outcome only: several questions of one
    outcome stand under each other in a table."""
    asked = dict(fit.spec or {})
    default = ModelSpec(outcome=str(asked.get("outcome", ""))).to_dict()
    changed = [
        f"{name}: {', '.join(map(str, value)) if isinstance(value, list | tuple) else value}"
        for name, value in asked.items()
        if value != default.get(name)
    ]
    return "; ".join(changed) or "as by default"


def of_selection(
    asked: Sequence[AskedFit], trial: Trial, selection: Selection
) -> tuple[list[AskedFit], tuple[tuple[str, str], ...]]:
    """The fits that ask about the patients of the selection, and of the others the question with
    the reason why it is left out. Without a filter that a question has too, all of them."""
    reasons = [difference(one.spec, trial, selection) for one in asked]
    kept = [one for one, reason in zip(asked, reasons, strict=True) if not reason]
    left = [
        (f"{one.question} ({one.fit.kind}, {one.spec.get('outcome', '')})", reason)
        for one, reason in zip(asked, reasons, strict=True)
        if reason
    ]
    return kept, tuple(left)


def difference(spec: Mapping[str, Any], trial: Trial, selection: Selection) -> str:
    """In what the patients of a question differ from those of a selection; "" in nothing."""
    plain = Selection()
    if not spec or all(getattr(selection, name) == getattr(plain, name) for name in SCOPE):
        return ""
    found = []
    own_set = str(spec.get("analysis_set", plain.analysis_set))
    if own_set != selection.analysis_set:
        found.append(f"analysis set {own_set}, not {selection.analysis_set}")
    everywhere = set(trial.subjects["cohort"].to_list())
    cohort = tuple(spec.get("cohort") or ())
    if selection.cohort and (set(cohort) or everywhere) != set(selection.cohort):
        asked = ", ".join(cohort) or "all"
        found.append(f"cohort {asked}, not {', '.join(selection.cohort)}")
    if _by_response(spec):
        criterion = spec.get("criterion") or usual_criterion(
            trial.subjects, trial.responses, cohort
        )
        own = {"criterion": criterion or "", "reader": spec.get("reader") or ""}
        found += [
            f"{name} {own[name] or 'of the study'}, not {wanted}"
            for name in own
            if (wanted := getattr(selection, name)) and own[name] != wanted
        ]
    return "; ".join(found)


def _by_response(spec: Mapping[str, Any]) -> bool:
    """Whether a criterion means something to the question."""
    question = str(spec.get("question", "signal_by_group"))
    if question in RESPONSE_QUESTIONS:
        return True
    by_group = question in ("signal_by_group", "expansion_by_group")
    return by_group and spec.get("group", "responder") in RESPONSE_LEVELS
