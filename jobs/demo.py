"""The demo: write the synthetic trial's export files, load them, fit the default model."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Engine

from analysis.errors import UserError
from analysis.tracers import TRACERS
from analysis.tracers.registry import Tracer
from etl import jobs as etl_jobs
from etl import synthetic
from jobs.fitting import fit_study
from models.connect import parse_url, sqlite_path
from models.engine import create_engine_for, upgrade
from models.queries import list_studies

Say = Callable[[str], None]

DEFAULT_DATABASES = ("sqlite:///data/demo.db", "sqlite:///data/cartograph.db")
"""Made with their folder; a folder that a user names must exist, so that a typo is an error."""
REFUSED_SHOWN = "the page Data and quality"
"""Where the demo shows its refused rows; the verb has no --json."""


def upgrade_database(url: str) -> None:
    """Create or upgrade the database and bring its tracer table to this program's registry."""
    file = sqlite_path(parse_url(url))
    if file is not None and url in DEFAULT_DATABASES:
        file.parent.mkdir(parents=True, exist_ok=True)
    upgrade(url, tracers=map(tracer_row, TRACERS.values()))


def tracer_row(tracer: Tracer) -> dict[str, Any]:
    """A registry entry in the columns of the table."""
    return {**vars(tracer), "nuclide": tracer.nuclide, "half_life_h": tracer.half_life_h()}


def build_demo(url: str, *, actor: str, say: Say) -> None:
    """Make `url` a demo database; doing it again changes nothing.

    Raises:
        UserError: the database holds a study that is not synthetic.
        DatabaseError: the database is not reachable.
    """
    upgrade_database(url)
    engine = create_engine_for(url)
    refuse_real_studies(engine)
    with export_folder(url) as folder:
        say(f"Writing the export files of the synthetic trial to {folder} ...")
        written = synthetic.write_trial(folder).files
        say("Loading them ...")
        result = etl_jobs.load(
            engine,
            [folder / path for path in sorted(written)],
            synthetic.STUDYID,
            profile=synthetic.PROFILE,
            actor=actor,
            synthetic=True,
        )
    say(result.summary(all_refused=REFUSED_SHOWN))
    say("Fitting the model that links expansion to response ...")
    say(fit_study(engine, synthetic.STUDYID, actor=actor).sentence)


@contextmanager
def export_folder(url: str) -> Iterator[Path]:
    """Where the export files are written: beside an SQLite file, where a person can look at what
    was loaded, and may keep files of their own; for a server database a folder that is removed
    afterwards."""
    file = sqlite_path(parse_url(url))
    if file is None:
        with TemporaryDirectory(prefix="cartograph-demo-") as temporary:
            yield Path(temporary)
        return
    folder = file.parent / synthetic.STUDYID
    yield folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


def refuse_real_studies(engine: Engine) -> None:
    """The demo has no login, so it never shows real patients."""
    real = [
        study["studyid"] for study in list_studies(engine).to_dicts() if not study["is_synthetic"]
    ]
    if real:
        raise UserError(
            f"the demo shows synthetic studies only, and this database holds '{real[0]}'; "
            "give the demo a database of its own (--database sqlite:///demo.db) or use "
            "`cartograph serve`."
        )
