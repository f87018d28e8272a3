"""Days from infusion count from accepted infusions, and no study has two clocks."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from etl import jobs
from models.queries import read_trial

DM = "STUDYID,DOMAIN,USUBJID,SUBJID,RFSTDTC\n" + "".join(
    f"ST,DM,P{n},P{n},2024-01-01\n" for n in (1, 2)
)
LB = "STUDYID,DOMAIN,USUBJID,LBSEQ,LBTESTCD,LBTEST,LBSTRESC,LBSTRESN,LBSTRESU,LBDTC\n" + "".join(
    f"ST,LB,P{n},1,CRP,CRP,10,10,mg/L,2024-01-17\n" for n in (1, 2)
)
EX = (
    "STUDYID,DOMAIN,USUBJID,EXSEQ,EXTRT,EXDOSE,EXDOSU,EXSTDTC\n"
    "ST,EX,P1,1,tisagenlecleucel,150,10^6 cells,2024-01-10\n"
    "ST,EX,P2,1,tisagenlecleucel,150,10^6 cels,2024-01-10\n"
)


@pytest.mark.parametrize("order", ["dm ex lb", "dm lb|ex", "dm ex|lb", "lb|dm|ex", "ex dm|lb"])
def test_a_refused_infusion_gives_no_days_from_another_start(
    engine: Engine, tmp_path: Path, reads_here: None, order: str
) -> None:
    """P2's infusion is refused: its days would count from RFSTDTC, nine days before."""
    for name, text in (("dm", DM), ("lb", LB), ("ex", EX)):
        (tmp_path / f"{name}.csv").write_text(text)
    for names in order.split("|"):
        paths = [tmp_path / f"{name}.csv" for name in names.split()]
        result = jobs.load(engine, paths, "ST")
    labs = read_trial(engine, "ST").labs.sort("usubjid")
    assert labs["rel_day"].to_list() == [7.0, None]
    assert [one["count"] for one in result.findings if one["code"] == "no_day_0"] == [1]


def test_a_refused_correction_does_not_move_day_0(
    engine: Engine, tmp_path: Path, reads_here: None
) -> None:
    for name, text in (("dm", DM), ("lb", LB), ("ex", EX.replace("cels", "cells"))):
        (tmp_path / f"{name}.csv").write_text(text)
    jobs.load(engine, [tmp_path], "ST")
    path = tmp_path / "ex.csv"
    path.write_text(EX.replace("150,10^6 cells,2024-01-10", "1,cells,2024-01-05"))
    assert jobs.load(engine, [path], "ST").exit_code == 1
    assert read_trial(engine, "ST").labs["rel_day"].to_list() == [7.0, 7.0]


@pytest.mark.parametrize("name", ["KYMRIAH", "CART-19", "huCART19 cells", "Abecma", "CTL019"])
def test_a_product_by_its_brand_in_bags_is_day_0(
    engine: Engine, tmp_path: Path, reads_here: None, name: str
) -> None:
    text = EX.replace("tisagenlecleucel", name).replace("150,10^6 cells", "1,BAG")
    for file, rows in (("dm", DM), ("lb", LB), ("ex", text.replace("150,10^6 cels", "1,BAG"))):
        (tmp_path / f"{file}.csv").write_text(rows)
    assert jobs.load(engine, [tmp_path], "ST").exit_code == 0
    trial = read_trial(engine, "ST")
    assert trial.infusions["product"].to_list() == [name, name]
    assert trial.labs["rel_day"].to_list() == [7.0, 7.0]


def test_a_refused_or_missing_infusion_is_said_with_its_patients(
    tmp_path: Path, reads_here: None
) -> None:
    (tmp_path / "infusion.csv").write_text(
        "usubjid,dtm,dose_cells,dose_unit\nS1,2024-01-10,150,10^6 cells\nS2,2024-01-10,150,cels\n"
    )
    (tmp_path / "laboratory_result.csv").write_text(
        "usubjid,dtm,testcd,value,unit\n"
        + "".join(f"S{n},2024-01-{17 + n},CRP,10,mg/L\n" for n in (1, 2, 2, 3, 4, 5))
    )
    result = jobs.load(None, [tmp_path], "ST", dry_run=True)
    found = [(one["message"], one["count"]) for one in result.findings]
    said = [one for one in found if "no day from infusion" in one[0]]
    assert said == [
        (
            "4 patients have records but no day from infusion (no infusion loaded: S2 (refused: "
            "infusion.csv row 3), S3, S4 and 1 more; their 5 dated records have no day); load "
            "their infusions with a date",
            4,
        )
    ]
