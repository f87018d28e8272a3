"""What a full delivery retires is said, and loudly where it is much.

A file that lacks rows by mistake (a filtered export, a file cut between two rows) looks like one
whose rows were withdrawn. Above `LARGE_SHARE` of a table's current records the load is done, as
the profile asks, but its finding is an error and the exit code is that of refused rows: somebody
must look.
"""

from analysis.number_words import count
from etl.contracts import CONTRACTS
from etl.plan import Plan
from etl.source import Finding

RETIRED = "records_retired"
LARGE_SHARE = 0.10
"""Of the current records that the study holds in the table."""


def retirement_findings(plan: Plan) -> list[Finding]:
    """One finding per table that loses records, with their count."""
    found = []
    for name, table in plan.tables.items():
        n = table.retired.len()
        if n == 0:
            continue
        is_large = n > LARGE_SHARE * table.held
        advice = "; look whether the export is complete, and load a complete one if not"
        message = (
            f"{CONTRACTS[name].title}: {n} of {count(table.held, 'stored record')} are in no "
            "file of this full delivery and were retired (older data cuts keep them)"
        )
        severity = "error" if is_large else "info"
        finding = Finding(RETIRED, message + advice * is_large, severity, None, n)
        found.append(finding)
    return found
