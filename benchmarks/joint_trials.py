"""Simulated joint trials: a signal with its own line per patient, and events that depend on it."""

from typing import NamedTuple

import numpy as np
import polars as pl

END = 10.0
GRID = np.linspace(0.0, END, 2001)


class Truth(NamedTuple):
    """Signal: mean line, its SDs per patient, residual SD. Hazard: log of the baseline (a line in
    time), effect of a binary covariate x, association with the current value and slope."""

    intercept: float = 2.0
    slope: float = -0.15
    sd_intercept: float = 0.7
    sd_slope: float = 0.15
    correlation: float = -0.2
    sigma: float = 0.4
    log_hazard: float = -3.2
    log_hazard_slope: float = 0.0
    effect: float = 0.5
    value: float = 0.6


DEFAULT = Truth()


class JointTrial(NamedTuple):
    """longitudinal: patient, day, x, y. events: patient, time, event, x, entry, cause, and the
    visits before and after the event (seen_free, seen_event). effects: as drawn."""

    longitudinal: pl.DataFrame
    events: pl.DataFrame
    effects: np.ndarray


def joint_trial(
    patients: int,
    seed: int,
    truth: Truth | tuple[Truth, Truth] = DEFAULT,
    *,
    visits: int = 8,
    late_entry: bool = False,
    censored_after: float = 6.0,
) -> JointTrial:
    """One trial. Two truths are two competing causes, "a" and "b", of the first one's signal.

    late_entry: every second patient is under observation from a random time on, if still at risk.
    """
    rng = np.random.default_rng(seed)
    truths = (truth,) if isinstance(truth, Truth) else truth
    first = truths[0]
    x = rng.integers(0, 2, patients).astype(float)
    sd = np.array([first.sd_intercept, first.sd_slope])
    correlation = np.array([[1, first.correlation], [first.correlation, 1]])
    effects = rng.multivariate_normal([0, 0], sd[:, None] * correlation * sd, size=patients)
    lines = np.array([first.intercept, first.slope]) + effects
    times = np.array([_event_time(rng, t, lines, x) for t in truths])
    cause = times.argmin(axis=0)
    stop = np.minimum(rng.uniform(censored_after, 1.5 * END, patients), END)
    time = np.minimum(times.min(axis=0), stop)
    event = (times.min(axis=0) <= stop).astype(int)
    late = late_entry & (rng.uniform(size=patients) < 0.5)
    entry = np.where(late, rng.uniform(0, 4, patients), 0.0)
    kept = time > entry
    day = np.linspace(0, 0.9 * END, visits) + np.abs(rng.normal(0, 0.05, (patients, visits)))
    day = np.where(np.arange(visits)[None] == 0, entry[:, None], day)
    y = lines[:, :1] + lines[:, 1:] * day + rng.normal(0, first.sigma, day.shape)
    seen = (day >= entry[:, None]) & (day <= time[:, None]) & kept[:, None]
    who = np.broadcast_to(np.arange(patients)[:, None], day.shape)
    longitudinal = pl.DataFrame(
        {"patient": who[seen], "day": day[seen], "x": x[who[seen]], "y": y[seen]}
    )
    events = pl.DataFrame(
        {
            "patient": np.arange(patients),
            "time": time,
            "event": event,
            "x": x,
            "entry": entry,
            "cause": np.where(event == 1, np.array(["a", "b"])[cause], "none"),
            "seen_free": np.where(event == 1, np.floor(time), time),
            "seen_event": np.where(event == 1, np.floor(time) + 1, np.inf),
        }
    )
    return JointTrial(longitudinal, events.filter(pl.Series(kept)), effects)


def _event_time(rng: np.random.Generator, t: Truth, lines: np.ndarray, x: np.ndarray) -> np.ndarray:
    """By inversion of the cumulative hazard on a fine grid; beyond it, infinity."""
    value = lines[:, :1] + lines[:, 1:] * GRID
    log_hazard = t.log_hazard + t.log_hazard_slope * GRID + t.effect * x[:, None] + t.value * value
    hazard = np.exp(log_hazard)
    steps = 0.5 * (hazard[:, 1:] + hazard[:, :-1]) * np.diff(GRID)
    cumulative = np.concatenate([np.zeros((len(x), 1)), np.cumsum(steps, axis=1)], axis=1)
    wanted = rng.exponential(size=len(x))
    found = [
        np.interp(w, row, GRID, right=np.inf) for w, row in zip(wanted, cumulative, strict=True)
    ]
    return np.array(found)
