"""Makes `simulate_trial` a fixture, so that test files need no import of each other."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest


@pytest.fixture(scope="session")
def simulate_trial() -> Callable[..., pl.DataFrame]:
    path = Path(__file__).with_name("model_trial.py")
    spec = importlib.util.spec_from_file_location("model_trial", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.simulate_trial
