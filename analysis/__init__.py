"""Statistics and science: pure functions from frames to results.

Nothing is imported until it is asked for: `import analysis` loads no numerical library.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis.compute.multiplicity import AdjustedFamily, adjust_p_values
    from analysis.fits.bootstrap import BootstrapResult, bootstrap
    from analysis.fits.day_comparison import DayComparison, compare_by_day
    from analysis.fits.joint.model import fit_joint
    from analysis.fits.mixed import fit_mixed
    from analysis.fits.permutation import PermutationResult, permutation_test
    from analysis.fits.specification import fit_specification
    from analysis.results import Check, Estimate, Fit, Provenance
    from analysis.specs import ModelSpec, default_spec

_EXPORTS = {
    "AdjustedFamily": "analysis.compute.multiplicity",
    "adjust_p_values": "analysis.compute.multiplicity",
    "BootstrapResult": "analysis.fits.bootstrap",
    "PermutationResult": "analysis.fits.permutation",
    "bootstrap": "analysis.fits.bootstrap",
    "DayComparison": "analysis.fits.day_comparison",
    "compare_by_day": "analysis.fits.day_comparison",
    "permutation_test": "analysis.fits.permutation",
    "Check": "analysis.results",
    "Estimate": "analysis.results",
    "Fit": "analysis.results",
    "Provenance": "analysis.results",
    "ModelSpec": "analysis.specs",
    "default_spec": "analysis.specs",
    "fit_joint": "analysis.fits.joint.model",
    "fit_mixed": "analysis.fits.mixed",
    "fit_specification": "analysis.fits.specification",
}

__all__ = [
    "AdjustedFamily",
    "BootstrapResult",
    "Check",
    "DayComparison",
    "Estimate",
    "Fit",
    "ModelSpec",
    "PermutationResult",
    "Provenance",
    "adjust_p_values",
    "bootstrap",
    "compare_by_day",
    "default_spec",
    "fit_joint",
    "fit_mixed",
    "fit_specification",
    "permutation_test",
]


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module 'analysis' has no attribute {name!r}")
    return getattr(import_module(_EXPORTS[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
