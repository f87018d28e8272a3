"""Statistical models. Each entry is "module:function", imported when it is called for."""

from collections.abc import Mapping

FITS: Mapping[str, str] = {
    "linear mixed model": "analysis.fits.mixed:fit_mixed",
    "joint model": "analysis.fits.joint.model:fit_joint",
    "parametric bootstrap": "analysis.fits.bootstrap:bootstrap",
    "permutation test": "analysis.fits.permutation:permutation_test",
    "specification": "analysis.fits.specification:fit_specification",
    "geometric-mean ratio": "analysis.fits.ratio:geometric_mean_ratio",
    "rank test": "analysis.fits.ranks:mann_whitney",
    "comparison by day": "analysis.fits.day_comparison:compare_by_day",
}
