"""Are there enough patients, and enough in each group?"""

from typing import TYPE_CHECKING

from analysis.results import Check, Fit

if TYPE_CHECKING:
    from analysis.checks.answer import Answer
    from analysis.fits.fitted_model import FittedModel

FEW_SUBJECTS = 12
FEW_IN_GROUP = 5


def check_enough_subjects(fitted: "FittedModel", fit: Fit) -> Check:
    """Below 12 patients variances are rough; without a correction intervals are too narrow."""
    n = fitted.design.n_subjects
    if n >= FEW_SUBJECTS:
        return Check("enough_subjects", "ok", f"{n} patients.", float(n))
    narrow = " and intervals too narrow" if fit.inference == "wald" else ""
    return Check(
        "enough_subjects",
        "warning",
        f"Only {n} patients: variances are rough{narrow}. "
        "Show the individual curves beside the estimate.",
        float(n),
    )


def check_group_sizes(answer: "Answer") -> Check:
    """Every group needs a few patients; a mean of one or two is a description of them."""
    sizes = {
        group: answer.frame.filter(answer.frame["group"] == group)["usubjid"].n_unique()
        for group in answer.groups
    }
    small = {group: n for group, n in sizes.items() if n < FEW_IN_GROUP}
    words = ", ".join(f"{group} n = {n}" for group, n in (small or sizes).items())
    if not small:
        return Check("group_sizes", "ok", f"{words}.", float(min(sizes.values())))
    return Check(
        "group_sizes",
        "warning",
        f"Small group: {words}. The comparison rests on very few patients.",
        float(min(sizes.values())),
    )
