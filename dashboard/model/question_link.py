"""The address at which the model page asks a question again."""

from dataclasses import replace

from analysis.errors import UserError
from analysis.specs import OUTCOME_QUESTIONS, ModelSpec
from dashboard.model.beyond_controls import UNSEEN, written
from dashboard.model.outcome_controls import outcome_params, usual_question
from dashboard.model.reading import chosen_spec
from dashboard.model.scope import applied
from dashboard.model.windows import window_name
from dashboard.view import View


def question_link(spec: ModelSpec, view: View) -> str | None:
    """The address of a question; None where this page would ask another one."""
    try:
        params = _own(spec, view)
        named = window_name(spec)
        selection = view.selection.replace(
            analysis_set=spec.analysis_set, cohort=spec.cohort, criterion=spec.criterion,
            reader=spec.reader, blq=type(view.selection)().blq,
            day_low=None if named else spec.day_low, day_high=None if named else spec.day_high,
        )  # fmt: skip
        params |= {"window": named} if named else {}
        there = replace(
            view, selection=selection, params=params,
            applied=applied(view.trial, selection, params),
        )  # fmt: skip
        same = chosen_spec(there).spec_hash() == spec.spec_hash()
    except UserError:
        return None
    return view.href(view.path, selection, **params) if same else None


def _own(spec: ModelSpec, view: View) -> dict[str, str]:
    """The page's own parameters: those of its controls, and of fields without one."""
    params = outcome_params(spec) if spec.question in OUTCOME_QUESTIONS else {
        "signal": spec.outcome, "question": spec.question, "group": spec.group, "time": spec.time,
        "random": spec.random, "rule": spec.blq, "inference": spec.inference,
        "adjust": ",".join(spec.adjusters),
    }  # fmt: skip
    usual = usual_question(view.trial, params)
    changed = [name for name in UNSEEN if getattr(spec, name) != getattr(usual, name)]
    params |= {name: written(getattr(spec, name)) for name in changed}
    return {name: value for name, value in params.items() if value}
