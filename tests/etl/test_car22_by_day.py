"""The published table of CAR22, cytokines by day from the onset of CRS, out of the database.

294 of its rows are those of the 14 cytokines that the published data hold (Lichtenstein D et al.,
Blood 2021;138:2469-2484, doi:10.1182/blood.2021011898); R's wilcox.test and p.adjust made it.
"""

from math import log2
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import Engine

from analysis import DayComparison, adjust_p_values, compare_by_day
from analysis.derive.groups import patient_groups
from etl import jobs
from models.queries import read_trial
from models.trial import Trial

pytestmark = pytest.mark.slow
CYTOKINES = {
    "GMCSF": "GM-CSF", "IFNG": "IFN-gamma", "INTLK10": "IL-10", "IL12P70": "IL-12p70",
    "INTLK13": "IL-13", "INTLK15": "IL-15", "INTLK18": "IL-18", "INTLK1B": "IL-1B",
    "INTLK2": "IL-2", "INTLK4": "IL-4", "INTLK6": "IL-6", "INTLK8": "IL-8",
    "MIP1A": "MIP-alpha", "TNF": "TNF-alpha",
}  # fmt: skip
NOT_IN_THE_TABLE = (("CAR22-4247", "IL-18", 9.0), ("CAR22-6188", "IL-18", 8.0))
"""Two values that the workbook holds and the data of the published table lack."""
PUBLISHED = {
    "carHLH_pos_mean": lambda row: row.group.mean,
    "carHLH_neg_mean": lambda row: row.reference.mean,
    "carHLH_pos_log10_mean": lambda row: row.group.mean_log10,
    "carHLH_neg_log10_mean": lambda row: row.reference.mean_log10,
    "carHLH_pos_log10_median": lambda row: row.group.median_log10,
    "carHLH_neg_log10_median": lambda row: row.reference.median_log10,
    "carHLH_pos_log10_IQR": lambda row: row.group.iqr_log10,
    "carHLH_neg_log10_IQR": lambda row: row.reference.iqr_log10,
    "log2fc": lambda row: log2(row.fold_of_means),
    "wilcox_pvalue": lambda row: row.p_value,
}


@pytest.fixture(scope="module")
def published(shared: Path) -> pl.DataFrame:
    name = "PUBLISHED_rel_to_CRS_stats_carHLH_with_pvalues.csv"
    return pl.read_csv(
        shared / "data" / "car22_nci_ball" / name, infer_schema_length=None, null_values=["NA"]
    )


@pytest.fixture
def trial(engine: Engine, shared: Path) -> Trial:
    workbook = shared / "data" / "car22_nci_ball" / "clinical_data_05-12-20_v1.xlsx"
    jobs.load(engine, [workbook], "CAR22", profile="car22")
    return read_trial(engine, "CAR22")


def compared(trial: Trial) -> dict[tuple[str, int], DayComparison]:
    """Patients with CRS, ten days on either side of its onset."""
    onset = trial.adverse_events.filter(pl.col("category") == "CRS").select(
        "usubjid", onset="rel_day"
    )
    hlh = patient_groups("event:HLH", trial.subjects, adverse_events=trial.adverse_events)
    rows = (
        trial.labs.filter(pl.col("testcd").is_in(list(CYTOKINES)))
        .join(onset, on="usubjid")
        .join(hlh, on="usubjid")
        .select(
            "usubjid", "group", "value",
            signal=pl.col("testcd").replace(CYTOKINES),
            day=pl.col("rel_day") - pl.col("onset"),
        )
        .filter(pl.col("day").is_between(-10, 10))
        .join(
            pl.DataFrame(NOT_IN_THE_TABLE, schema=["usubjid", "signal", "day"], orient="row"),
            on=["usubjid", "signal", "day"], how="anti",
        )
    )  # fmt: skip
    return {(row.signal, int(row.day)): row for row in compare_by_day(rows, "yes", "no")}


def test_all_294_rows_come_out_of_the_database(trial: Trial, published: pl.DataFrame) -> None:
    found = compared(trial)
    expected = published.filter(pl.col("cytokine").is_in(list(CYTOKINES.values())))
    assert expected.height == len(found) == 294
    for row in expected.to_dicts():
        mine = found[row["cytokine"], row["days_rel_to_CRS"]]
        assert (mine.group.n, mine.reference.n) == (row["carHLH_pos"], row["carHLH_neg"])
        for name, read in PUBLISHED.items():
            # The table is printed to nine digits and at most six decimals.
            assert read(mine) == pytest.approx(row[name], rel=1e-6, abs=6e-7), (row, name)


def test_false_discovery_rates_are_those_of_a_day(published: pl.DataFrame) -> None:
    tested = published.filter(pl.col("wilcox_pvalue").is_not_null())
    for _, day in tested.group_by("days_rel_to_CRS"):
        family = adjust_p_values(
            day.get_column("wilcox_pvalue").to_list(), "benjamini_hochberg", "day"
        )
        assert family.adjusted == pytest.approx(day.get_column("padj_FDR").to_list(), abs=1e-5)
