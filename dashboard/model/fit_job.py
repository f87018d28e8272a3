"""The fit that a page asks for: started once, followed to its end, cancelled."""

from enum import StrEnum
from typing import Any

from dash import Dash, Input, Output, State, dcc, html, no_update
from dash.dependencies import ClientsideFunction
from dash.development.base_component import Component
from werkzeug.exceptions import BadRequest

from analysis.errors import UserError
from analysis.specs import ModelSpec
from dashboard.access.errors import log_failure
from dashboard.components.card import card
from dashboard.data import TrialReader
from dashboard.view import Services
from models.errors import DatabaseError

TICK_MS = 500
MOST_TICKS_TO_START = 120
"""A fit that has no number after a minute will not get one: the answer was lost."""
LARGEST_JOB = 2**53
JOB_WORDS = {
    "queued": "Waiting for its turn ...",
    "running": "Fitting; a model with many visits takes some seconds ...",
    "done": "Done.",
    "cancelled": "Cancelled. Change the question above, or reload the page to fit it again.",
    "interrupted": "The fit was interrupted; reload the page to start it again.",
}
NOT_STARTED = "The fit could not be started; reload the page to try again."
GONE = "This fit is no longer in the queue; reload the page to start it again."
BUSY = "The database is busy; still waiting ..."


class Ids(StrEnum):
    """Elements of a fit on its way."""

    QUESTION = "model-question"
    JOB = "model-job"
    TICK = "model-tick"
    PROGRESS = "model-progress"
    STATUS = "model-status"
    CANCEL = "model-cancel"


def fitting_card(studyid: str, cut: str, spec: ModelSpec) -> Component:
    """The card of a fit that is made now; drawing it starts the fit."""
    return card(
        "Fit of this question",
        [
            dcc.Store(id=Ids.QUESTION, data={"study": studyid, "cut": cut, "spec": spec.to_dict()}),
            dcc.Store(id=Ids.JOB),
            dcc.Store(id=Ids.STATUS),
            dcc.Interval(id=Ids.TICK, interval=TICK_MS),
            html.P("Starting ...", id=Ids.PROGRESS, role="status"),
            html.Div(html.Div(className="cg-skeleton-card"), className="cg-skeleton"),
            html.Button("Cancel", id=Ids.CANCEL, type="button", className="cg-button"),
        ],
    )


def register_fit_job(app: Dash, services: Services) -> None:
    """Start the fit that the page asks for, follow it, cancel it."""

    @app.callback(Output(Ids.JOB, "data"), Input(Ids.QUESTION, "data"), prevent_initial_call=False)
    def _start(question: Any) -> Any:
        return no_update if question is None else start(question, services)

    @app.callback(
        Output(Ids.PROGRESS, "children"),
        Output(Ids.TICK, "disabled"),
        Output(Ids.STATUS, "data"),
        Input(Ids.TICK, "n_intervals"),
        State(Ids.JOB, "data"),
        prevent_initial_call=True,
    )
    def _follow(ticks: float | None, job: Any) -> tuple[str, bool, str]:
        words, status = follow(ticks or 0, job, services)
        return words, status not in ("queued", "running"), status

    app.clientside_callback(
        ClientsideFunction("cartograph", "reloadWhenDone"),
        Input(Ids.STATUS, "data"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output(Ids.CANCEL, "disabled"),
        Input(Ids.CANCEL, "n_clicks"),
        State(Ids.JOB, "data"),
        prevent_initial_call=True,
    )
    def _cancel(_: float | None, job: Any) -> bool:
        return cancel(job, services)


def start(question: Any, services: Services) -> int | dict[str, str]:
    """The number of the job, or the words why there is none (as `{"refused": words}`).

    Raises BadRequest for a question that no page asks.
    """
    try:
        studyid, payload = read_question(question, services.reader)
        return services.submit_job("fit", studyid, payload)
    except (UserError, DatabaseError) as error:
        return {"refused": f"The fit was not started: {error}"}
    except BadRequest:
        raise
    except Exception as error:  # else the page would wait for ever
        return {"refused": f"{NOT_STARTED} The log has the place: code {log_failure(error, 'fit')}"}


def read_question(question: Any, reader: TrialReader) -> tuple[str, dict[str, Any]]:
    """Study and payload of a question: a study that may be read, one of its cuts, a
    specification that may be asked.

    Raises BadRequest for any other.
    """
    if not isinstance(question, dict):
        raise BadRequest("expected a question")
    studyid, cut, content = (question.get(name) for name in ("study", "cut", "spec"))
    if not (isinstance(studyid, str) and isinstance(cut, str) and isinstance(content, dict)):
        raise BadRequest("expected a study, a cut and a specification")
    try:
        known = reader.cuts(studyid)["name"].to_list()
        spec = ModelSpec.from_dict(content)
        spec.validate()
    except UserError as error:
        raise BadRequest(str(error)) from None
    if cut not in known:
        raise BadRequest("no such data cut")
    return studyid, {"spec": spec.to_dict(), "cut": cut}


def follow(ticks: float, job: Any, services: Services) -> tuple[str, str]:
    """What to say about a job, and its status."""
    if isinstance(job, dict) and isinstance(job.get("refused"), str):
        return job["refused"], "failed"
    job_id = number_of(job)
    if job_id is None:
        lost = ticks > MOST_TICKS_TO_START
        return (NOT_STARTED, "failed") if lost else ("Starting ...", "queued")
    try:
        row = services.read_job(job_id)
    except DatabaseError:
        return BUSY, "queued"
    return (GONE, "failed") if row is None else (job_words(row), row["status"])


def cancel(job: Any, services: Services) -> bool:
    """Ask for the end of a job; whether that was heard."""
    job_id = number_of(job)
    if job_id is None:
        return False
    try:
        services.cancel_job(job_id)
    except DatabaseError:
        return False
    return True


def number_of(job: Any) -> int | None:
    """The number of a job as the page holds it, None when it holds none."""
    whole = isinstance(job, int) and not isinstance(job, bool)
    return job if whole and 0 < job < LARGEST_JOB else None


def job_words(job: dict[str, Any]) -> str:
    """What the job is doing, in a few words."""
    if job["status"] == "failed":
        return f"The fit did not work: {job['message']}"
    return JOB_WORDS[job["status"]]
