"""Every read that a page may do: scoped, pinned to a data cut, cached by it."""

import json
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import polars as pl

from analysis.errors import UserError
from analysis.results import Fit
from dashboard.kept import Kept
from models import fits as fit_table
from models import queries
from models.changes import cut_changes
from models.connect import reading
from models.trial import Trial

_KEPT_TRIALS = 6
_KEPT_CHANGES = 64


class TrialReader:
    """The one read object of the dashboard. With `synthetic_only` (demo mode) no other study can
    be listed or read, whatever the address says.

    The records of a cut never change, but a trial also carries the history of its study (loads,
    cuts, findings). So a trial is kept only as long as nothing happened to its study since.
    """

    def __init__(
        self, engine: Any, cache_dir: Path | None = None, *, synthetic_only: bool = False
    ) -> None:
        """`engine` is one of `models.engine`; this package builds no SQL of its own."""
        self._engine = engine
        self._cache_dir = cache_dir
        self._synthetic_only = synthetic_only
        self._trials: Kept[tuple[Hashable, Trial]] = Kept(_KEPT_TRIALS)
        self._changes: Kept[pl.DataFrame] = Kept(_KEPT_CHANGES)

    @property
    def synthetic_only(self) -> bool:
        """Whether studies of real patients are out of reach."""
        return self._synthetic_only

    def warm(self) -> None:
        """Read the study that opens first, so that the first person does not wait for it."""
        studies = self.studies()["studyid"].to_list()
        if studies and not self.cuts(studies[0]).is_empty():
            self.trial(studies[0])

    def studies(self) -> pl.DataFrame:
        """One row per study that may be shown: studyid, title, is_synthetic."""
        studies = self._list_studies()
        return studies.filter(pl.col("is_synthetic")) if self._synthetic_only else studies

    def cuts(self, studyid: str) -> pl.DataFrame:
        """One row per data cut of a study, oldest first: name, load_id, created_at."""
        self._check_scope(studyid)
        return self._list_cuts(studyid).sort("load_id")

    def trial(self, studyid: str, cut: str | None = None) -> Trial:
        """The study at a cut, the latest when none is named.

        Raises UserError for a study or a cut that is not there, in the same words for one that
        is out of scope.
        """
        names = self.cuts(studyid)["name"].to_list()
        if not names:
            raise UserError(f"study {studyid!r} has no data cut yet: load a file first")
        name = cut if cut is not None else names[-1]
        if name not in names:
            raise UserError(f"study {studyid!r} has no data cut {name!r}; there is: {names[-1]}")
        state = self._read_state(studyid)  # before the trial: a load in between makes it old
        kept = self._trials.get((studyid, name))
        if kept is not None and kept[0] == state:
            return kept[1]
        trial = self._read_trial(studyid, name)
        self._trials.put((studyid, name), (state, trial))
        return trial

    def changes(self, studyid: str, before: int, after: int) -> pl.DataFrame:
        """What came, changed and went between two cuts, by their load ids; see
        `models.changes.cut_changes`."""
        self._check_scope(studyid)
        key = (studyid, before, after)
        found = self._changes.get(key)
        if found is None:
            found = self._read_changes(studyid, before, after)
            self._changes.put(key, found)
        return found

    def readable_study(self, studyid: str) -> str:
        """`studyid` itself. Raises UserError for a study that is not there or out of scope."""
        self._check_scope(studyid)
        return studyid

    def stored_fit(self, trial: Trial, spec_hash: str) -> Fit | None:
        """The newest stored fit of a question at the trial's cut."""
        text = self._find_fit(trial, spec_hash)
        return None if text is None else Fit.from_dict(json.loads(text))

    def stored_fits(self, trial: Trial) -> list[dict[str, Any]]:
        """Stored fits of the trial's cut, newest first, one per question: fit, created_at,
        actor."""
        return [
            {**row, "fit": Fit.from_dict(json.loads(row["fit"]))} for row in self._list_fits(trial)
        ]

    def _check_scope(self, studyid: str) -> None:
        known = self.studies()["studyid"].to_list()
        if studyid not in known:
            raise UserError(f"there is no study {studyid!r} here; there is: {', '.join(known)}")

    def _list_studies(self) -> pl.DataFrame:
        return queries.list_studies(self._engine)

    def _list_cuts(self, studyid: str) -> pl.DataFrame:
        return queries.list_cuts(self._engine, studyid)

    def _read_state(self, studyid: str) -> Hashable:
        return queries.study_state(self._engine, studyid)

    def _read_trial(self, studyid: str, cut: str) -> Trial:
        return queries.read_trial(self._engine, studyid, cut, self._cache_dir)

    def _find_fit(self, trial: Trial, spec_hash: str) -> str | None:
        with reading(self._engine) as connection:
            row = fit_table.find_fit(connection, trial.cut.id, spec_hash)
        return None if row is None else str(row["fit"])

    def _list_fits(self, trial: Trial) -> list[dict[str, Any]]:
        with reading(self._engine) as connection:
            rows = fit_table.list_fits(connection, int(trial.study["id"])).to_dicts()
            at_cut = [row for row in rows if row["cut_id"] == trial.cut.id]
            newest = {row["spec_hash"]: row["id"] for row in reversed(at_cut)}
            return [fit_table.read_fit(connection, key) for key in sorted(newest.values())[::-1]]

    def _read_changes(self, studyid: str, before: int, after: int) -> pl.DataFrame:
        return cut_changes(self._engine, studyid, before, after)
