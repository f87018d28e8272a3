"""Response as the outcome: rates, regressions, exposure in thirds and cutpoints."""
