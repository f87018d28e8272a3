"""Server time of a filter change on the demo: the router's real callback, every page by every
filter, each selection drawn for the first time after its page was drawn without filters."""

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from analysis.selection import Selection
from benchmarks.row import Row

LIMIT_MS = 300.0


class Spent(NamedTuple):
    """Milliseconds of one change: on the wall, and of all the process's threads together."""

    wall: float
    cpu: float


def rows() -> list[Row]:
    """Median and slowest change over all pages and on each."""
    with tempfile.TemporaryDirectory(prefix="cartograph-bench-") as folder:
        app, trial = demo_app(f"sqlite:///{Path(folder) / 'demo.db'}")
        changes = [selection.to_query() for selection in selections(trial)]
        times = {path: change_times(app, path, changes) for path in paths(trial)}
    every = [one for page in times.values() for one in page]
    parts = {f"every page, {len(every)} changes": every}
    parts |= {f"`{path}`": page for path, page in times.items()}
    return [row for name, spent in parts.items() for row in summary(name, spent)]


def summary(name: str, spent: list[Spent]) -> list[Row]:
    wall, cpu = [one.wall for one in spent], [one.cpu for one in spent]
    return [
        Row(f"{name}: median", statistics.median(wall), "ms", LIMIT_MS),
        Row(f"{name}: slowest", max(wall), "ms", LIMIT_MS),
        Row(f"{name}: CPU, median", statistics.median(cpu), "ms"),
    ]


def demo_app(url: str) -> tuple[Any, Any]:
    """The demo's app as `app.create_server` builds it over a fresh database, and its trial."""
    from app import job_services, keep_for_good
    from dashboard import create_app
    from dashboard.data import TrialReader
    from etl.synthetic import STUDYID
    from jobs.demo import build_demo
    from models.engine import create_engine_for

    build_demo(url, actor="benchmark", say=lambda text: None)
    engine = create_engine_for(url)
    reader = TrialReader(engine, synthetic_only=True)
    services = job_services(engine, reader, "benchmark")
    made = create_app(reader, mode="demo", version="bench", **services), reader.trial(STUDYID)
    keep_for_good()
    return made


def selections(trial: Any) -> list[Selection]:
    """What a person would set on the filter bar, one filter at a time."""
    return [
        *(Selection(cohort=(name,)) for name in values_of(trial.subjects, "cohort")),
        *(Selection(dose_level=(name,)) for name in values_of(trial.subjects, "dose_level")),
        *(Selection(tracer=name) for name in values_of(trial.scans, "tracer_id")),
        Selection(analysis_set="efficacy"),
        Selection(analysis_set="imaging"),
        Selection(day_low=0, day_high=28),
        Selection(color_by="dose_level"),
        Selection(scale="linear"),
        Selection(blq="half_lloq"),
    ]


def values_of(frame: pl.DataFrame, column: str) -> list[str]:
    return frame[column].drop_nulls().unique().sort().to_list()


def paths(trial: Any) -> list[str]:
    """Every page, the patient page with the first infused patient."""
    from dashboard.pages import PAGES

    patient = trial.infusions["usubjid"].sort()[0]
    parts = [page.PATH.partition("<") for page in PAGES]
    return [f"{before}{patient}" if variable else before for before, variable, _ in parts]


def change_times(app: Any, path: str, changes: list[str]) -> list[Spent]:
    """The time of each filter change on one page that was drawn before."""
    client = app.server.test_client()
    draw(client, app, path, "")
    return [draw(client, app, path, f"?{query}") for query in changes]


def draw(client: Any, app: Any, path: str, search: str) -> Spent:
    """The time of one answer of the router; an answer that is no page is an error."""
    body = router_body(app, path, search)
    start, busy = time.perf_counter(), time.process_time()
    answer = client.post("/_dash-update-component", json=body)
    spent = Spent(1000 * (time.perf_counter() - start), 1000 * (time.process_time() - busy))
    if answer.status_code != 200 or '"cg-broken"' in answer.text:
        raise RuntimeError(f"{path}{search} was not drawn: HTTP {answer.status_code}")
    return spent


def router_body(app: Any, path: str, search: str) -> dict[str, Any]:
    """What the browser sends to this app when the address changes."""
    output = next(key for key in app.callback_map if "shell-page.children" in key)
    return router_body_of(output, path, search)


def router_body_of(output: str, path: str, search: str) -> dict[str, Any]:
    """The same, for the router's `output` as the server names it."""
    parts = [part.rsplit(".", 1) for part in output.strip(".").split("...")]
    value = {"path": path, "search": search, "scheme": "light", "narrow": False}
    return {
        "output": output,
        "outputs": [{"id": name, "property": prop} for name, prop in parts],
        "inputs": [{"id": "shell-request", "property": "data", "value": value}],
        "changedPropIds": ["shell-request.data"],
        "state": [],
    }
