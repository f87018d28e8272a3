"""Values below the limit in the likelihood: speed, bias beside the other rules, type-I error.

One trial of 24 patients and 8 visits with 15 % of the values below the limit and two random
effects, from the formula to the table, median CPU seconds. Bias: 100 trials with a known course,
the slope by each rule as a share of the truth. Type-I error: 300 trials of 10, 12 and 20 patients
without an effect and 30 % below the limit, two groups over 5 visits; rejections at 5 % of the
group and of its course, Wald beside as the peer (about 1.3 % either way by chance); with more below
the limit and slopes of patients: section "censored nulls"."""

import numpy as np
import polars as pl

from analysis import fit_censored_mixed, fit_mixed
from benchmarks.engine import cpu
from benchmarks.row import Row

BIAS_TRIALS, NULL_TRIALS = 100, 300
LIMIT, SLOPE = 0.8, 0.5


def rows() -> list[Row]:
    """Speed first, then the rules, then the tests."""
    return [_speed(), *_bias(), *(row for cell in _null_cells() for row in cell)]


def trial(
    seed: int, patients: int, visits: int, limit: float, slope: float, spread: float, noise: float
) -> pl.DataFrame:
    """Patients' own levels and, with a slope, own slopes; values below the limit are bounded."""
    rng = np.random.default_rng(seed)
    patient, day = np.repeat(np.arange(patients), visits), np.tile(np.arange(visits), patients) / 2
    level = rng.normal(0, spread, patients)
    own = rng.normal(0, 0.3, patients) if slope else np.zeros(patients)
    y = 1 + slope * day + level[patient] + own[patient] * day + rng.normal(0, noise, len(day))
    below = y < limit
    bound = pl.Series(np.where(below, np.nan, y)).fill_nan(None)
    return pl.DataFrame(
        {"patient": patient, "day": day - day.mean(), "group": (patient % 2).astype(float),
         "y": np.where(below, limit, y), "lower": bound, "upper": np.where(below, limit, y)}
    )  # fmt: skip


def _speed() -> Row:
    frame = trial(1, 24, 8, LIMIT, SLOPE, 0.8, 0.4)
    share = int(100 * frame["lower"].null_count() / frame.height)
    seconds = cpu(lambda: fit_censored_mixed(frame, "y ~ day * group", "patient", "1 + day"), 5)
    return Row(f"24 patients, 8 visits, {share} % below, two random effects", seconds, "s", 2.0)


def _bias() -> list[Row]:
    """Error of the mean slope in percent of the truth, by each rule."""
    found: dict[str, list[float]] = {
        "censored likelihood": [],
        "half the limit": [],
        "left out": [],
    }
    for seed in range(BIAS_TRIALS):
        frame = trial(seed, 24, 6, LIMIT, SLOPE, 0.8, 0.4)
        half = frame.with_columns(
            y=pl.when(pl.col("lower").is_null()).then(LIMIT - np.log10(2)).otherwise("y")
        )
        fits = (
            fit_censored_mixed(frame, "y ~ day", "patient", "1 + day", inference="wald"),
            fit_mixed(half, "y ~ day", "patient", "1 + day", verify=False),
            fit_mixed(
                frame.drop_nulls("lower"), "y ~ day", "patient", "1 + day", verify=False
            ),
        )  # fmt: skip
        for rule, fit in zip(found, fits, strict=True):
            found[rule].append(fit.estimates[1].estimate)
    return [
        Row(f"bias of the slope, {rule}", 100 * abs(float(np.mean(slopes)) / SLOPE - 1), "%",
            3.0 if rule == "censored likelihood" else None)
        for rule, slopes in found.items()
    ]  # fmt: skip


def _null_cells() -> list[list[Row]]:
    return [
        _null(patients, share) for patients in (10, 12, 20) for share in (0.0, 0.3, 0.7)
    ]  # fmt: skip


def _null(patients: int, share: float) -> list[Row]:
    """Rejections of the group and of its course without either."""
    hits, wald = np.zeros(2), np.zeros(2)
    for seed in range(NULL_TRIALS):
        frame = trial(seed, patients, 5, 0.476, 0.0, share**0.5, (1 - share) ** 0.5)
        for counts, inference in ((hits, "auto"), (wald, "wald")):
            fit = fit_censored_mixed(frame, "y ~ day * group", "patient", inference=inference)
            if fit.status != "not_estimable":
                counts += [(row.p_value or 1.0) < 0.05 for row in fit.estimates[2:]]
    names = ("group", "group by day")
    return [
        Row(f"type-I error, {name}, {patients} patients, ICC {share:g}",
            100 * float(hits[k]) / NULL_TRIALS, "%", peer="Wald",
            peer_value=100 * float(wald[k]) / NULL_TRIALS)
        for k, name in enumerate(names)
    ]  # fmt: skip
