"""Web entry: settings -> engine -> reader -> Dash. `create_server` is the factory for gunicorn.

`python app.py` serves like `cartograph serve`. Nothing is built at import: a module-level server
would be built again in every process that is spawned.
"""

import getpass
from typing import TYPE_CHECKING, Any

from settings import VERSION, Settings

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy import Engine


def create_server() -> "Flask":
    """The WSGI application of one worker, built and warmed in that worker.

    The first concurrent requests to a fresh threaded worker fail in Dash's lazy set-up, so each
    worker answers one request of its own before it takes others'.

    Raises:
        DatabaseError: the database is not reachable or not at this program's revision.
    """
    from dashboard import create_app
    from dashboard.data import TrialReader
    from models.engine import check_revision, create_engine_for

    settings = Settings()
    engine = create_engine_for(settings.database)
    check_revision(engine)
    reader = TrialReader(engine, settings.cache_dir, synthetic_only=settings.mode == "demo")
    token = settings.token.get_secret_value() if settings.token else None
    dash_app = create_app(
        reader,
        mode=settings.mode,
        token=token or None,
        version=VERSION,
        **job_services(engine, settings.actor or login_name()),
    )
    server: Flask = dash_app.server
    server.test_client().get("/", headers={"Host": f"{settings.host}:{settings.port}"})
    return server


def job_services(engine: "Engine", actor: str) -> dict[str, Any]:
    """The three things that a page may do with jobs, as callables that hide the engine."""
    from models import jobs as job_table
    from models.connect import reading
    from models.errors import UnknownNameError
    from models.queries import read_study

    def submit_job(kind: str, studyid: str, payload: dict[str, Any]) -> int:
        study_id = int(read_study(engine, studyid)["id"])
        with engine.begin() as connection:
            return job_table.insert_job(
                connection, kind, {**payload, "study": studyid}, study_id=study_id, actor=actor
            )

    def read_job(job_id: int) -> dict[str, Any] | None:
        try:
            with reading(engine) as connection:
                return job_table.read_job(connection, job_id)
        except UnknownNameError:
            return None

    def cancel_job(job_id: int) -> None:
        with engine.begin() as connection:
            job_table.request_cancel(connection, job_id)

    return {"submit_job": submit_job, "read_job": read_job, "cancel_job": cancel_job}


def login_name() -> str:
    """The login name of the one user; "unknown" where the system has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


if __name__ == "__main__":
    from jobs.server import serve

    serve(Settings())
