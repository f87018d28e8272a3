"""Web entry: settings -> engine -> reader -> Dash. `create_server` is the factory for gunicorn.

`python app.py` serves like `cartograph serve`. Nothing is built at import: a module-level server
would be built again in every process that is spawned.
"""

import gc
import sys
from typing import TYPE_CHECKING, Any

from settings import VERSION, Settings

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy import Engine

    from dashboard.data import TrialReader


def create_server() -> "Flask":
    """The WSGI application of one worker, built and warmed in that worker: the first person does
    not wait for the study that opens first.

    Raises:
        UserError: local mode without a token, or with one that could be guessed.
        DatabaseError: the database is not reachable or not at this program's revision.
    """
    from dashboard import create_app
    from dashboard.access.errors import log_failure
    from dashboard.access.modes import LOOPBACK_NAMES
    from dashboard.data import TrialReader
    from jobs.server import checked_token, name_in_address
    from models.engine import check_revision, create_engine_for

    settings = Settings()
    engine = create_engine_for(settings.database)
    check_revision(engine)
    reader = TrialReader(engine, settings.cache_dir, synthetic_only=settings.mode == "demo")
    token = settings.token.get_secret_value() if settings.token else ""
    dash_app = create_app(
        reader,
        mode=settings.mode,
        token=checked_token(token) if token else None,
        version=VERSION,
        hosts={*LOOPBACK_NAMES, name_in_address(settings.host)},
        **job_services(engine, reader, settings.who_acts()),
    )
    try:
        reader.warm()
    except Exception as error:  # the pages of the study say it, each time they are asked for
        log_failure(error, "reading the first study")
    keep_for_good()
    server: Flask = dash_app.server
    return server


def keep_for_good() -> None:
    """What stands once a server is warm stays: the collector walked through all of it now and
    then, which made one answer in thirty wait a fifth of a second."""
    gc.collect()
    gc.freeze()


def job_services(engine: "Engine", reader: "TrialReader", actor: str) -> dict[str, Any]:
    """The three things that a page may do with jobs of the studies that `reader` may read, as
    callables that hide the engine."""
    from jobs.requests import JobRequests

    requests = JobRequests(engine, reader.readable_study, actor)
    return {
        "submit_job": requests.submit,
        "read_job": requests.read,
        "cancel_job": requests.cancel,
    }


if __name__ == "__main__":
    from cli import main

    main("serve", *sys.argv[1:])
