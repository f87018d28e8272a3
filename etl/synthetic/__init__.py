"""A synthetic CAR-T imaging trial with a known truth, written as the export files of a trial.

`simulate_trial` is pure; `write_trial` writes files that go through the ETL like any other, with
the profile `synthetic`; `stream_trial` writes house-layout tables of any size.
"""

from etl.synthetic.design import DEFAULT_SEED, STUDYID, TrialDesign
from etl.synthetic.trial import simulate_trial
from etl.synthetic.truth import Truth
from etl.synthetic.write import stream_trial, write_trial

PROFILE = "synthetic"

__all__ = [
    "DEFAULT_SEED",
    "PROFILE",
    "STUDYID",
    "TrialDesign",
    "Truth",
    "simulate_trial",
    "stream_trial",
    "write_trial",
]
