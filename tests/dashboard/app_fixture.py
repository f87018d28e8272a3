"""A running program over the small trial, without a database."""

from collections.abc import Hashable
from typing import Any

import polars as pl
from dash import Dash

from dashboard import create_app
from dashboard.data import TrialReader
from models.trial import Trial
from tests.dashboard.trial_fixture import CUTS, STUDY, tiny_trial


class MemoryReader(TrialReader):
    """The real reader with its reads answered from memory."""

    def __init__(self, *, synthetic_only: bool = False, empty: bool = False) -> None:
        super().__init__(None, synthetic_only=synthetic_only)
        self._empty = empty
        self.state = "nothing happened"

    def _list_studies(self) -> pl.DataFrame:
        rows = [
            {"studyid": STUDY["studyid"], "title": STUDY["title"], "is_synthetic": True},
            {"studyid": "REAL-01", "title": "A real study", "is_synthetic": False},
        ]
        frame = pl.DataFrame(rows)
        return frame.clear() if self._empty else frame

    def _list_cuts(self, studyid: str) -> pl.DataFrame:
        return pl.DataFrame(
            [
                {"id": load, "name": name, "load_id": load, "created_at": at}
                for name, load, at in CUTS
            ]
        )

    def _read_state(self, studyid: str) -> Hashable:
        return self.state

    def _read_trial(self, studyid: str, cut: str) -> Trial:
        return tiny_trial(cut)

    def _find_fit(self, trial: Trial, spec_hash: str) -> str | None:
        return None

    def _list_fits(self, trial: Trial) -> list[dict[str, Any]]:
        return []

    def _read_changes(self, studyid: str, before: int, after: int) -> pl.DataFrame:
        rows = [("subjects", 22, 2, 0, 0, 24), ("kinetics", 420, 40, 3, 0, 460)]
        columns = ["frame", "before", "added", "corrected", "retired", "after"]
        return pl.DataFrame(rows, schema=columns, orient="row")


def no_job(*_: Any) -> Any:
    """Jobs are not run by these tests."""
    return None


def demo_app(**reader: Any) -> Dash:
    """Demo mode over the synthetic small trial."""
    return create_app(
        MemoryReader(synthetic_only=True, **reader),
        mode="demo",
        submit_job=lambda *_: 1,
        read_job=no_job,
        cancel_job=no_job,
        version="0.1.0",
    )


def local_app(token: str, **reader: Any) -> Dash:
    """Local mode, closed but for the holder of `token`."""
    return create_app(
        MemoryReader(**reader),
        mode="local",
        token=token,
        submit_job=lambda *_: 1,
        read_job=no_job,
        cancel_job=no_job,
        version="0.1.0",
    )
