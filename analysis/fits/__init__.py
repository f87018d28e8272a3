"""Statistical models. Each entry is "module:function", imported when it is called for."""

from collections.abc import Mapping

FITS: Mapping[str, str] = {
    "linear mixed model": "analysis.fits.mixed:fit_mixed",
    "joint model": "analysis.fits.joint.model:fit_joint",
    "joint model of a response": "analysis.fits.joint.binary:fit_joint_binary",
    "event-free prediction": "analysis.fits.joint.predictions:predict_event_free",
    "analyses beside a joint model": "analysis.fits.joint.alternatives:joint_alternatives",
    "parametric bootstrap": "analysis.fits.bootstrap:bootstrap",
    "cluster bootstrap": "analysis.fits.cluster_bootstrap:cluster_bootstrap",
    "profile likelihood": "analysis.fits.profile:profile_intervals",
    "likelihood-ratio test": "analysis.fits.likelihood_ratio:likelihood_ratio_test",
    "type III tests": "analysis.fits.term_tests:term_tests",
    "marginal means": "analysis.fits.marginal_means:marginal_means",
    "patient effects": "analysis.fits.patient_effects:patient_effects",
    "patient predictions": "analysis.fits.patient_effects:predict_patients",
    "patient influence": "analysis.fits.patient_influence:patient_influence",
    "residuals": "analysis.fits.residual_kinds:residuals",
    "variance shares": "analysis.fits.variance_shares:variance_shares",
    "permutation test": "analysis.fits.permutation:permutation_test",
    "specification": "analysis.fits.specification:fit_specification",
    "geometric-mean ratio": "analysis.fits.ratio:geometric_mean_ratio",
    "rank test": "analysis.fits.ranks:mann_whitney",
    "comparison by day": "analysis.fits.day_comparison:compare_by_day",
}
