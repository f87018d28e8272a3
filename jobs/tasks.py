"""What a queued job can do: one function per kind, each run in a process of its own."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from models.engine import create_engine_for

Payload = Mapping[str, Any]
Task = Callable[[str, str, Payload, str], dict[str, Any]]


def fit_task(database: str, studyid: str, payload: Payload, actor: str) -> dict[str, Any]:
    """Fit `payload["spec"]` (the study's default when absent) at `payload["cut"]`; store it."""
    from analysis.specs import ModelSpec
    from jobs.fitting import fit_study

    spec = ModelSpec.from_dict(payload["spec"]) if payload.get("spec") else None
    engine = create_engine_for(database)
    fit = fit_study(engine, studyid, spec, cut=payload.get("cut"), actor=actor)
    return {"status": fit.status, "sentence": fit.sentence}


TASKS: dict[str, Task] = {"fit": fit_task}


def run_task(kind: str, database: str, studyid: str, payload_text: str, actor: str) -> str:
    """Run one job in this process; the result is JSON text (the job table's form)."""
    result = TASKS[kind](database, studyid, json.loads(payload_text), actor)
    return json.dumps(result, allow_nan=False)
