"""Hostile callback bodies: refused as a client's error, never a failure of the server."""

import copy
import json
import random

import pytest
from werkzeug.exceptions import BadRequest

from dashboard.access.callback_gate import PROPERTY_TYPES, check_body
from tests.dashboard.browser_calls import draw, router_body, walk

MUTATIONS = 500
VALUES = (
    None, True, False, 0, -1, 1e308, float("nan"), "", "x", "/", "../../etc/passwd", "\x00", "💥",
    [], [[]], {}, {"a": 1}, {"path": 1}, {"path": "/", "search": [], "scheme": "light"},
    {"path": "/", "search": "?cut=x&study='; DROP TABLE study; --", "scheme": "light"},
    {"path": "/patients/%00%ff", "search": "?day_low=nan", "scheme": "dark"},
    {"path": "/", "search": "?" + "a=1&" * 500, "scheme": "dark"},
    {"path": "/" + "x" * 5000, "search": "", "scheme": "light"},
    {"study": "REAL-01"}, {"outcome": "kinetics:"}, [None], 10**400, "2026-06-30",
    {"path": "//", "search": "?=&==&%%%", "scheme": "light"}, "[" * 50, {"id": {"type": "x"}},
)  # fmt: skip
WORDS = (
    "output", "outputs", "inputs", "state", "changedPropIds", "id", "property", "value", "study",
    "cut", "spec", "outcome", "days", "day_low", "spline_df", "group", "refused",
)  # fmt: skip


def _mutate(body, rng: random.Random):
    """One to three random wounds: a value replaced, a key dropped or added, a list changed."""
    wounded = copy.deepcopy(body)
    for _ in range(rng.randint(1, 3)):
        nodes = [wounded, *_inside(wounded)]
        node = rng.choice(nodes)
        if isinstance(node, dict) and node:
            key = rng.choice(list(node))
            action = rng.randrange(3)
            if action == 0:
                node[key] = copy.deepcopy(rng.choice(VALUES))
            elif action == 1:
                del node[key]
            else:
                node[rng.choice(WORDS)] = copy.deepcopy(rng.choice(VALUES))
        elif isinstance(node, list):
            node.insert(rng.randint(0, len(node)), copy.deepcopy(rng.choice(VALUES)))
    return wounded if rng.random() > 0.03 else rng.choice(VALUES)


def _inside(node):
    children = (
        list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else []
    )
    return [c for c in children if isinstance(c, (dict, list))] + [
        deep for child in children for deep in _inside(child)
    ]


def _bodies(app):
    """A well-formed call of every callback of the program."""
    bodies = [router_body(app, path) for path in ("/", "/data", "/cohort", "/model", "/patients")]
    for output, callback in app.callback_map.items():
        if "callback" not in callback:
            continue
        declared = callback["output"]
        several = isinstance(declared, (list, tuple))
        outputs = [item.to_dict() for item in (declared if several else [declared]) if item]
        bodies.append(
            {
                "output": output,
                "outputs": outputs if several else (outputs[0] if outputs else None),
                "inputs": [{**item, "value": None} for item in callback["inputs"]],
                "state": [{**item, "value": None} for item in callback["state"]],
                "changedPropIds": [],
            }
        )
    question = _question(app)
    for body in list(bodies):
        for part in (*body["inputs"], *body["state"]):
            if part["id"] in REAL_VALUES or part["id"] == "model-question":
                part["value"] = REAL_VALUES.get(part["id"], question)
                bodies += [body] * 6  # these say most, so they are wounded most often
    return bodies


REAL_VALUES = {"model-job": 1, "model-tick": 3}


def _question(app):
    """What the model page asks for, as it stands in the page."""
    drawn = draw(app, "/model")["shell-page"]["children"]
    stores = [node["props"] for node in walk(drawn) if node["type"] == "Store"]
    return next(props["data"] for props in stores if props["id"] == "model-question")


def test_the_question_of_the_model_page_is_answered_and_a_forged_one_refused(demo, demo_client):
    question = _question(demo)
    body = next(b for b in _bodies(demo) if b["inputs"][0]["id"] == "model-question")
    for change, status in (
        ({}, 200), ({"study": "REAL-01"}, 400), ({"cut": "none"}, 400), ({"spec": {}}, 400)
    ):  # fmt: skip
        body["inputs"][0]["value"] = {**question, **change}
        answer = demo_client.post("/_dash-update-component", json=body)
        assert answer.status_code == status, change
        assert "Traceback" not in answer.text


def test_mutated_bodies_never_fail_the_server(demo, demo_client):
    demo_client.get("/")
    rng = random.Random(20260630)
    bodies = _bodies(demo)
    failures = []
    refused = 0
    for number in range(MUTATIONS):
        body = _mutate(rng.choice(bodies), rng)
        answer = demo_client.post(
            "/_dash-update-component", data=json.dumps(body), content_type="application/json"
        )
        refused += answer.status_code == 400
        if answer.status_code >= 500:
            failures.append((number, answer.status_code, json.dumps(body)[:300]))
    assert failures == []
    assert refused > MUTATIONS // 2


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "1", '"x"', "[" * 100_000, '{"a":' * 50_000]
)
def test_bodies_that_are_no_call_are_refused(demo_client, text):
    demo_client.get("/")
    answer = demo_client.post("/_dash-update-component", data=text, content_type="application/json")
    assert answer.status_code == 400
    assert "Traceback" not in answer.text


def test_a_whole_call_passes(demo, demo_client):
    demo_client.get("/")
    check_body(router_body(demo), demo.callback_map)


def test_outputs_of_another_callback_are_refused(demo, demo_client):
    demo_client.get("/")
    body = router_body(demo)
    body["outputs"][0]["id"] = "shell-title"
    with pytest.raises(BadRequest, match="outputs"):
        check_body(body, demo.callback_map)


def test_every_input_and_state_has_a_known_type(demo, demo_client):
    """A property that is not in the table would refuse every call of its callback."""
    demo_client.get("/")
    used = {
        item["property"]
        for callback in demo.callback_map.values()
        if "callback" in callback
        for item in (*callback["inputs"], *callback["state"])
    }
    assert used <= set(PROPERTY_TYPES)


def test_an_error_page_holds_no_stack_and_no_value(demo, monkeypatch, caplog):
    from dashboard import router

    def explode(*_):
        raise RuntimeError("patient TINY-01-01-001 has 42 copies")

    monkeypatch.setattr(router, "draw", explode)
    client = demo.server.test_client()
    client.get("/")
    answer = client.post("/_dash-update-component", json=router_body(demo))
    assert answer.status_code == 500
    assert "TINY" not in answer.text
    assert "Traceback" not in answer.text
    assert "42 copies" not in caplog.text
    assert "RuntimeError" in caplog.text
