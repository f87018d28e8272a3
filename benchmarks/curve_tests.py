"""Type-I error of the default tests on expansion curves of two groups that do not differ.

Curves are drawn around that of Stein and others with the published spread, so that no spline is
exactly right. Each trial is fitted as a specification fits it (patients' own curves as the random
part, lesions nested in the patient) and tested at 5 %: the whole course (interaction with time, and
any difference), and the ratio on days 7, 14 and 28. Where a specification compares with relabelled
patients (fewer than five patients per random effect, planned visits as a factor), so do the rows.
Satterthwaite's F on the same trials stands beside the joint tests as the peer; rows of what is
refused, or ends with a warning, do not count."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from analysis import Fit, fit_mixed, permutation_test
from analysis.fits.fitted import FittedMixed
from analysis.fits.inference import joint_test, tested
from analysis.fits.replicates import refitted
from benchmarks.null_curves import Array, curves, design
from benchmarks.row import Row

BAND = (2.5, 6.5)
SPLINE = "cr(time, df=3, constraints='center')"
BENDING = "cr(time, df=4, constraints='center')"
MATCHING, BENDING_TOO = f"1 + {SPLINE}", f"1 + {BENDING}"
DAYS = (7.0, 14.0, 28.0)
LEVEL, ARRANGEMENTS = 0.05, 199
JOINT = {"group by time": "interaction", "group at any time": "any"}
"""Joint tests, and the terms of `permutation_test` that are the same effects."""


class Case(NamedTuple):
    """One kind of trial, and how it is fitted."""

    name: str
    patients: int
    lesions: int
    trials: int
    random: str = MATCHING
    covariance: str = "full"
    time: str = SPLINE
    relabelled: bool = False
    said: str = ""
    """How a specification like it ends, where its tests do not count: "refused", "with a warning".
    """


CASES = (
    Case("24 patients", 24, 1, 2000),
    Case("16 patients", 16, 1, 1000, relabelled=True),
    Case("12 patients", 12, 1, 1000, relabelled=True),
    Case("10 patients", 10, 1, 2000, covariance="diagonal"),
    Case("24 patients, 5 lesions each", 24, 5, 1000),
    Case("12 patients, 5 lesions each", 12, 5, 500, relabelled=True),
    Case("24 patients, planned visits", 24, 1, 1000, "1", time="visit", relabelled=True),
    Case("24 patients, random slope", 24, 1, 1000, "1 + rel_day", said="refused"),
    Case("24 patients, 5 lesions each, random slope", 24, 5, 300, "1 + rel_day", said="refused"),
    Case("24 patients, 4 df", 24, 1, 1000, BENDING_TOO, time=BENDING, relabelled=True),
    Case("40 patients, 4 df", 40, 1, 1000, BENDING_TOO, time=BENDING),
    Case(
        "12 patients, 4 df",
        12,
        1,
        1000,
        BENDING_TOO,
        "diagonal",
        BENDING,
        relabelled=True,
        said="with a warning",
    ),
)


def rows() -> list[Row]:
    """Rejections of true null hypotheses in percent, and how many lie outside the band."""
    found = {case: cell(case, seed=number + 1) for number, case in enumerate(CASES)}
    counted = [row for case, own in found.items() if not case.said for row in own]
    outside = sum(not BAND[0] <= row.value <= BAND[1] for row in counted)
    what = f"tests of {len(counted)} outside {BAND[0]} to {BAND[1]} %"
    every = [row for own in found.values() for row in own]
    return [Row(what, float(outside), "tests", 0.0), *every]


def cell(case: Case, seed: int) -> list[Row]:
    """Five tests of one kind of trial."""
    frame = design(case.patients, case.lesions, seed).with_columns(
        time=pl.col("rel_day").log1p(), visit=pl.col("nominal_day").cast(pl.String)
    )
    values, peers = [], []
    for fitted, fit in _fits(case, frame, curves(frame, case.trials, seed + 100)):
        plain = replace(fitted, joint_inference="satterthwaite")
        effects = {name: _effects(fitted, name) for name in JOINT}
        peers.append([joint_test(plain, name, each).p_value for name, each in effects.items()])
        if fit is not None:
            tests = [_relabelled(fit, kind) for kind in JOINT.values()]
        else:
            tests = [joint_test(fitted, name, each).p_value for name, each in effects.items()]
        values.append([*tests, *tested(fitted, _ratio_rows(fitted)).p_value])
    share, other = (100 * (np.array(part) <= LEVEL).mean(axis=0) for part in (values, peers))
    said = f" ({case.said})" if case.said else ""
    names = [*JOINT, *(f"ratio on day {day:g}" for day in DAYS)]
    return [
        Row(f"{name}, {case.name}{said}", float(value), "%", **_peer(other, index))
        for index, (name, value) in enumerate(zip(names, share, strict=True))
    ]


def _fits(
    case: Case, frame: pl.DataFrame, outcomes: Array
) -> Iterator[tuple[FittedMixed, Fit | None]]:
    """The model of every trial; as a fit of its own where patients are relabelled."""
    nested = ("region_code",) if case.lesions > 1 else ()
    options: dict[str, Any] = {
        "formula": f"y ~ {case.time} * group",
        "group": "usubjid",
        "random": case.random,
        "nested": nested,
        "covariance": case.covariance,
        "inference": "robust" if case.time == "visit" else "auto",
        "verify": False,
    }
    if case.relabelled:
        for outcome in outcomes:
            fit = fit_mixed(frame.with_columns(y=outcome), **options)
            yield fit.design, fit
        return
    first = fit_mixed(frame.with_columns(y=outcomes[0]), **options)
    for fitted in refitted(first.design, outcomes):
        if fitted is not None:
            yield fitted, None


def _relabelled(fit: Fit, terms: str) -> float:
    return permutation_test(fit, "group", ARRANGEMENTS, terms=terms, variances="null").p_value


def _effects(fitted: FittedMixed, name: str) -> Array:
    """Rows of the coefficients of a joint test."""
    terms = fitted.design.matrices.x_terms
    least = 2 if JOINT[name] == "interaction" else 1
    eye = np.eye(len(fitted.beta))
    return np.vstack(
        [eye[where] for _, names, where in terms if "group" in names and len(names) >= least]
    )


def _ratio_rows(fitted: FittedMixed) -> Array:
    """Responders less the others on each day."""
    axis = pl.DataFrame({"rel_day": DAYS}).with_columns(
        time=pl.col("rel_day").log1p(), visit=pl.col("rel_day").cast(pl.String)
    )
    first, second = (
        fitted.design.fixed_rows(axis.with_columns(group=pl.lit(group)))
        for group in ("responder", "non-responder")
    )
    return np.asarray(first - second)


def _peer(other: Array, index: int) -> dict[str, Any]:
    if index >= len(other):
        return {}
    return {"peer": "Satterthwaite's F", "peer_value": float(other[index])}
