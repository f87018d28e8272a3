"""What inference, contrasts and checks ask of any fitted mixed model."""

from typing import Protocol

from analysis.engine.kenward_roger import JointTest
from analysis.engine.structure import Array
from analysis.fits.design import Design


class FittedModel(Protocol):
    """`FittedMixed` and `FittedStructured`; everything on the scale of the data.

    residuals, sigma2: of which normal distribution checks see values and variance.
    """

    @property
    def design(self) -> Design: ...
    @property
    def beta(self) -> Array: ...
    @property
    def covariance(self) -> Array: ...
    @property
    def inference(self) -> str: ...
    @property
    def joint_inference(self) -> str: ...
    @property
    def level(self) -> float: ...
    @property
    def residuals(self) -> Array: ...
    @property
    def sigma2(self) -> float: ...

    def degrees(self, rows: Array) -> Array:
        """Satterthwaite's degrees of freedom of each contrast; infinite for Wald."""
        ...

    def kenward_roger_test(self, rows: Array) -> JointTest:
        """Scaled F of all rows being zero."""
        ...
