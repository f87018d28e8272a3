"""The tracer registry as a page."""

from analysis.tracers import TRACERS
from analysis.tracers.registry import FLAGS, NUCLIDES, TRACER_CLASSES, Nuclide, Tracer, TracerClass
from analysis.tracers.words import words_for
from docs.generate.markdown import bullets, code, page, table

OPENING = """\
Every cell-tracking system the program knows; a new one is a row of
`analysis/tracers/registry.yaml`. The window is the time in which a scan can be read, in hours on
the tracer's own decay clock: from the cell infusion for a label that was put on the cells, from
each injection for everything else. Evidence `memory` marks what no source here confirms."""


def tracers_page() -> str:
    return page(
        "Tracers",
        OPENING,
        *(class_section(name) for name in TRACER_CLASSES),
        "## Warnings",
        flag_table(),
        "## Nuclides",
        nuclide_table(),
    )


def class_section(tracer_class: TracerClass) -> str:
    members = [tracer for tracer in TRACERS.values() if tracer.tracer_class == tracer_class]
    words = words_for(tracer_class)
    said = bullets(
        [f"its signal is called: {words.signal}", f"never said of it: {', '.join(words.forbidden)}"]
    )
    head = ("id", "name", "target", "nuclide", "modality", "window, h", "clock", "CAR-specific",
            "warnings", "evidence", "source")  # fmt: skip
    title = tracer_class.replace("_", " ").capitalize()
    return "\n\n".join([f"## {title}", said, table(head, map(tracer_row, members))])


def tracer_row(tracer: Tracer) -> tuple[object, ...]:
    return (
        code(tracer.id),
        tracer.name,
        tracer.target,
        ", ".join(tracer.nuclides),
        tracer.modality,
        f"{tracer.window_low_h:g} to {tracer.window_high_h:g}",
        tracer.decay_clock.replace("_", " "),
        "yes" if tracer.car_specific else "no",
        ", ".join(code(flag) for flag in tracer.flags),
        tracer.evidence,
        ", ".join(tracer.sources),
    )


def flag_table() -> str:
    rows = ((code(flag.code), flag.severity, flag.text) for flag in FLAGS.values())
    return table(("flag", "severity", "text"), rows)


def nuclide_table() -> str:
    head = ("nuclide", "half-life, h", "standard error, h", "positrons, %", "code", "source")
    return table(head, map(nuclide_row, NUCLIDES.values()))


def nuclide_row(nuclide: Nuclide) -> tuple[object, ...]:
    numbers = (nuclide.half_life_h, nuclide.std_error_h, nuclide.positron_percent)
    return nuclide.id, *(f"{number:g}" for number in numbers), nuclide.code, nuclide.source
