"""The card of the body map, with the scans of this patient to choose from."""

from collections.abc import Callable

from dash import html
from dash.development.base_component import Component

from dashboard.components.card import card
from dashboard.components.graph import graph
from figures.body.region import BodyMap
from figures.body_map import draw_body_map
from figures.theme import Theme

Link = Callable[[str], str]


def body_card(
    numbers: BodyMap | None, theme: Theme, tracers: tuple[tuple[str, str], ...], link: Link
) -> Component | None:
    """None for a patient without images. `tracers` are (id, short name) of those with scans;
    with several, one can be chosen."""
    if numbers is None:
        return None
    figure = draw_body_map(numbers, theme)
    named = [*numbers.lesions, *numbers.organs]
    words = "; ".join(f"{one.name} {one.text}" for one in named)
    alt = f"{numbers.title}, {numbers.unit}: {words}."
    notes = []
    if any(one.physiologic for one in numbers.organs):
        notes.append("Hatched: physiologic uptake of the tracer, not cells.")
    if numbers.lesions:
        notes.append("Ringed: lesions.")
    if numbers.unplaced:
        listed = ", ".join(f"{one.code} {one.text}" for one in numbers.unplaced)
        notes.append(f"Lesions without a known place: {listed}.")
    body = [
        _choice(tracers, numbers.tracer_id, link) if len(tracers) > 1 else None,
        html.Div(graph(figure, "patient-body-map", alt), className="cg-body-map"),
        html.P(" ".join(notes), className="cg-small-note") if notes else None,
    ]
    return card(numbers.title, body, note=numbers.unit)


def _choice(tracers: tuple[tuple[str, str], ...], chosen: str, link: Link) -> Component:
    return html.Div(
        [
            html.A(
                name,
                href=link(tracer_id),
                className="cg-segment",
                **({"aria-current": "true"} if tracer_id == chosen else {}),
            )
            for tracer_id, name in tracers
        ],
        className="cg-segmented cg-body-tracers",
        role="group",
        **{"aria-label": "Tracer"},
    )
