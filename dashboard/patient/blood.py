"""Which blood signals speak for a patient, and what is said of samples in another unit."""

from analysis.derive.signal import Signal
from analysis.derive.usual_unit import quantity
from analysis.number_words import count
from dashboard.patient.records import CutRecords
from figures.tracks.kinetics import kinetics_rank
from figures.tracks.reading import unit_text

ODD_SHARE = 0.5
"""Share of the usual unit's patients below which another unit is odd, and said to be there."""


def blood_signals(records: CutRecords) -> tuple[Signal, ...]:
    """One signal per quantity in blood, in the unit of the study: transgene first, then as in the
    catalog, which has the unit that speaks for a quantity before the others."""
    first: dict[Signal, Signal] = {}
    for one in records.catalog:
        if one.domain == "kinetics" and one.matrix == "BLOOD":
            first.setdefault(quantity(one), one)
    return tuple(sorted(first.values(), key=lambda one: kinetics_rank(one.code, one.unit)))


def odd_units(records: CutRecords, signal: Signal) -> tuple[Signal, ...]:
    """The same quantity in units that few patients have: not shown where `signal` speaks. Kept: the
    roster asks for every patient."""
    return records.kept(("odd units", signal.key), lambda: _odd_units(records, signal))


def _odd_units(records: CutRecords, signal: Signal) -> tuple[Signal, ...]:
    wanted = quantity(signal)
    same = [one for one in records.catalog if quantity(one) == wanted]
    others = [one for one in same if one.key != signal.key]
    if not others:
        return ()
    n = records.series(signal)["usubjid"].n_unique()
    return tuple(one for one in others if records.series(one)["usubjid"].n_unique() < ODD_SHARE * n)


def odd_samples(records: CutRecords, signal: Signal, usubjid: str | None = None) -> str:
    """ "1 sample in copies/µg DNA not shown here", of a patient or of all; "" without any."""
    found = []
    for one in odd_units(records, signal):
        series = records.series(one)
        n = series.height if usubjid is None else int((series["usubjid"] == usubjid).sum())
        if n:
            found.append(f"{count(n, 'sample')} in {unit_text(one.unit)}")
    return f"{' and '.join(found)} not shown here" if found else ""
