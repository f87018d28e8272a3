"""Best response from delivered calls; rates with both denominators."""

import polars as pl
import pytest

from analysis.derive.response import (
    CATEGORY,
    best_response,
    response_category,
    response_criteria,
    response_rate,
)


def calls(*rows, criterion="LUGANO 2014", reader="IRC", component="overall"):
    """rows: (patient, call, day)."""
    return pl.DataFrame(
        [
            {
                "usubjid": usubjid, "criterion": criterion, "reader": reader,
                "component": component, "response": call, "rel_day": day,
            }
            for usubjid, call, day in rows
        ],
        schema_overrides={"rel_day": pl.Float64},
    )  # fmt: skip


TABLE = [
    # assessments (call, day) -> best as delivered, day, responder
    ([("PR", 28), ("CR", 90), ("CR", 180)], ("CR", 90.0, True)),
    ([("PR", 28), ("PD", 90), ("CR", 180)], ("PR", 28.0, True)),
    ([("SD", 28), ("PD", 60)], ("SD", 28.0, False)),
    ([("PD", 28), ("PR", 60)], ("PD", 28.0, False)),
    ([("NE", 28)], ("NE", 28.0, None)),
    ([("NE", 28), ("PR", 90)], ("PR", 90.0, True)),
    ([("SD", -3), ("NE", 28)], ("NE", 28.0, None)),
    ([("CMR", 28), ("PMD", 90)], ("CMR", 28.0, True)),
    ([("NMR", 28)], ("NMR", 28.0, False)),
    ([("iUPD", 28), ("iPR", 60)], ("iPR", 60.0, True)),
    ([("iUPD", 28)], ("iUPD", 28.0, None)),
    ([("iUPD", 28), ("iCPD", 60)], ("iCPD", 60.0, False)),
    ([("VGPR", 28), ("sCR", 90)], ("sCR", 90.0, True)),
    ([("MR", 28)], ("MR", 28.0, False)),
    ([(" cr ", 28)], (" cr ", 28.0, True)),
]


@pytest.mark.parametrize(("assessments", "expected"), TABLE)
def test_best_of_the_assessments(assessments, expected):
    (row,) = best_response(calls(*(("P1", call, day) for call, day in assessments))).to_dicts()
    assert (row["best_response"], row["best_response_day"], row["responder"]) == expected


def test_a_delivered_best_response_stands():
    delivered = calls(("P1", "PR", None), component="best")
    both = pl.concat([calls(("P1", "CR", 90.0)), delivered])
    (row,) = best_response(both).to_dicts()
    assert (row["best_response"], row["best_response_day"]) == ("PR", None)


def test_metabolic_calls_serve_where_no_overall_call_is():
    both = pl.concat(
        [
            calls(("P1", "PMR", 28.0), ("P2", "CMR", 28.0), component="metabolic"),
            calls(("P1", "SD", 28.0)),
        ]
    )
    assert best_response(both).select("usubjid", "best_response").rows() == [
        ("P1", "SD"),
        ("P2", "CMR"),
    ]


def test_target_lesions_alone_are_no_response():
    assert best_response(calls(("P1", "CR", 28.0), component="target")).is_empty()


def test_criteria_and_readers_are_not_mixed():
    both = pl.concat(
        [
            calls(("P1", "CR", 28.0), ("P2", "PD", 28.0)),
            calls(("P1", "PR", 28.0), ("P2", "SD", 28.0), reader="INVESTIGATOR"),
            calls(("P1", "SD", 28.0), criterion="RECIST 1.1"),
        ]
    )
    assert response_criteria(both).rows() == [
        ("LUGANO 2014", "IRC", 2),
        ("LUGANO 2014", "INVESTIGATOR", 2),
        ("RECIST 1.1", "IRC", 1),
    ]
    assert best_response(both)["best_response"].to_list() == ["CR", "PD"]
    assert best_response(both, reader="INVESTIGATOR")["best_response"].to_list() == ["PR", "SD"]
    assert best_response(both, "RECIST 1.1")["best_response"].to_list() == ["SD"]
    assert best_response(both, "iRECIST").is_empty()


def test_missing_response_counts_as_no_response_in_the_main_rate():
    patients = [f"P{i}" for i in range(59)]
    best = best_response(
        calls(*((p, "CR" if i < 43 else "PD", 28.0) for i, p in enumerate(patients[:58])))
    )
    main, evaluable = response_rate(best, patients)
    assert (main.successes, main.n) == (43, 59)
    assert (evaluable.successes, evaluable.n) == (43, 58)
    assert main.estimate == pytest.approx(43 / 59)
    assert (main.conf_low, main.conf_high) == pytest.approx((0.5973065, 0.8363673), abs=1e-7)


def test_a_rate_of_complete_responses():
    best = best_response(calls(("P1", "CR", 28.0), ("P2", "PR", 28.0)))
    main, _ = response_rate(best, ["P1", "P2"], ("CR",))
    assert (main.successes, main.n) == (1, 2)


def test_rate_of_nobody():
    main, evaluable = response_rate(best_response(None), [])
    assert (main.n, evaluable.n) == (0, 0)


@pytest.mark.parametrize(
    ("call", "expected"),
    [("CMR", "CR"), ("icpd", "PD"), (None, None), ("???", None), ("iUPD", "NE")],
)
def test_category(call, expected):
    assert response_category(call) == expected


def test_every_call_has_one_of_five_categories():
    assert set(CATEGORY.values()) == {"CR", "PR", "SD", "PD", "NE"}


def test_no_calls():
    found = best_response(None)
    assert found.columns == [
        "usubjid", "criterion", "reader", "best_response", "best_category", "best_response_day",
        "responder",
    ]  # fmt: skip
    assert response_criteria(None).is_empty()


def test_each_cohort_may_have_its_own_criterion():
    both = pl.concat(
        [
            calls(("P1", "CR", 28.0), ("P2", "PD", 28.0)),
            calls(("P3", "CR", 28.0), criterion="NCI MRD", reader="INVESTIGATOR"),
        ]
    )
    assert best_response(both).select("usubjid", "criterion", "best_response").rows() == [
        ("P1", "LUGANO 2014", "CR"),
        ("P2", "LUGANO 2014", "PD"),
        ("P3", "NCI MRD", "CR"),
    ]
    assert best_response(both, "LUGANO 2014")["usubjid"].to_list() == ["P1", "P2"]
