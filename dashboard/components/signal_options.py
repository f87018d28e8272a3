"""The signals of a study as the choices of a select, under the headings of their domains."""

from collections.abc import Sequence
from typing import Any

from analysis.derive.signal import Signal

HEADINGS = {
    "kinetics": "Blood and marrow kinetics",
    "uptake": "Imaging",
    "burden": "Tumor burden",
    "laboratory": "Laboratory",
}


def signal_options(catalog: Sequence[Signal]) -> list[dict[str, Any]]:
    """Grouped options; laboratory tests by name, all others as the catalog orders them."""
    groups = []
    for domain, heading in HEADINGS.items():
        signals = [signal for signal in catalog if signal.domain == domain]
        if domain == "laboratory":
            signals.sort(key=lambda signal: signal.label.casefold())
        items = [{"value": signal.key, "label": signal.label} for signal in signals]
        if items:
            groups.append({"group": heading, "items": items})
    return groups
