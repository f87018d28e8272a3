"""The blood samples of one invented patient: cellular kinetics and laboratory values."""

import math
import random
from datetime import datetime
from typing import Any

from tests.dashboard.trial_rows import Rows, below, exact, lineage, timed

SAMPLE_DAYS = (-7.0, 0.0, 3.0, 7.0, 10.0, 14.0, 21.0, 28.0, 60.0, 90.0)
LLOQ = 50.0


def add_blood(
    frames: dict[str, Rows],
    subject: dict[str, Any],
    start: datetime,
    size: float,
    rng: random.Random,
) -> None:
    for day in SAMPLE_DAYS:
        peak = 9000 * size * rng.uniform(0.6, 1.5)
        level = (
            peak * math.exp(-((day - 10) ** 2) / 90)
            if day < 10
            else peak * math.exp(-(day - 10) / (6 + 4 * size))
        )
        for analyte, assay, unit, factor, limit in (
            ("CARTG", "qPCR", "copies/ug", 1.0, LLOQ),
            ("CARFLOW", "flow", "cells/uL", 1 / 450, 0.2),
        ):
            value = level * factor if day > 0 else 0.0
            result = exact(round(value, 2), unit) if value >= limit else below(limit, unit)
            frames["kinetics"].append(
                {
                    **subject,
                    "analyte": analyte,
                    "assay": assay,
                    "matrix": "BLOOD",
                    "lloq": limit,
                    "uloq": None,
                    "lod": None,
                    "replicate": 1,
                    **result,
                    **timed(day, start),
                    **lineage("kinetics.csv", len(frames["kinetics"]) + 2),
                }
            )
        for testcd, test, category, unit, high, value in (
            (
                "INTLK6",
                "Interleukin 6",
                "cytokine",
                "pg/mL",
                7.0,
                3 + 90 * size * math.exp(-((day - 5) ** 2) / 8),
            ),
            (
                "FERRITIN",
                "Ferritin",
                "chemistry",
                "ug/L",
                300.0,
                260 + 700 * size * math.exp(-((day - 8) ** 2) / 60),
            ),
            (
                "CRP",
                "C-reactive protein",
                "chemistry",
                "mg/L",
                5.0,
                4 + 60 * size * math.exp(-((day - 4) ** 2) / 12),
            ),
            (
                "CD19",
                "CD19+ B cells",
                "cell_population",
                "cells/uL",
                400.0,
                90.0 if day < 0 else 0.5,
            ),
        ):
            frames["labs"].append(
                {
                    **subject,
                    "testcd": testcd,
                    "test": test,
                    "category": category,
                    "matrix": "BLOOD",
                    "ref_low": 0.0,
                    "ref_high": high,
                    "lloq": None,
                    "replicate": 1,
                    **exact(round(value, 2), unit),
                    **timed(day, start),
                    **lineage("labs.csv", len(frames["labs"]) + 2),
                }
            )
