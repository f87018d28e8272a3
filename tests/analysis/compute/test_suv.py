import json

import pytest

from analysis.compute.suv import (
    body_surface_m2,
    equivalent_diameter_mm,
    lean_body_mass_kg,
    metabolic_tumor_volume_ml,
    sul,
    suv_body_weight,
    total_lesion_glycolysis_g,
)


@pytest.fixture
def golden(shared):
    return json.loads((shared / "reference" / "golden_values.json").read_text(encoding="utf-8"))


def test_suv_of_the_worked_example(golden):
    example = golden["SUVbw_example"]
    found = suv_body_weight(
        example["conc_Bq_per_mL"], example["weight_kg"], example["decayed_dose_MBq"]
    )
    assert found == pytest.approx(example["SUVbw"], rel=1e-5)


def test_lean_mass_and_surface(golden):
    names = {"janma": "janmahasatian", "james128": "james", "morgan120": "morgan"}
    for row in golden["LBM_kg"]:
        for column, method in names.items():
            found = lean_body_mass_kg(row["sex"], row["kg"], row["cm"], method)
            assert found == pytest.approx(row[column], abs=6e-4), (row, method)
        assert body_surface_m2(row["kg"], row["cm"]) == pytest.approx(
            row["BSA_DuBois_m2"], abs=6e-5
        )


@pytest.mark.parametrize(("weight", "activity"), [(0.0, 100.0), (70.0, 0.0), (float("nan"), 100.0)])
def test_suv_without_weight_or_activity_is_an_error(weight, activity):
    with pytest.raises(ValueError, match="positive"):
        suv_body_weight(1000.0, weight, activity)


def test_sul_volume_and_glycolysis():
    assert sul(4.0, 55.857, 70.0) == pytest.approx(3.19183, abs=1e-5)
    assert metabolic_tumor_volume_ml(2000, 0.064) == pytest.approx(128.0)
    assert total_lesion_glycolysis_g(6.01529, 33.5824) == pytest.approx(202.008, abs=1e-3)
    assert equivalent_diameter_mm(4.18879) == pytest.approx(20.0, abs=1e-4)
