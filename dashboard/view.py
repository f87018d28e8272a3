"""What one page is given: the data of one cut, the selection in the URL and how to link onward."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal
from urllib.parse import urlencode

from analysis.derive.attrition import AttritionStep
from analysis.selection import Selection
from dashboard.data import TrialReader
from figures.theme import Theme
from models.trial import Trial

Mode = Literal["demo", "local"]

SELECTION_FIELDS = frozenset(field.name for field in fields(Selection))


@dataclass(frozen=True)
class Services:
    """What callbacks may use beside the view: reads, and jobs as plain callables.

    `submit_job(kind, studyid, payload)` returns the job's id; `read_job(id)` returns its row as a
    dict (status, progress 0 to 1, message, result); `cancel_job(id)` asks for its end.
    """

    reader: TrialReader
    submit_job: Callable[[str, str, dict[str, Any]], int]
    read_job: Callable[[int], dict[str, Any] | None]
    cancel_job: Callable[[int], None]
    mode: Mode
    version: str


@dataclass(frozen=True)
class View:
    """One request for one page. `trial` is the whole study at its cut, `selected` the same type
    restricted to the patients that the filters keep; `narrow` is a phone's screen.

    `selection` is what the address says and what links carry on; `applied` what this page makes
    of it: `selected` and `attrition` follow it. They differ only where a page cannot apply a
    filter (`applied_filters` of the page)."""

    reader: TrialReader
    trial: Trial
    selected: Trial
    selection: Selection
    applied: Selection
    attrition: tuple[AttritionStep, ...]
    path: str
    path_rest: str
    params: Mapping[str, str]
    theme: Theme
    narrow: bool
    mode: Mode
    version: str

    def href(
        self,
        path: str | None = None,
        selection: Selection | None = None,
        /,
        **params: Any,
    ) -> str:
        """A link that keeps the filters. Without `path` it stays on this page and keeps the
        page's own parameters as well. Names of `Selection` fields change the filter; None removes
        a parameter."""
        chosen = selection or self.selection
        filters = {name: value for name, value in params.items() if name in SELECTION_FIELDS}
        if filters:
            chosen = chosen.replace(**filters)
        own = {name: value for name, value in params.items() if name not in SELECTION_FIELDS}
        merged: dict[str, Any] = {**(self.params if path is None else {}), **own}
        page_query = urlencode({name: v for name, v in merged.items() if v is not None})
        query = "&".join(part for part in (chosen.to_query(), page_query) if part)
        target = self.path if path is None else path
        return f"{target}?{query}" if query else target

    def download_href(self, name: str, extension: str = "csv") -> str:
        """Link to the data behind a figure or table of this page (see `dashboard.download`)."""
        base = self.path.strip("/") or "overview"
        return self.href(f"/download/{base}/{name}.{extension}", **dict(self.params))
