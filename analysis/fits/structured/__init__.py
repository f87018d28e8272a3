"""Mixed models whose covariance is made of parts: residual structures, weights, slopes of nested
levels, crossed effects. y_i ~ N(X_i b, V_i), V_i = Z_i D Z_i' + R_i."""

from analysis.fits.structured.fitted import FittedStructured

__all__ = ["FittedStructured"]
