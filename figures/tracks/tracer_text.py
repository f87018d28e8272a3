"""How a tracer is called where space is short, and which color its signal has."""

import re

from analysis.tracers import TRACERS, Tracer

SIGNAL_COLOR: dict[str, str] = {
    "direct_label": "direct_label",
    "reporter_gene": "reporter_gene",
    "immune_target": "immune_target",
    "target_antigen": "tumor_tracer",
    "pretargeting": "reporter_gene",
    "tumor_tracer": "tumor_tracer",
}
"""Tracer class to the color meaning of the theme."""

TRACK_NAME: dict[str, str] = {
    "direct_label": "Label uptake",
    "reporter_gene": "Reporter uptake",
    "immune_target": "Immune target uptake",
    "target_antigen": "Antigen uptake",
    "pretargeting": "Pretargeted uptake",
    "tumor_tracer": "Tumor tracer uptake",
}

CLASS_ORDER: tuple[str, ...] = (
    "reporter_gene",
    "direct_label",
    "pretargeting",
    "immune_target",
    "target_antigen",
    "tumor_tracer",
)
"""The most specific signal first: what can be read as engineered cells, then the rest."""

METRIC_TEXT: dict[str, tuple[str, str]] = {
    "suv_mean": ("SUVmean", "g/mL"),
    "suv_max": ("SUVmax", "g/mL"),
    "suv_peak": ("SUVpeak", "g/mL"),
    "sul_mean": ("SULmean", "g/mL"),
    "sul_max": ("SULmax", "g/mL"),
    "sul_peak": ("SULpeak", "g/mL"),
    "percent_injected_activity": ("Injected activity", "%"),
    "tumor_to_blood_ratio": ("Tumor to blood", "ratio"),
    "activity_concentration_bq_ml": ("Activity concentration", "Bq/mL"),
    "mtv_ml": ("MTV", "mL"),
}
"""Name and unit of a metric on the screen."""

CELL_METRICS = (
    "suv_mean",
    "suv_peak",
    "suv_max",
    "sul_mean",
    "sul_peak",
    "percent_injected_activity",
)
TUMOR_METRICS = ("suv_max", "suv_peak", "suv_mean", "sul_peak", "sul_max")


def tracer_of(tracer_id: str | None) -> Tracer | None:
    """The registry row of a tracer id; None for CT, MRI and tracers that are not registered."""
    return TRACERS.get(tracer_id) if tracer_id else None


def tracer_short(tracer_id: str | None, modality: str | None = None) -> str:
    """ "FHBG", "89Zr-oxine", "CD8", "FDG"; the modality when there is no tracer."""
    if not tracer_id:
        return modality or "Scan"
    tracer = tracer_of(tracer_id)
    if tracer is None:
        return tracer_id
    if tracer.tracer_class == "immune_target" and len(tracer.target) <= 6:
        return tracer.target
    name = re.sub(r"\s*\(.*?\)", "", tracer.name).strip()
    name = re.sub(r"[- ]label(l)?ed cells$", "", name)
    if tracer.tracer_class != "direct_label":
        name = re.sub(r"^(\[?\d+[A-Za-z]{1,2}\]?/?)+[- ]", "", name)
    name = re.sub(r"\s+(fragment|antibody|nanobody|minibody)$", "", name)
    return name if len(name) <= 14 else name[:13].rstrip(" -") + "\N{HORIZONTAL ELLIPSIS}"


def metric_text(metric: str, unit: str | None = None) -> str:
    """ "SUVmean, g/mL": a metric with its unit, as an axis title."""
    name, usual = METRIC_TEXT.get(metric, (metric.replace("_", " "), unit or ""))
    return f"{name}, {usual or unit}" if usual or unit else name


def metric_name(metric: str) -> str:
    """ "SUVmean"."""
    return METRIC_TEXT.get(metric, (metric.replace("_", " "), ""))[0]


def class_rank(tracer_class: str) -> int:
    """Order of tracer classes on the page."""
    return CLASS_ORDER.index(tracer_class) if tracer_class in CLASS_ORDER else len(CLASS_ORDER)


def tracer_rank(tracer_id: str) -> tuple[int, str]:
    """Order of tracers on the page, by class and name."""
    tracer = tracer_of(tracer_id)
    return (class_rank(tracer.tracer_class) if tracer else len(CLASS_ORDER), tracer_id)
