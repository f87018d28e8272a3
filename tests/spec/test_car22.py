"""A real trial through the derivations: 59 patients, five visits, zeros without a limit.

The workbook is read here by position, without the loader, so that a wrong number names its layer.
"""

import fastexcel
import polars as pl
import pytest

from analysis.derive.groups import patient_groups
from analysis.derive.kinetics import parameters
from analysis.derive.response import best_response, response_rate
from analysis.derive.signal import Signal, signal_catalog, signal_series
from analysis.derive.summary import summarize

CALLS = {"0": "CR", "1": "CR", "2": "PR", "3": "SD", "4": "PD"}
MEDIANS = {
    0.0: (12, 0.0),
    7.0: (29, 0.040614),
    14.0: (46, 590.894),
    21.0: (45, 199.55628),
    28.0: (50, 89.72977),
}
SIGNAL = Signal.parse("kinetics:CARFLOW:flow:BLOOD")


@pytest.fixture(scope="module")
def sheet(request):
    shared = request.getfixturevalue("shared")
    book = fastexcel.read_excel(
        shared / "data" / "car22_nci_ball" / "clinical_data_05-12-20_v1.xlsx"
    )
    rows = book.load_sheet(0, header_row=None, dtypes="string").to_polars()
    return list(rows.row(2)), [row for row in rows.rows()[3:] if row[0]]


@pytest.fixture(scope="module")
def subjects(sheet):
    header, rows = sheet
    hlh = header.index("HLH (0=No/1=Yes)")
    return pl.DataFrame({"usubjid": [r[0] for r in rows], "hlh": [r[hlh] for r in rows]})


@pytest.fixture(scope="module")
def kinetics(sheet):
    header, rows = sheet
    records = []
    for day in (0, 7, 14, 21, 28):
        column = header.index(f"Day {day}_Abs CAR (cells/uL)")
        exact = header.index(f"True date_CAR Expansion Day {day}")
        for row in rows:
            try:
                value = float(row[column])
            except (TypeError, ValueError):
                continue
            records.append((row[0], float(day), float(row[exact]) if row[exact] else None, value))
    frame = pl.DataFrame(
        records, schema=["usubjid", "nominal_day", "rel_day", "value"], orient="row"
    )
    return frame.with_columns(
        analyte=pl.lit("CARFLOW"), assay=pl.lit("flow"), matrix=pl.lit("BLOOD"),
        unit=pl.lit("cells/uL"), censored=pl.lit("none"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def responses(sheet):
    header, rows = sheet
    column = next(i for i, name in enumerate(header) if str(name).startswith("Response (0"))
    return pl.DataFrame(
        [
            (row[0], "B-ALL", None, "best", CALLS[row[column]])
            for row in rows
            if row[column] in CALLS
        ],
        schema={"usubjid": pl.String, "criterion": pl.String, "reader": pl.String,
                "component": pl.String, "response": pl.String},
        orient="row",
    )  # fmt: skip


def test_response_with_both_denominators(subjects, responses):
    best = best_response(responses)
    patients = subjects["usubjid"].to_list()
    main, evaluable = response_rate(best, patients)
    assert (main.successes, main.n, evaluable.n) == (43, 59, 58)
    complete, _ = response_rate(best, patients, ("CR",))
    assert complete.successes == 42


def test_medians_by_visit_and_zeros(kinetics):
    (signal,) = signal_catalog(kinetics)
    assert signal.key == SIGNAL.key
    found = summarize(signal_series(signal, kinetics=kinetics))
    table = {row["nominal_day"]: (row["n"], row["median"]) for row in found.to_dicts()}
    assert table == {day: (n, pytest.approx(median)) for day, (n, median) in MEDIANS.items()}
    assert found["n_below_limit"].sum() == 34


def test_peaks_by_response(kinetics, subjects, responses):
    """Median peak over all visits: 747 in complete response, 9.0 in all others."""
    series = signal_series(SIGNAL, kinetics=kinetics)
    peak = series.group_by("usubjid").agg(pl.col("delivered").max().alias("peak"))
    assert peak.height == 55
    groups = patient_groups("complete_response", subjects, responses=responses)
    medians = dict(
        peak.join(groups, on="usubjid").group_by("group").agg(pl.col("peak").median()).rows()
    )
    assert medians["CR"] == pytest.approx(746.9784)
    assert medians["no CR"] == pytest.approx(8.99712)


def test_kinetics_parameters_of_every_patient(kinetics):
    found = parameters(signal_series(SIGNAL, kinetics=kinetics))
    assert found.height == 55
    assert found["cmax"].max() == pytest.approx(13653.4034)
    (top,) = found.filter(pl.col("cmax") == found["cmax"].max()).to_dicts()
    assert (top["usubjid"], top["tmax_day"]) == ("9216", 20.0)
    missing = found.filter(pl.col("cmax").is_null())
    assert missing["cmax_reason"].null_count() == 0
