"""Planning by simulation: 20,000 trials with Satterthwaite p, power and type-I error, CPU seconds.

Simulating, fitting and testing all count. With losses the trials are shared out among drawn
schedules; with values below the limit the trials are simulated and fitted twice, without and with
the effect."""

from analysis import TrialPlan, plan_trial
from benchmarks.engine import cpu
from benchmarks.row import Row

PLAN = TrialPlan(
    n_per_group=(6, 6), days=(7, 14, 21, 28, 60), ratio=3.0, between_sd=0.5, within_sd=0.35
)
PLANS = {
    "12 patients, 5 visits": (PLAN, 2.0),
    "12 patients, 5 visits, own slopes": (PLAN.replace(slope_sd=0.3), 2.0),
    "12 patients, 5 visits, 25 % lost": (PLAN.replace(dropout=0.25), None),
    "12 patients, 5 visits, 20 % below the limit": (PLAN.replace(below_limit=0.2), None),
    "24 patients, 5 visits": (PLAN.replace(n_per_group=(12, 12)), None),
}


def rows() -> list[Row]:
    """One row per plan."""
    found = []
    for what, (plan, target) in PLANS.items():
        seconds = cpu(lambda plan=plan: plan_trial(plan), 3)
        found.append(Row(f"20,000 planned trials, {what}", seconds, "s", target))
    return found
