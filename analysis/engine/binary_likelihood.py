"""Binomial log-likelihood of a logistic regression, with Firth's penalty or without."""

import numpy as np

from analysis.engine.maximum import Likelihood
from analysis.engine.structure import Array


def binary_likelihood(x: Array, y: Array, *, firth: bool) -> Likelihood:
    """beta -> value, score, information. Firth D, Biometrika 1993, doi:10.1093/biomet/80.1.27."""

    def likelihood(beta: Array) -> tuple[float, Array, Array]:
        linear = x @ beta
        chance = np.where(linear >= 0, 1.0, np.exp(np.minimum(linear, 0))) / (
            1 + np.exp(-np.abs(linear))
        )
        value = float((y * linear - np.logaddexp(0.0, linear)).sum())
        weight = chance * (1 - chance)
        information = (x * weight[:, None]).T @ x
        score = x.T @ (y - chance)
        if not firth:
            return value, score, information
        sign, log_det = np.linalg.slogdet(information)
        if sign <= 0:
            return -np.inf, score, information
        root = x * np.sqrt(weight)[:, None]
        leverage = np.einsum("ij,jk,ik->i", root, np.linalg.inv(information), root)
        score = score + x.T @ (leverage * (0.5 - chance))
        return value + 0.5 * float(log_det), score, information

    return likelihood


def chances(x: Array, beta: Array) -> Array:
    """Fitted probabilities."""
    return np.asarray(1 / (1 + np.exp(-np.clip(x @ beta, -700, 700))))
