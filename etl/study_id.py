"""What a study may be called."""

import re

from analysis.errors import UserError

MOST = 64
_STUDY_ID = re.compile(r"[^\W_](?:[\w ./-]*[^\W_])?")


def require_study_id(studyid: str) -> None:
    """Raises UserError unless the name has 1 to 64 letters, digits, spaces or . _ / - and begins
    and ends with a letter or digit."""
    if len(studyid) <= MOST and _STUDY_ID.fullmatch(studyid) and ".." not in studyid:
        return
    raise UserError(
        f"--study {studyid!r}: a study id of 1 to {MOST} letters, digits, spaces or . _ / - was "
        "expected, with a letter or digit at both ends, such as CART-101; name the study"
    )
