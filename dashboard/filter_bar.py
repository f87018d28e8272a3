"""The chips above every page, the same filters in a drawer, and who is left and why."""

from collections.abc import Sequence

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from analysis.derive.attrition import AttritionStep
from dashboard.components.icon import icon
from dashboard.filters import Choice, Filter


def filter_bar(filters: Sequence[Filter], steps: Sequence[AttritionStep]) -> list[Component]:
    """The bar under the navigation: chips, the way to all filters, and the attrition."""
    button = html.Button(
        [icon("filters", 16), "All filters"],
        type="button",
        className="cg-all-filters",
        **{"data-open": "shell-filter-drawer", "data-focus": "all-filters"},
    )
    return [filter_chips(filters), attrition_bar(steps), button]


def filter_chips(filters: Sequence[Filter]) -> Component:
    """One chip a filter; a changed one is tinted and can be removed."""
    return html.Div(
        [_chip(item) for item in filters],
        className="cg-chips",
        role="group",
        **{"aria-label": "Filters"},
    )


def _chip(item: Filter) -> Component:
    words = [
        html.Span(item.label, className="cg-chip-label"),
        html.Span(item.value, className="cg-chip-value"),
    ]
    target = html.Button(
        words,
        type="button",
        className="cg-chip-button",
        **{"aria-haspopup": "dialog", "data-focus": f"chip-{item.name}"},
    )
    popover = dmc.Popover(
        [
            dmc.PopoverTarget(target, boxWrapperProps={"className": "cg-chip-target"}),
            dmc.PopoverDropdown(_choices(item, "chip"), p=6),
        ],
        id={"type": "filter-chip", "name": item.name},
        position="bottom-start",
        offset=6,
        shadow="md",
        radius="md",
        trapFocus=True,
        returnFocus=True,
        closeOnEscape=True,
        withRoles=False,  # they would land on the wrapper; button and choices have their own
        zIndex=300,
    )
    remove = (
        html.A(
            icon("close", 12),
            href=item.clear,
            className="cg-chip-remove",
            **{
                "aria-label": f"Remove {item.label} {item.value}",
                "data-focus": f"chip-{item.name}",
            },
        )
        if item.clear
        else None
    )
    state = "cg-chip cg-chip-set" if item.clear else "cg-chip"
    return html.Div([popover, remove], className=state)


def filter_sections(filters: Sequence[Filter], steps: Sequence[AttritionStep]) -> Component:
    """Every filter open one under the other: the drawer, and the whole bar on a phone."""
    sections = [
        html.Details(
            [
                html.Summary(
                    [
                        html.Span(item.label, className="cg-chip-label"),
                        html.Span(item.value, className="cg-chip-value"),
                    ],
                    **{"data-focus": f"section-{item.name}"},
                ),
                _choices(item, "drawer"),
            ],
            open=item.clear is not None,
            className="cg-filter-section",
        )
        for item in filters
    ]
    return html.Div([attrition_bar(steps), *sections], className="cg-filter-sections")


def _choices(item: Filter, place: str) -> Component:
    hint = html.P("Any of these", className="cg-choice-hint") if item.several else None
    return html.Div(
        [
            html.P(item.label, className="cg-choice-title"),
            hint,
            html.Ul([html.Li(_choice(choice, item)) for choice in item.choices]),
        ],
        className="cg-choices",
        role="dialog" if place == "chip" else "group",
        **{
            "aria-label": item.label,
            "data-focus": f"chip-{item.name}" if place == "chip" else f"section-{item.name}",
            "data-reopen": "yes" if item.several and place == "chip" else "no",
        },
    )


def _choice(choice: Choice, item: Filter) -> Component:
    kind = "cg-choice cg-choice-several" if item.several else "cg-choice"
    detail = html.Span(choice.detail, className="cg-choice-detail") if choice.detail else None
    return html.A(
        [
            icon("check", 14),
            html.Span([html.Span(choice.text, className="cg-choice-text"), detail]),
        ],
        href=choice.href,
        className=kind,
        **({"aria-current": "true"} if choice.chosen else {}),
    )


def attrition_bar(steps: Sequence[AttritionStep]) -> Component | None:
    """24 infused, 21 imaging-evaluable, 18 with three scans: each step with what it cost."""
    if not steps:
        return None
    whole = max(steps[0].n, 1)
    return html.Ol(
        [
            html.Li(
                [
                    html.Div(
                        html.Div(style={"width": f"{100 * step.n / whole:.1f}%"}),
                        className="cg-attrition-track",
                        **{"aria-hidden": "true"},
                    ),
                    html.Div(
                        [html.Strong(str(step.n)), " ", _lower_first(step.label)],
                        className="cg-attrition-n",
                    ),
                    html.Div(_loss(step), className="cg-attrition-loss"),
                ]
            )
            for step in steps
        ],
        className="cg-attrition",
        **{"aria-label": "Patients left after each filter"},
    )


def _loss(step: AttritionStep) -> str:
    if not step.lost:
        return step.reason if step.reason.startswith("no ") else ""  # an assumption, not a loss
    return f"−{step.lost} {step.reason}" if step.reason else f"−{step.lost}"


def _lower_first(label: str) -> str:
    """A label inside a sentence; one that is a code (DL2) stays."""
    return label if label[:2].isupper() else label[:1].lower() + label[1:]
