"""Vectors to vectors: time, decay, units, areas, half-lives, intervals. No frames, no study.

`nca` and `tobit_half_life` are loaded when they are asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis.compute.noncompartmental import nca
    from analysis.compute.tobit_half_life import tobit_half_life

__all__ = ["nca", "tobit_half_life"]

_MODULES = {"nca": "noncompartmental", "tobit_half_life": "tobit_half_life"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'analysis.compute' has no attribute {name!r}")
    found = getattr(import_module(f"analysis.compute.{_MODULES[name]}"), name)
    globals()[name] = found  # importing the module of that name would leave it in its place
    return found
