"""Which sentence may stand under which tracer class (science: the words of a signal)."""

import pytest

from analysis.tracers import check_words

TABLE = [
    # sentence, tracer class, words that must not stand
    ("Liver retention of the infused label fell by half", "direct_label", ()),
    ("Expansion peaked on day 7", "direct_label", ("Expansion",)),
    ("The cells expanded and persisted to day 28", "direct_label", ("expanded", "persisted")),
    ("Cell count in the spleen", "direct_label", ("Cell count",)),
    ("Number of cells in the lung", "direct_label", ("Number of cells",)),
    ("CAR-T cells homed to the marrow", "direct_label", ("CAR-T cells",)),
    ("Label-equivalent cells in the lung", "direct_label", ()),
    ("Label before CAR-T cell infusion", "direct_label", ()),
    ("Relative expansion of reporter-positive viable cells", "reporter_gene", ()),
    ("Absolute number of cells in the lesion", "reporter_gene", ("Absolute number",)),
    ("CD8 signal rose in responders", "immune_target", ()),
    ("CAR T cells in the tumor", "immune_target", ("CAR T cells",)),
    ("CAR+ cells in the tumor", "immune_target", ("CAR+ cells",)),
    ("CAR-positive cells in the tumor", "immune_target", ("CAR-positive cells",)),
    ("CAR-T signal in lesions", "immune_target", ("CAR-T signal",)),
    ("Patients who received CAR-T cell therapy", "immune_target", ()),
    ("Tumor metabolism fell", "tumor_tracer", ()),
    ("T cells accumulate in the lesion", "tumor_tracer", ("T cells",)),
    ("T-cell infiltration", "tumor_tracer", ("T-cell",)),
    ("FDG uptake after CAR-T infusion", "tumor_tracer", ()),
    ("CD19 antigen signal", "target_antigen", ()),
    ("Persistence of T cells", "target_antigen", ("Persistence", "T cells")),
    ("Pretargeted uptake at day 2", "pretargeting", ()),
    ("Pretargeted expansion", "pretargeting", ("expansion",)),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "tracer_class", "forbidden"), TABLE)
def test_words(sentence, tracer_class, forbidden):
    assert check_words(sentence, tracer_class) == forbidden


def test_a_tracer_that_only_engineered_cells_bind_may_name_them():
    sentence = "CAR-T cells in the lesion"
    assert check_words(sentence, "immune_target", car_specific=True) == ()
    assert check_words("Cell count", "immune_target", car_specific=True) == ("Cell count",)
