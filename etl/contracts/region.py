"""Incoming regions: one row per subject and region; a lesion keeps its code over visits."""

import dataframely as dy
import polars as pl

from etl.contracts.contract import SUBJECT, Contract, Field, Row

KIND_WORDS = {
    "ORGAN": "organ", "LESION": "lesion", "TUMOR": "lesion", "TUMOUR": "lesion",
    "BLOOD_POOL": "blood_pool", "BLOOD POOL": "blood_pool", "BACKGROUND": "background",
}  # fmt: skip
ROLE_WORDS = {
    "TARGET": "target", "NON_TARGET": "non_target", "NON-TARGET": "non_target",
    "NEW": "new",
}  # fmt: skip


class RegionRow(Row):
    region_code = dy.String(min_length=1)
    kind = dy.String(check=lambda col: col.is_in(["organ", "lesion", "blood_pool", "background"]))
    lesion_role = dy.String(
        nullable=True, check=lambda col: col.is_in(["target", "non_target", "new"])
    )

    @dy.rule()
    def lesion_role__only_for_lesions(cls) -> pl.Expr:
        return cls.lesion_role.col.is_null() | (cls.kind.col == "lesion")


CONTRACT = Contract(
    name="region",
    title="Regions",
    fields=(
        *SUBJECT,
        Field("region_code", note="LIVER, SPLEEN, L1 ...: code within the subject", required=True),
        Field("kind", "code", "organ, lesion, blood_pool, background", words=KIND_WORDS),
        Field("label"),
        Field("location"),
        Field("laterality"),
        Field("lesion_role", "code", "target, non_target or new", words=ROLE_WORDS),
    ),
    key=("usubjid", "region_code"),
    content=("region_code",),
    schema=RegionRow,
)
