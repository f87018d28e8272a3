"""What a signal may be called: every tracer of the registry against every claim about cells."""

import polars as pl
import pytest

from analysis import SignalContext, fit_joint, fit_mixed
from analysis.errors import UserError
from analysis.tracers import TRACERS, WORDS, signal_name

CLAIMS = {
    "expansion": ("expansion of the product", "proliferation in the tumor", "expanded cells"),
    "persistence": ("persistence in marrow", "persisting signal"),
    "cell count": ("cell count", "number of cells", "absolute numbers"),
    "CAR-T cells": ("CAR-T cells", "CAR T cells", "CAR+ cells", "signal of CAR-Ts", "CAR T uptake"),
    "T cells": ("T cells", "T lymphocytes"),
}
SAYINGS = [(group, text) for group, texts in CLAIMS.items() for text in texts]


@pytest.mark.parametrize("tracer", TRACERS.values(), ids=lambda tracer: tracer.id)
def test_each_tracer_is_called_what_its_class_allows(tracer):
    words = WORDS[tracer.tracer_class]
    for group, text in SAYINGS:
        lifted = tracer.car_specific and group == "CAR-T cells"
        implied = group == "CAR-T cells" and "T cells" in words.forbidden and "T cells" in text
        context = SignalContext(f"signal, {text}", tracer.id)
        if (group in words.forbidden and not lifted) or (implied and not lifted):
            with pytest.raises(UserError, match="cannot be said of the signal") as raised:
                signal_name(context)
            assert words.caution in str(raised.value)
            assert f"Write '{words.signal}'" in str(raised.value)
            assert "\n" not in str(raised.value)
        elif group != "CAR-T cells":
            assert signal_name(context) == f"signal, {text}"
    for allowed in words.allowed:
        assert signal_name(SignalContext(allowed, tracer.id)) == allowed
    assert signal_name(SignalContext(tracer=tracer.id)) == tracer.signal_name


@pytest.mark.parametrize("tracer", TRACERS.values(), ids=lambda tracer: tracer.id)
def test_free_text_that_names_the_tracer_is_held_to_its_class(tracer):
    words = WORDS[tracer.tracer_class]
    assert signal_name(tracer.signal_name) == tracer.signal_name
    for name in (tracer.name, tracer.signal_name):
        for group in words.forbidden:
            if tracer.car_specific and group == "CAR-T cells":
                continue
            with pytest.raises(UserError):
                signal_name(f"{name} as {CLAIMS[group][0]}")


@pytest.mark.parametrize("tracer_class", WORDS)
def test_a_class_of_the_registry_is_a_tracer(tracer_class):
    words = WORDS[tracer_class]
    assert signal_name(SignalContext("", tracer_class)) == words.signal
    for group in words.forbidden:
        with pytest.raises(UserError, match="cannot be said"):
            signal_name(SignalContext(CLAIMS[group][0], tracer_class))


REFUSED = {
    "CD8 PET, called CAR-T cells": "it is not a signal of CAR-T cells",
    "89Zr-crefmirlimab uptake of CAR T cells": "it is not a signal of CAR-T cells",
    "ICOS PET of CAR-Ts": "it is not a signal of CAR-T cells",
    "18F-AraG CAR T cells": "it is not a signal of CAR-T cells",
    "PD-1 PET of CAR-T cells": "it is not a signal of CAR-T cells",
    "FDG uptake of CAR-T cells": "it never shows T cells",
    "F-18 FDG uptake of T cells": "it never shows T cells",
    "expansion by 89Zr-oxine": "never expansion",
    "persistence of labeled cells": "never expansion, persistence",
    "cell count from the label": "never expansion, persistence or a cell count",
    "number of cells by NIS reporter": "relative, not a cell count",
    "CD8 PET of the blood pool, CAR-T cells": "it is not a signal of CAR-T cells",
    "expansion of CAR-T cells": "say which tracer it is",
    "PET signal of CAR-T cells": "say which tracer it is",
}
ALLOWED = (
    "",
    "blood transgene",
    "expansion of CAR-T cells in blood by flow cytometry",
    "CD8+ CAR-T cells in blood",
    "label-equivalent cells in the liver",
    "retention of infused label",
    "CD8 signal in the tumor",
    "relative expansion of the NIS reporter signal",
    "anti-TCRmu PET of CAR-T cells",
    "unlabeled T cells in CSF",
    "tumor metabolism after CAR-T therapy",
    "standardized uptake in lesions",
)


@pytest.mark.parametrize(("text", "reason"), REFUSED.items())
def test_a_claim_in_free_text_is_refused_with_the_reason(text, reason):
    with pytest.raises(UserError, match=reason):
        signal_name(text)


@pytest.mark.parametrize("text", ALLOWED)
def test_what_a_signal_may_be_called_passes(text):
    assert signal_name(text) == text


def test_what_is_no_context_is_refused():
    with pytest.raises(UserError, match="tracer 'zr89' is not in the registry"):
        signal_name(SignalContext("signal", "zr89"))
    for wrong in (3, None, ["CD8"], SignalContext(None, "direct_label")):
        with pytest.raises(UserError, match="expected a noun phrase, or SignalContext"):
            signal_name(wrong)


FRAME = pl.DataFrame({"p": [1, 1, 2, 2, 3, 3, 4, 4, 5, 5], "day": [0, 1] * 5,
                      "y": [1.0, 2.1, 0.5, 1.8, 1.4, 2.2, 0.9, 2.3, 1.7, 2.4]})  # fmt: skip


def test_the_sentence_of_a_fit_says_what_may_be_said():
    context = SignalContext("label-equivalent cells in the spleen", "zr89_oxine_cells")
    fit = fit_mixed(FRAME, "y ~ day", "p", context=context, verify=False)
    assert fit.sentence.startswith("The model for label-equivalent cells in the spleen was")
    assert fit.context == "label-equivalent cells in the spleen"
    with pytest.raises(UserError, match="not a signal of CAR-T cells"):
        fit_mixed(FRAME, "y ~ day", "p", context="CD8 PET, called CAR-T cells")
    with pytest.raises(UserError, match="signal: 'CAR-T cells' cannot be said"):
        fit_joint(FRAME, FRAME, "y ~ day", "p", "1", "day", "day", "p", signal="CD8 CAR-T cells")
