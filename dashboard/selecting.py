"""From the query of an address to a view: the study at its cut and the patients that are left."""

from urllib.parse import parse_qsl

from analysis.derive.attrition import attrition
from analysis.derive.sets import analysis_sets
from analysis.selection import Selection, select_subjects
from dashboard.address import Page, Request
from dashboard.view import SELECTION_FIELDS, Services, View


class EmptyDatabaseError(Exception):
    """There is no study with a data cut that this reader may show."""


def build_view(
    asked: Request, path_rest: str, services: Services, page: Page | None = None
) -> View:
    """The view of one address, with the filters as `page` applies them.

    Raises EmptyDatabaseError when there is nothing to show, and UserError when the query asks for
    a study, a cut or a value that is not there.
    """
    reader = services.reader
    selection = Selection.from_query(asked.query)
    studies = reader.studies()["studyid"].to_list()
    if not studies:
        raise EmptyDatabaseError
    study = selection.study or studies[0]
    trial = reader.trial(study, selection.cut or None)
    sets = analysis_sets(trial.subjects, trial.infusions, trial.scans, trial.responses)
    apply = getattr(page, "applied_filters", None)
    params = page_params(asked.query)
    applied: Selection = apply(trial, selection, params) if apply else selection
    kept = select_subjects(applied, trial.subjects, sets)
    return View(
        reader=reader,
        trial=trial,
        selected=trial.only(kept),
        selection=selection,
        applied=applied,
        attrition=attrition(applied, trial.subjects, sets),
        path="/" + asked.path.strip("/"),
        path_rest=path_rest,
        params=params,
        theme=asked.theme,
        narrow=asked.narrow,
        mode=services.mode,
        version=services.version,
    )


def page_params(query: str) -> dict[str, str]:
    """The page's own parameters: what of the query is not a filter."""
    return {name: value for name, value in parse_qsl(query) if name not in SELECTION_FIELDS}
