"""Problems planted into the export files, each with the verdict a careful loader must reach.

A problem changes cells of a file before it is written. Which patients are hit depends on the
seed alone. The truth file lists every problem with its file, row, column, text and verdict.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from etl.synthetic import problems_imaging, problems_records
from etl.synthetic.files.export_file import ExportFile
from etl.synthetic.planter import Planter, Problem

PROBLEMS: tuple[Callable[[Planter], None], ...] = (
    problems_imaging.uptake_out_of_window,
    problems_imaging.direct_label_late,
    problems_imaging.missing_weight,
    problems_imaging.wrong_half_life,
    problems_imaging.time_only_header,
    problems_imaging.isotope_residue,
    problems_imaging.negative_uptake,
    problems_imaging.unknown_scan,
    problems_imaging.exact_duplicates,
    problems_records.qpcr_words,
    problems_records.qpcr_limits,
    problems_records.identifiers,
    problems_records.dates,
    problems_records.units,
    problems_records.cytokine_extremes,
    problems_records.private_column,
    problems_records.new_column,
    problems_records.hidden_sheet,
    problems_records.grade_without_scale,
)


def plant_problems(
    files: list[ExportFile], rng: np.random.Generator
) -> tuple[list[ExportFile], tuple[Problem, ...]]:
    """All problems of the trial; returns the changed files and the answers."""
    planter = Planter(files, rng)
    for plant in PROBLEMS:
        plant(planter)
    return planter.finished(), tuple(planter.problems)
