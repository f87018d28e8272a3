"""One running program over the studies of `canary_studies`, and what its answers give away."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import numpy as np
from dash import Dash
from sqlalchemy import Engine

from dashboard import create_app
from dashboard.data import TrialReader
from jobs.requests import JobRequests
from tests.dashboard.browser_calls import router_body
from tests.dashboard.canary_studies import Canary

TOKEN = "t0ken-of-the-canary-tests-0123456789"
ELSEWHERE = "NOWHERE-7"
"""A study, a cut, a patient that exist in no study: what is out of reach must answer the same."""


class Program(NamedTuple):
    """One running program and its client, over the database of both studies."""

    app: Dash
    engine: Engine
    mode: str

    def get(self, address: str) -> Any:
        return self._client().get(address)

    def call(self, body: Any) -> Any:
        return self._client().post("/_dash-update-component", json=body)

    def _client(self) -> Any:
        client = self.app.server.test_client()
        if self.mode == "local":
            client.get(f"/?token={TOKEN}")
        return client

    def page(self, path: str, query: str) -> Any:
        """All that the router answers to an address."""
        answer = self.call(router_body(self.app, path, f"?{query}"))
        assert answer.status_code == 200, answer.text[:300]
        return json.loads(answer.text)["response"]


def program_of(engine: Engine, cache: Path, mode: str) -> Program:
    reader = TrialReader(engine, cache, synthetic_only=mode == "demo")
    requests = JobRequests(engine, reader.readable_study, "tester")
    app = create_app(
        reader,
        mode=mode,
        token=TOKEN if mode == "local" else None,
        submit_job=requests.submit,
        read_job=requests.read,
        cancel_job=requests.cancel,
        version="0",
    )
    return Program(app, engine, mode)


def hits(canary: Canary, content: Any, *asked: str) -> list[str]:
    """Where an answer gives `canary` away. What was asked for itself may be repeated."""
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    for word in asked:
        text = text.replace(quote(word), "").replace(word, "")
    found = canary.hits(text)
    if not isinstance(content, str):
        found += [f"number {n}" for n in drawn_numbers(content) if canary.holds(n)]
    return found


def drawn_numbers(node: Any) -> Iterator[float]:
    """The numbers that figures carry packed."""
    if isinstance(node, dict):
        if "bdata" in node and "dtype" in node:
            packed = np.frombuffer(base64.b64decode(node["bdata"]), dtype=node["dtype"])
            yield from packed.astype(float).tolist()
            return
        node = list(node.values())
    for child in node if isinstance(node, list) else ():
        yield from drawn_numbers(child)


def call(program: Program, output: str, *values: Any, changed: str = "") -> Any:
    """Call the callback whose output holds `output`, with values for its inputs, then states."""
    key = next(
        k for k, entry in program.app.callback_map.items() if output in k and "callback" in entry
    )
    entry = program.app.callback_map[key]
    given = iter(values)
    filled = [
        [{**one, "value": next(given)} for one in entry[part]] for part in ("inputs", "state")
    ]
    names = [part.rsplit(".", 1) for part in key.strip(".").split("...")]
    outputs = [{"id": name, "property": prop} for name, prop in names]
    first = entry["inputs"][0]
    body = {
        "output": key,
        "outputs": outputs if len(outputs) > 1 else outputs[0],
        "inputs": filled[0],
        "state": filled[1],
        "changedPropIds": [changed or f"{first['id']}.{first['property']}"],
    }
    return program.call(body)
