"""What a queued job can do: one function per kind, each run in a process of its own."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from analysis.errors import trail
from models.engine import create_engine_for

log = logging.getLogger(__name__)

Payload = Mapping[str, Any]
Task = Callable[[str, Payload, str], dict[str, Any]]


def fit_task(database: str, payload: Payload, actor: str) -> dict[str, Any]:
    """Fit `payload["spec"]` (the study's default when absent) of `payload["study"]` at
    `payload["cut"]`, and store it."""
    from analysis.specs import ModelSpec
    from jobs.fitting import fit_study

    spec = ModelSpec.from_dict(payload["spec"]) if payload.get("spec") else None
    engine = create_engine_for(database)
    fit = fit_study(engine, payload["study"], spec, cut=payload.get("cut"), actor=actor)
    return {"status": fit.status, "sentence": fit.sentence}


TASKS: dict[str, Task] = {"fit": fit_task}


def run_task(kind: str, database: str, payload: Payload, actor: str) -> dict[str, Any]:
    """Run one job in this process; returns its result. A bug's place is logged here, because its
    frames do not travel to the dispatcher."""
    try:
        return TASKS[kind](database, payload, actor)
    except Exception as error:
        if not hasattr(error, "exit_code"):
            log.error("job (%s) failed: %s", kind, trail(error))
        raise
