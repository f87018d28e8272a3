"""Which libraries made the numbers; read from package metadata, so nothing heavy is imported."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version

from analysis.results import Provenance

LIBRARIES = ("numpy", "scipy", "statsmodels", "formulaic", "polars")


@cache
def provenance(spec_hash: str | None = None) -> Provenance:
    """Versions of the program and of what it computes with."""
    return Provenance(
        program_version=_version("cartograph"),
        libraries=tuple((name, _version(name)) for name in LIBRARIES),
        spec_hash=spec_hash,
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
