"""Vectors to vectors: time, decay, units, areas, half-lives, intervals. No frames, no study.

`nca` is loaded when it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis.compute.noncompartmental import nca

__all__ = ["nca"]


def __getattr__(name: str) -> Any:
    if name != "nca":
        raise AttributeError(f"module 'analysis.compute' has no attribute {name!r}")
    return import_module("analysis.compute.noncompartmental").nca
