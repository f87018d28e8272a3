"""Organs in which a tracer is taken up or excreted without any engineered cell.

Such uptake is hatched on the body map: it is no signal of cells. The organs follow the published
biodistribution of each tracer; a tracer that is not listed gets the organs of its class.
Sources: Ashmore-Harris 2020 (PMC7264441) for reporter genes, Keu 2017 (Sci Transl Med 9:eaag2196)
for FHBG, Charoenphun 2015 (EJNMMI) and the registry's own sources for labels.
"""

from analysis.tracers import TRACERS

_BY_WORD: tuple[tuple[str, frozenset[str]], ...] = (
    ("psma", frozenset({"SALIVARY", "KIDNEY", "LIVER", "BOWEL", "BLADDER"})),
    ("dotat", frozenset({"SPLEEN", "KIDNEY", "LIVER", "BLADDER"})),
    ("nis", frozenset({"THYROID", "STOMACH", "SALIVARY", "BLADDER"})),
    ("fhbg", frozenset({"LIVER", "GALLBLADDER", "BOWEL", "KIDNEY", "BLADDER"})),
    ("fdg", frozenset({"BRAIN", "BLOOD_POOL", "BLADDER", "KIDNEY"})),
    ("mfbg", frozenset({"SALIVARY", "LIVER", "BLADDER", "KIDNEY"})),
    ("mibg", frozenset({"SALIVARY", "LIVER", "BLADDER"})),
)
_BY_CLASS: dict[str, frozenset[str]] = {
    "reporter_gene": frozenset({"LIVER", "KIDNEY", "BLADDER"}),
    "direct_label": frozenset(),
    "immune_target": frozenset({"LIVER", "KIDNEY", "BLADDER"}),
    "target_antigen": frozenset({"LIVER", "KIDNEY", "BLADDER"}),
    "pretargeting": frozenset({"LIVER", "KIDNEY", "BLADDER"}),
    "tumor_tracer": frozenset({"KIDNEY", "BLADDER"}),
}


def physiologic_organs(tracer_id: str) -> frozenset[str]:
    """Region codes of the drawn organs with physiologic uptake of a tracer."""
    tracer = TRACERS.get(tracer_id)
    if tracer is None:
        return frozenset()
    if tracer.tracer_class == "direct_label":
        return _BY_CLASS["direct_label"]
    words = f"{tracer_id} {tracer.name} {tracer.target}".lower()
    for word, organs in _BY_WORD:
        if word in words:
            return organs
    return _BY_CLASS[tracer.tracer_class]
