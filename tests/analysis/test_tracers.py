"""The registry holds its contract, and the words gate says no where the science says no."""

import math

import pytest
import yaml

from analysis.tracers import (
    FLAGS,
    NUCLIDES,
    TRACER_CLASSES,
    TRACERS,
    WORDS,
    check_words,
    tracer_rows,
    words_for,
)

CLASS_COUNT = {
    "direct_label": 18,
    "reporter_gene": 30,
    "immune_target": 21,
    "target_antigen": 4,
    "pretargeting": 3,
    "tumor_tracer": 5,
}
HALF_LIFE_H = {
    "F-18": 1.8295, "Ga-68": 1.1285, "C-11": 0.339389, "Cu-64": 12.7006, "Cu-61": 3.336,
    "Zr-89": 78.41, "I-124": 100.224, "Y-86": 14.74, "Mn-52": 134.184, "Sc-44": 4.042,
    "In-111": 67.3128, "Tc-99m": 6.0072, "I-123": 13.223, "I-125": 1425.6, "I-131": 192.605,
    "Ga-67": 78.2808, "Lu-177": 159.463,
}  # fmt: skip


def test_registry_has_every_system():
    found = {name: sum(t.tracer_class == name for t in TRACERS.values()) for name in CLASS_COUNT}
    assert found == CLASS_COUNT
    assert len(TRACERS) == 81


def test_registry_has_the_ids_of_the_reference(shared):
    text = (shared / "reference" / "tracers.yaml").read_text(encoding="utf-8")
    expected = {
        row["id"].replace("tumour", "tumor"): row for row in yaml.safe_load(text)["tracers"]
    }
    assert set(TRACERS) == set(expected)
    for key, row in expected.items():
        tracer, window = TRACERS[key], row["imaging_window_h"]
        assert tracer.nuclides == tuple(row["nuclides"] or ()), key
        assert (tracer.window_low_h, tracer.window_high_h) == (window["min"], window["max"]), key
        assert tracer.car_specific == row["cells"]["car_specific"], key
        for nuclide, limits in (row.get("imaging_window_h_by_nuclide") or {}).items():
            assert tracer.window_for(nuclide)[1] == pytest.approx(limits["max"], abs=0.06), key


def test_half_lives_are_those_of_ensdf():
    assert {key: nuclide.half_life_h for key, nuclide in NUCLIDES.items()} == HALF_LIFE_H


@pytest.mark.parametrize("key", sorted(TRACERS))
def test_tracer_row_holds_the_schema(key):
    tracer = TRACERS[key]
    assert tracer.id == key
    assert tracer.name
    assert tracer.signal_name
    assert tracer.tracer_class in TRACER_CLASSES
    assert set(tracer.nuclides) <= set(NUCLIDES)
    assert set(tracer.flags) <= set(FLAGS)
    assert 0 <= tracer.window_low_h < tracer.window_high_h
    assert tracer.evidence in {"seen", "mixed", "memory"}
    assert tracer.sources or tracer.evidence == "memory"
    assert (tracer.decay_clock == "cell_infusion") == (tracer.tracer_class == "direct_label")


@pytest.mark.parametrize("key", sorted(TRACERS))
def test_the_name_of_a_signal_obeys_its_own_words(key):
    tracer = TRACERS[key]
    text = f"{tracer.name}: {tracer.signal_name}"
    assert check_words(text, tracer.tracer_class, car_specific=tracer.car_specific) == ()


def test_only_engineered_cells_give_a_car_specific_signal():
    not_specific = {"direct_label", "target_antigen", "tumor_tracer"}
    assert not [t.id for t in TRACERS.values() if t.car_specific and t.tracer_class in not_specific]
    assert TRACERS["zr89_anti_tcrmu"].car_specific
    assert not TRACERS["zr89_crefmirlimab"].car_specific


@pytest.mark.parametrize(
    ("tracer", "nuclide", "window"),
    [
        ("zr89_oxine_cells", None, (0.5, 168.0)),
        ("f18_fhbg", None, (0.75, 4.0)),
        ("cu64_anti_cd8", None, (1.0, 24.0)),
        ("cu64_anti_cd8", "Cu-64", (1.0, 24.0)),
        ("cu64_anti_cd8", "Ga-68", (1.0, 6.771)),
        ("pdl1_tracers", "F-18", (1.0, 10.977)),
    ],
)
def test_window_is_held_to_six_half_lives(tracer, nuclide, window):
    assert TRACERS[tracer].window_for(nuclide) == pytest.approx(window)


def test_rows_for_the_database_have_one_half_life_or_none():
    rows = {row["id"]: row for row in tracer_rows()}
    assert len(rows) == 81
    assert rows["zr89_oxine_cells"]["half_life_h"] == 78.41
    assert rows["cu64_anti_cd8"]["nuclide"] == "Cu-64/Ga-68"
    assert rows["cu64_anti_cd8"]["half_life_h"] is None
    assert rows["spio_cells"]["nuclide"] is None
    assert not any(
        isinstance(v, float) and math.isnan(v) for r in rows.values() for v in r.values()
    )


def test_every_class_has_words_and_its_caution_may_be_shown():
    assert set(WORDS) == set(TRACER_CLASSES)
    for name in TRACER_CLASSES:
        words = words_for(name)
        assert check_words(words.caution, name) == ()
        assert all(check_words(allowed, name) == () for allowed in words.allowed), name
        assert check_words(words.signal, name) == ()


def test_unknown_tracer_is_a_key_error():
    with pytest.raises(KeyError):
        TRACERS["unobtainium_cells"]
