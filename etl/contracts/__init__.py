"""The incoming tables, in the order in which a load writes them (parents before children)."""

from etl.contracts import (
    adverse_event,
    infusion,
    intervention,
    kinetics_sample,
    laboratory_result,
    lesion_measurement,
    quantification,
    region,
    response_assessment,
    scan,
    subject,
    subject_characteristic,
    survival_event,
    tracer_administration,
)

CONTRACT_VERSION = "3"
"""Raised whenever the same file could end in other rows: part of the idempotence key of a load."""

CONTRACTS = {
    "subject": subject.CONTRACT,
    "subject_characteristic": subject_characteristic.CONTRACT,
    "infusion": infusion.CONTRACT,
    "tracer_administration": tracer_administration.CONTRACT,
    "scan": scan.CONTRACT,
    "region": region.CONTRACT,
    "quantification": quantification.CONTRACT,
    "kinetics_sample": kinetics_sample.CONTRACT,
    "laboratory_result": laboratory_result.CONTRACT,
    "lesion_measurement": lesion_measurement.CONTRACT,
    "response_assessment": response_assessment.CONTRACT,
    "adverse_event": adverse_event.CONTRACT,
    "intervention": intervention.CONTRACT,
    "survival_event": survival_event.CONTRACT,
}
