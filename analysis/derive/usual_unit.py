"""The unit of a study's signal, where one quantity was delivered in several units.

Units are variables of their own and are never mixed, so one of them must speak for the quantity:
the canonical unit, unless another was measured in more than twice as many patients. One sample in
an odd unit never does.
"""

from collections.abc import Sequence

from analysis.compute.units import canonical_unit
from analysis.derive.signal_catalog import Size
from analysis.derive.signal_key import Signal

CANONICAL_SHARE = 0.5
"""Share of the most measured unit's patients from which the canonical unit speaks."""


def quantity(signal: Signal) -> Signal:
    """The signal without its unit: signals of one quantity are equal then."""
    rest = tuple(name for name in signal.qualified_by if name != "unit")
    return signal.replace(unit=None, qualified_by=rest, name="")


def usual_keys(found: Sequence[tuple[Signal, Size]]) -> frozenset[str]:
    """Keys of the signals whose unit speaks for their quantity; one for every quantity."""
    by_quantity: dict[Signal, list[tuple[Signal, Size]]] = {}
    for signal, size in found:
        by_quantity.setdefault(quantity(signal), []).append((signal, size))
    return frozenset(_usual(units).key for units in by_quantity.values())


def _usual(units: Sequence[tuple[Signal, Size]]) -> Signal:
    """Sizes are negative: the largest comes first."""
    most, (patients, _) = min(units, key=lambda item: (item[1], item[0].key))
    for signal, size in units:
        if signal.unit == canonical_unit(signal.code) and size[0] <= CANONICAL_SHARE * patients:
            return signal
    return most
