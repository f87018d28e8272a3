"""Every registered fit exists, says what it does, and survives a trip to another process."""

import pickle
from importlib import import_module

import pytest

from analysis import ModelSpec, fit_specification
from analysis.fits import FITS


@pytest.mark.parametrize("name", FITS)
def test_registered_fits_exist(name):
    module, _, function = FITS[name].partition(":")
    found = getattr(import_module(module), function)
    assert callable(found)
    assert found.__doc__


def test_a_fit_can_be_sent_to_another_process(simulate_trial):
    fit = fit_specification(
        simulate_trial(1), ModelSpec(outcome="kinetics:CARTG:qPCR:BLOOD"), influence=False
    )
    assert pickle.loads(pickle.dumps(fit)) == fit
