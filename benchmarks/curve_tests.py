"""Type-I error of the default tests on expansion curves of two groups that do not differ.

Curves are drawn around that of Stein and others with the published spread, so that no spline is
exactly right. Each trial is fitted as a specification would fit it (the matching basis as the
random part; lesions nested in the patient) and tested at 5 %: the whole course (interaction with
time, and any difference), and the ratio on days 7, 14 and 28. Satterthwaite's F on the same trials
stands beside the joint tests as the peer; some rows show the random slope that is refused, and the
last ones planned visits as a factor, where relabelled patients are the reference."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from analysis import Fit, fit_mixed, permutation_test
from analysis.fits.inference import joint_test, tested
from analysis.fits.replicates import refitted
from benchmarks.null_curves import curves, design
from benchmarks.row import Row

BAND = (2.5, 6.5)
SPLINE = "cr(time, df=3, constraints='center')"
DAYS = (7.0, 14.0, 28.0)
LEVEL = 0.05
VISIT_TRIALS = 1000


class Case(NamedTuple):
    """One kind of trial, and how it is fitted."""

    name: str
    patients: int
    lesions: int
    random: str
    covariance: str
    trials: int
    refused: bool = False


MATCHING = f"1 + {SPLINE}"
CASES = (
    Case("24 patients", 24, 1, MATCHING, "full", 2000),
    Case("16 patients", 16, 1, MATCHING, "full", 2000),
    Case("12 patients", 12, 1, MATCHING, "diagonal", 2000),
    Case("24 patients, 5 lesions each", 24, 5, MATCHING, "full", 1000),
    Case("12 patients, 5 lesions each", 12, 5, MATCHING, "diagonal", 1000),
    Case("24 patients, random slope in days (refused)", 24, 1, "1 + rel_day", "full", 1000, True),
    Case("24 patients, 5 lesions each, random slope (refused)", 24, 5, "1 + rel_day", "full", 300,
         True),
)  # fmt: skip


def rows() -> list[Row]:
    """Rejections of true null hypotheses in percent, and how many lie outside the band."""
    found, outside, counted = [], 0, 0
    for number, case in enumerate(CASES):
        own = cell(case, seed=number + 1)
        found += own
        if not case.refused:
            outside += sum(not BAND[0] <= row.value <= BAND[1] for row in own)
            counted += len(own)
    visits = planned_visits()
    found += visits
    outside += sum(not BAND[0] <= row.value <= BAND[1] for row in visits)
    counted += len(visits)
    what = f"tests of {counted} outside {BAND[0]} to {BAND[1]} %"
    return [Row(what, float(outside), "tests", 0.0), *found]


def cell(case: Case, seed: int) -> list[Row]:
    """Five tests of one kind of trial."""
    frame = design(case.patients, case.lesions, seed)
    outcomes = curves(frame, case.trials, seed + 100)
    frame = frame.with_columns(y=outcomes[0], time=pl.col("rel_day").log1p())
    nested = ("region_code",) if case.lesions > 1 else ()
    formula = f"y ~ {SPLINE} * group"
    fit = fit_mixed(
        frame, formula, "usubjid", case.random, nested, covariance=case.covariance, verify=False
    )
    built = fit.design.design
    eye = np.eye(built.matrices.x.shape[1])
    joint = {
        "group by time": [where for _, names, where in built.matrices.x_terms if len(names) > 1],
        "group at any time": [
            where for _, names, where in built.matrices.x_terms if "group" in names
        ],
    }
    contrasts = {
        name: np.vstack([eye[where] for where in places]) for name, places in joint.items()
    }
    ratios = np.array([_ratio_row(fit, day) for day in DAYS])
    names = [*contrasts, *(f"ratio on day {day:g}" for day in DAYS)]
    values, peers = [], []
    for fitted in refitted(fit.design, outcomes):
        if fitted is None:
            continue
        plain = replace(fitted, joint_inference="satterthwaite")
        tests = [joint_test(fitted, name, row).p_value for name, row in contrasts.items()]
        values.append([*tests, *tested(fitted, ratios).p_value])
        peers.append([joint_test(plain, name, row).p_value for name, row in contrasts.items()])
    share = 100 * (np.array(values) < LEVEL).mean(axis=0)
    other = 100 * (np.array(peers) < LEVEL).mean(axis=0)
    return [
        Row(f"{name}, {case.name}", float(value), "%", **_peer(other, index))
        for index, (name, value) in enumerate(zip(names, share, strict=True))
    ]


def planned_visits() -> list[Row]:
    """Visits as a factor, a level per patient: there relabelled patients are the reference."""
    frame = design(24, 1, seed=50).with_columns(visit=pl.col("nominal_day").cast(pl.String))
    terms = {"group by time": "interaction", "group at any time": "any"}
    values, peers = [], []
    for outcome in curves(frame, VISIT_TRIALS, seed=150):
        fit = fit_mixed(frame.with_columns(y=outcome), "y ~ visit * group", "usubjid", verify=False)
        values.append(
            [
                permutation_test(fit, "group", 199, terms=kind, variances="null").p_value
                for kind in terms.values()
            ]
        )
        places = fit.design.design.matrices.x_terms
        eye = np.eye(len(fit.estimates))
        wanted = ({"visit", "group"}, {"group"})
        peers.append(
            [
                joint_test(fit.design, "group", np.vstack(rows)).p_value
                for names in wanted
                if (rows := [eye[where] for _, own, where in places if names <= set(own)])
            ]
        )
    share, other = (100 * (np.array(part) <= LEVEL).mean(axis=0) for part in (values, peers))
    return [
        Row(
            f"{name}, 24 patients, planned visits", float(value), "%", peer="F", peer_value=float(p)
        )
        for name, value, p in zip(terms, share, other, strict=True)
    ]


def _peer(other: np.ndarray, index: int) -> dict[str, Any]:
    if index >= len(other):
        return {}
    return {"peer": "Satterthwaite's F", "peer_value": float(other[index])}


def _ratio_row(fit: Fit, day: float) -> np.ndarray:
    built = fit.design.design
    axis = pl.DataFrame(
        {
            "time": [float(np.log1p(day))] * 2,
            "group": ["responder", "non-responder"],
            "region_code": ["L0", "L0"],
        }
    )
    rows = built.fixed_rows(axis)
    return np.asarray(rows[0] - rows[1])
