"""What a load did, or a dry run would do: counts, refusals and findings, as text and as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from etl.accounting import FileAccount, finding_rows
from etl.delivery import Delivery
from etl.loaded_before import Earlier, unchanged
from etl.older_content import SetAside
from etl.plan import Plan
from etl.refusals import refused_json, refused_rows
from etl.report import changed_text, load_text


@dataclass(frozen=True)
class LoadResult:
    """What a load did, or a dry run would do. `cut` is None when nothing was written or named.

    `refused` carries the message of each row beside the keys of the command contract; `given`:
    the paths as they were named.
    """

    files: tuple[FileAccount, ...]
    refused: tuple[dict[str, Any], ...]
    findings: tuple[dict[str, Any], ...]
    cut: str | None
    message: str
    changed: bool
    given: tuple[str, ...] = ()
    superseded: int = 0
    """Stored records that this load replaced by another content."""
    retired: int = 0
    """Stored records that this full delivery no longer holds."""
    overtaken: tuple[dict[str, Any], ...] = ()
    """For files loaded before: later loads (load_id, cut, count) that superseded their records."""

    @property
    def exit_code(self) -> int:
        """0 when every record was taken; 1 when some were refused or a finding is an error (a
        damaged data file, many records retired)."""
        wrong = any(one["severity"] == "error" for one in self.findings)
        return 1 if wrong or any(one.refused for one in self.files) else 0

    def to_dict(self) -> dict[str, Any]:
        """The object of the command contract; beside its keys what was superseded, retired and
        found."""
        return {
            "files": [one.to_dict() for one in self.files],
            "refused": [
                {key: value for key, value in row.items() if key != "message"}
                for row in self.refused
            ],
            "cut": self.cut,
            "exit_code": self.exit_code,
            "superseded": self.superseded,
            "retired": self.retired,
            "overtaken": list(self.overtaken),
            "findings": [
                {"column" if key == "column_name" else key: value for key, value in one.items()}
                for one in self.findings
            ],
        }

    def summary(self, all_refused: str = "") -> str:
        """What happened, for a person: files with what they lost and why, findings, the end.

        `all_refused`: where every refused row is seen when not by the same command with --json.
        """
        where = (
            all_refused
            or "the same command with --json" + ", or the page Data and quality" * self.changed
        )
        lines = load_text(self.files, self.refused, self.findings, self.given, where)
        lines += changed_text(self.superseded, self.retired)
        return "\n".join([*lines, self.message])


def with_aside(result: LoadResult, aside: Sequence[SetAside]) -> LoadResult:
    """The result with the files that were set aside, and the word about each."""
    said = [
        {
            "file": one.account.path,
            "severity": one.finding.severity,
            "code": one.finding.code,
            "column_name": None,
            "count": one.finding.count,
            "message": one.finding.message,
        }
        for one in aside
    ]
    return replace(
        result,
        files=(*result.files, *(one.account for one in aside)),
        findings=(*result.findings, *said),
    )


def nothing_new(aside: Sequence[SetAside], cut: str) -> LoadResult:
    """The result where every file is older than what is stored."""
    return with_aside(LoadResult((), (), (), cut, unchanged(cut), False), aside)


def as_before(again: Earlier) -> LoadResult:
    return LoadResult(
        again.accounts,
        again.refused,
        (),
        again.cut,
        again.message(),
        False,
        overtaken=again.overtaken,
    )


def result_of(
    delivery: Delivery,
    plan: Plan,
    accounts: Sequence[FileAccount],
    cut: str | None,
    message: str,
    changed: bool,
) -> LoadResult:
    paths = [one.path for one in accounts]
    findings = finding_rows(delivery).with_columns(
        pl.col("file").replace_strict(
            list(range(len(paths))), paths, default=None, return_dtype=pl.String
        )
    )
    refused = refused_json(refused_rows(delivery), paths)
    return LoadResult(
        tuple(accounts),
        tuple(refused),
        tuple(findings.to_dicts()),
        cut,
        message,
        changed,
        superseded=plan.superseded,
        retired=plan.retired,
    )
