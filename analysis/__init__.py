"""Statistics and science: pure functions from frames to results.

Nothing is imported until it is asked for: `import analysis` loads no numerical library.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis.compute.multiplicity import AdjustedFamily, adjust_p_values
    from analysis.first_spec import default_spec
    from analysis.fits.agreement.bland_altman import bland_altman
    from analysis.fits.agreement.intraclass import icc_agreement
    from analysis.fits.agreement.kappa import cohen_kappa, fleiss_kappa
    from analysis.fits.agreement.noise_band import ChangeJudgment, CitedRepeatability, judge_change
    from analysis.fits.agreement.repeatability import within_subject_cv, within_subject_sd
    from analysis.fits.agreement.repeated_correlation import repeated_measures_correlation
    from analysis.fits.agreement.result import AgreementResult
    from analysis.fits.below_limit_rules import below_limit_table
    from analysis.fits.bootstrap import BootstrapResult, bootstrap
    from analysis.fits.censored_mixed import fit_censored_mixed
    from analysis.fits.cluster_bootstrap import cluster_bootstrap
    from analysis.fits.day_comparison import DayComparison, compare_by_day
    from analysis.fits.joint.alternatives import joint_alternatives
    from analysis.fits.joint.binary import fit_joint_binary
    from analysis.fits.joint.model import fit_joint
    from analysis.fits.joint.predictions import DynamicPrediction, predict_event_free
    from analysis.fits.kinetics.individual import fit_kinetics
    from analysis.fits.kinetics.individual_result import KineticsFit
    from analysis.fits.kinetics.population import fit_kinetics_population
    from analysis.fits.likelihood_ratio import LikelihoodRatioTest, likelihood_ratio_test
    from analysis.fits.marginal_means import MarginalMeans, marginal_means
    from analysis.fits.mixed import fit_mixed
    from analysis.fits.patient_effects import PatientEffects, patient_effects
    from analysis.fits.patient_influence import Influence, patient_influence
    from analysis.fits.patient_predictions import PatientPredictions, predict_patients
    from analysis.fits.permutation import PermutationResult, permutation_test
    from analysis.fits.profile import ProfileIntervals, profile_intervals
    from analysis.fits.residual_kinds import Residuals, residuals
    from analysis.fits.response.cutpoint import find_cutpoint
    from analysis.fits.response.exposure_thirds import response_by_exposure
    from analysis.fits.response.gee import fit_gee
    from analysis.fits.response.logistic import fit_logistic
    from analysis.fits.response.ordinal import fit_ordinal
    from analysis.fits.response.rates import compare_rates
    from analysis.fits.specification import fit_specification
    from analysis.fits.survival.cox import fit_cox, hazard_ratios
    from analysis.fits.survival.cox_checks import concordance_index, proportional_hazards
    from analysis.fits.survival.cumulative_incidence import cumulative_incidence
    from analysis.fits.survival.fine_gray import fit_fine_gray
    from analysis.fits.survival.kaplan_meier import KaplanMeier, kaplan_meier
    from analysis.fits.survival.log_rank import log_rank
    from analysis.fits.survival.restricted_mean import restricted_mean
    from analysis.fits.survival.turnbull import interval_survival
    from analysis.fits.term_tests import TermTests, term_tests
    from analysis.fits.variance_shares import VarianceShares, variance_shares
    from analysis.planning.plan import TrialPlan
    from analysis.planning.power import PlannedTrial, plan_trial
    from analysis.planning.sample_size import SampleSize, sample_size
    from analysis.results import Check, Estimate, Fit, Provenance
    from analysis.specs import ModelSpec
    from analysis.tracers.context import SignalContext

_EXPORTS = {
    "bland_altman": "analysis.fits.agreement.bland_altman",
    "fit_kinetics": "analysis.fits.kinetics.individual",
    "fit_kinetics_population": "analysis.fits.kinetics.population",
    "icc_agreement": "analysis.fits.agreement.intraclass",
    "cohen_kappa": "analysis.fits.agreement.kappa",
    "fleiss_kappa": "analysis.fits.agreement.kappa",
    "ChangeJudgment": "analysis.fits.agreement.noise_band",
    "CitedRepeatability": "analysis.fits.agreement.noise_band",
    "judge_change": "analysis.fits.agreement.noise_band",
    "within_subject_cv": "analysis.fits.agreement.repeatability",
    "within_subject_sd": "analysis.fits.agreement.repeatability",
    "repeated_measures_correlation": "analysis.fits.agreement.repeated_correlation",
    "AgreementResult": "analysis.fits.agreement.result",
    "KineticsFit": "analysis.fits.kinetics.individual_result",
    "TrialPlan": "analysis.planning.plan",
    "PlannedTrial": "analysis.planning.power",
    "plan_trial": "analysis.planning.power",
    "SampleSize": "analysis.planning.sample_size",
    "sample_size": "analysis.planning.sample_size",
    "KaplanMeier": "analysis.fits.survival.kaplan_meier",
    "compare_rates": "analysis.fits.response.rates",
    "concordance_index": "analysis.fits.survival.cox_checks",
    "proportional_hazards": "analysis.fits.survival.cox_checks",
    "cumulative_incidence": "analysis.fits.survival.cumulative_incidence",
    "find_cutpoint": "analysis.fits.response.cutpoint",
    "fit_cox": "analysis.fits.survival.cox",
    "fit_fine_gray": "analysis.fits.survival.fine_gray",
    "fit_gee": "analysis.fits.response.gee",
    "fit_logistic": "analysis.fits.response.logistic",
    "fit_ordinal": "analysis.fits.response.ordinal",
    "hazard_ratios": "analysis.fits.survival.cox",
    "interval_survival": "analysis.fits.survival.turnbull",
    "kaplan_meier": "analysis.fits.survival.kaplan_meier",
    "log_rank": "analysis.fits.survival.log_rank",
    "response_by_exposure": "analysis.fits.response.exposure_thirds",
    "restricted_mean": "analysis.fits.survival.restricted_mean",
    "AdjustedFamily": "analysis.compute.multiplicity",
    "adjust_p_values": "analysis.compute.multiplicity",
    "below_limit_table": "analysis.fits.below_limit_rules",
    "BootstrapResult": "analysis.fits.bootstrap",
    "PermutationResult": "analysis.fits.permutation",
    "bootstrap": "analysis.fits.bootstrap",
    "DayComparison": "analysis.fits.day_comparison",
    "compare_by_day": "analysis.fits.day_comparison",
    "LikelihoodRatioTest": "analysis.fits.likelihood_ratio",
    "likelihood_ratio_test": "analysis.fits.likelihood_ratio",
    "permutation_test": "analysis.fits.permutation",
    "TermTests": "analysis.fits.term_tests",
    "term_tests": "analysis.fits.term_tests",
    "PatientEffects": "analysis.fits.patient_effects",
    "patient_effects": "analysis.fits.patient_effects",
    "PatientPredictions": "analysis.fits.patient_predictions",
    "predict_patients": "analysis.fits.patient_predictions",
    "Residuals": "analysis.fits.residual_kinds",
    "residuals": "analysis.fits.residual_kinds",
    "VarianceShares": "analysis.fits.variance_shares",
    "variance_shares": "analysis.fits.variance_shares",
    "MarginalMeans": "analysis.fits.marginal_means",
    "marginal_means": "analysis.fits.marginal_means",
    "cluster_bootstrap": "analysis.fits.cluster_bootstrap",
    "Influence": "analysis.fits.patient_influence",
    "patient_influence": "analysis.fits.patient_influence",
    "ProfileIntervals": "analysis.fits.profile",
    "profile_intervals": "analysis.fits.profile",
    "Check": "analysis.results",
    "Estimate": "analysis.results",
    "Fit": "analysis.results",
    "Provenance": "analysis.results",
    "ModelSpec": "analysis.specs",
    "default_spec": "analysis.first_spec",
    "fit_censored_mixed": "analysis.fits.censored_mixed",
    "fit_joint": "analysis.fits.joint.model",
    "fit_joint_binary": "analysis.fits.joint.binary",
    "joint_alternatives": "analysis.fits.joint.alternatives",
    "DynamicPrediction": "analysis.fits.joint.predictions",
    "predict_event_free": "analysis.fits.joint.predictions",
    "SignalContext": "analysis.tracers.context",
    "fit_mixed": "analysis.fits.mixed",
    "fit_specification": "analysis.fits.specification",
}

__all__ = [
    "AdjustedFamily",
    "AgreementResult",
    "BootstrapResult",
    "ChangeJudgment",
    "Check",
    "CitedRepeatability",
    "DayComparison",
    "DynamicPrediction",
    "Estimate",
    "Fit",
    "Influence",
    "KaplanMeier",
    "KineticsFit",
    "LikelihoodRatioTest",
    "MarginalMeans",
    "ModelSpec",
    "PatientEffects",
    "PatientPredictions",
    "PermutationResult",
    "PlannedTrial",
    "ProfileIntervals",
    "Provenance",
    "Residuals",
    "SampleSize",
    "SignalContext",
    "TermTests",
    "TrialPlan",
    "VarianceShares",
    "adjust_p_values",
    "below_limit_table",
    "bland_altman",
    "bootstrap",
    "cluster_bootstrap",
    "cohen_kappa",
    "compare_by_day",
    "compare_rates",
    "concordance_index",
    "cumulative_incidence",
    "default_spec",
    "find_cutpoint",
    "fit_censored_mixed",
    "fit_cox",
    "fit_fine_gray",
    "fit_gee",
    "fit_joint",
    "fit_joint_binary",
    "fit_kinetics",
    "fit_kinetics_population",
    "fit_logistic",
    "fit_mixed",
    "fit_ordinal",
    "fit_specification",
    "fleiss_kappa",
    "hazard_ratios",
    "icc_agreement",
    "interval_survival",
    "joint_alternatives",
    "judge_change",
    "kaplan_meier",
    "likelihood_ratio_test",
    "log_rank",
    "marginal_means",
    "patient_effects",
    "patient_influence",
    "permutation_test",
    "plan_trial",
    "predict_event_free",
    "predict_patients",
    "profile_intervals",
    "proportional_hazards",
    "repeated_measures_correlation",
    "residuals",
    "response_by_exposure",
    "restricted_mean",
    "sample_size",
    "term_tests",
    "variance_shares",
    "within_subject_cv",
    "within_subject_sd",
]


def __getattr__(name: str) -> Any:
    if name == "compute":
        return import_module("analysis.compute")
    if name not in _EXPORTS:
        raise AttributeError(f"module 'analysis' has no attribute {name!r}")
    return getattr(import_module(_EXPORTS[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
