"""The command `cartograph`: thin verbs over the packages, one exit code per kind of end.

0 done, 1 done with refused rows or much retired, 2 user error, 3 database not reachable or not
upgraded, 70 bug.
An error is one line on stderr: what, where, what was expected, what to do. With `--json` stdout
holds one JSON object and nothing else. Heavy imports happen inside the verbs, so that `--help`
answers at once.
"""

import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.exceptions import Abort, TyperException

from jobs.exit_codes import INTERRUPTED, exit_code_of, one_line, usage_line
from jobs.progress import progress_line, say
from settings import VERSION, Settings, keep_to_one_thread

if TYPE_CHECKING:
    from sqlalchemy import Engine

cli = typer.Typer(
    name="cartograph",
    help="Where CAR-T cells go, how they expand, and whether that matters for the patient.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
database_verbs = typer.Typer(no_args_is_help=True, help="Create, upgrade, check and back up.")
cli.add_typer(database_verbs, name="db")

DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database", help="sqlite:///FILE or postgresql://USER@HOST/NAME.", metavar="URL"
    ),
]
PortOption = Annotated[
    int | None, typer.Option(help="Port to serve on.", min=1, max=65535, metavar="PORT")
]
StudyOption = Annotated[str, typer.Option("--study", help="Study id, such as CART-101.")]
ProfileOption = Annotated[
    str | None,
    typer.Option("--profile", help="A profile's name (car22, sdtm) or a YAML file of your own."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
PathsArgument = Annotated[
    list[Path], typer.Argument(help="Export files, folders or zip archives.", metavar="PATH...")
]


def database_url(given: str | None) -> str:
    """The URL of the command line, else of the settings."""
    return given or Settings().database


def open_database(given: str | None) -> "Engine":
    """The engine of a database at this program's revision; any other is refused."""
    from models.engine import check_revision, create_engine_for

    engine = create_engine_for(database_url(given))
    check_revision(engine)
    return engine


def print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, allow_nan=False))


@cli.command()
def demo(
    database: DatabaseOption = None,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Build it, do not serve.")] = False,
    port: PortOption = None,
) -> None:
    """Write the synthetic trial, load it, fit its model and open it on this machine only."""
    from jobs.demo import build_demo

    settings = Settings()
    url = database or settings.demo_database
    build_demo(url, actor=settings.who_acts(), say=say)
    if no_serve:
        return
    from jobs.server import serve as run_server

    run_server(settings.model_copy(update={"database": url, "mode": "demo", **given(port=port)}))


@cli.command()
def serve(
    database: DatabaseOption = None,
    host: Annotated[str | None, typer.Option(help="Loopback address to serve on.")] = None,
    port: PortOption = None,
) -> None:
    """Serve the dashboard to one user of this machine; the printed link holds the key."""
    from jobs.server import serve as run_server

    update = {"database": database_url(database), "mode": "local", **given(host=host, port=port)}
    run_server(Settings().model_copy(update=update))


def given(**options: Any) -> dict[str, Any]:
    """Only the options that were given."""
    return {name: value for name, value in options.items() if value is not None}


@cli.command()
def load(
    paths: PathsArgument,
    study: StudyOption,
    profile: ProfileOption = None,
    database: DatabaseOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be loaded; write nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Load export files into the database: all of it, or nothing."""
    require_paths(paths)
    from etl import jobs as etl_jobs

    result = etl_jobs.load(
        open_database(database), paths, study, profile=profile, dry_run=dry_run,
        actor=Settings().who_acts(), progress=progress_line(as_json),
    )  # fmt: skip
    report_load(result, as_json)


@cli.command()
def check(
    paths: PathsArgument,
    profile: ProfileOption = None,
    study: Annotated[str, typer.Option("--study", help="Study id to check against.")] = "CHECK",
    as_json: JsonOption = False,
) -> None:
    """Say what a load of these files would do; needs no database and writes nothing."""
    require_paths(paths)
    from etl import jobs as etl_jobs

    result = etl_jobs.load(
        None, paths, study, profile=profile, dry_run=True, progress=progress_line(as_json)
    )
    report_load(result, as_json)


def require_paths(paths: list[Path]) -> None:
    """A path that is not there is said at once, before the libraries of a load are imported."""
    from etl.source_files import require_paths as require

    require(paths)


def report_load(result: Any, as_json: bool) -> None:
    """Print a load's result and end with its exit code."""
    if as_json:
        print_json(result.to_dict())
    else:
        typer.echo(result.summary())
    raise typer.Exit(result.exit_code)


@cli.command()
def fit(
    study: StudyOption,
    spec: Annotated[
        Path | None,
        typer.Option(
            "--spec",
            help="A model specification (YAML or JSON), see docs/reference/specifications.md.",
        ),
    ] = None,
    cut: Annotated[str | None, typer.Option(help="Data cut; the newest when not given.")] = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fit the model that links expansion to response; without --spec the study's default."""
    from jobs.fitting import fit_study, read_fields

    engine = open_database(database)
    result = fit_study(
        engine, study, read_fields(spec) if spec else None, cut=cut, actor=Settings().who_acts()
    )
    if as_json:
        print_json(result.to_dict())
    else:
        from export.fit_text import fit_text

        typer.echo(fit_text(result))


@cli.command()
def export(
    directory: Annotated[Path, typer.Argument(help="Folder to write into.", metavar="DIR")],
    study: StudyOption,
    formats: Annotated[str, typer.Option("--format", help="csv, xlsx, json; comma separated.")] = (
        "csv,xlsx,json"
    ),
    filters: Annotated[
        str, typer.Option("--filter", help="A selection, as in the dashboard's address.")
    ] = "",
    cut: Annotated[str | None, typer.Option(help="Data cut; the newest when not given.")] = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the statistical summary: baseline, kinetics, response by expansion, model table."""
    from jobs.exporting import export_study

    written = export_study(
        open_database(database), study, directory, formats=tuple(formats.split(",")),
        query=filters, cut=cut, actor=Settings().who_acts(), version=VERSION,
    )  # fmt: skip
    if as_json:
        print_json({"files": [str(path) for path in written]})
    else:
        typer.echo("\n".join(str(path) for path in written))


@cli.command()
def bench(
    only: Annotated[
        list[str] | None, typer.Argument(help="Benchmarks to run; all if none.")
    ] = None,
) -> None:
    """Measure side by side with the named peers and write docs/benchmarks.md."""
    from benchmarks import run_benchmarks

    run_benchmarks(only or [], say=say)


@database_verbs.command("upgrade")
def database_upgrade(database: DatabaseOption = None) -> None:
    """Create the database or bring it to this program's revision."""
    from jobs.demo import upgrade_database

    upgrade_database(database_url(database))
    say("The database is at this program's revision.")


@database_verbs.command("check")
def database_check(database: DatabaseOption = None) -> None:
    """Say whether the database is reachable and at this program's revision."""
    open_database(database)
    typer.echo("The database is reachable and at this program's revision.")


@database_verbs.command("backup")
def database_backup(
    file: Annotated[Path, typer.Argument(help="File to write.")], database: DatabaseOption = None
) -> None:
    """Write a consistent copy of the whole database to one file, while others work on."""
    from models.backup import backup

    backup(database_url(database), file)
    typer.echo(str(file))


@database_verbs.command("restore")
def database_restore(
    file: Annotated[Path, typer.Argument(help="A file that `db backup` wrote.")],
    database: DatabaseOption = None,
) -> None:
    """Restore a backup into an empty database; a database with data in it is refused."""
    from models.backup import restore

    restore(database_url(database), file)
    say("Restored.")


@cli.command()
def version() -> None:
    """Print the program's version."""
    typer.echo(VERSION)


def main(*arguments: str) -> None:
    """Entry point: maps every end to its exit code. `arguments` instead of the command line's."""
    keep_to_one_thread()
    try:
        logging.basicConfig(level=Settings().log_level)
        sys.exit(cli(list(arguments) or None, standalone_mode=False))
    except Abort:
        sys.exit(INTERRUPTED)
    except TyperException as error:
        typer.echo(usage_line(error), err=True)
        sys.exit(2)
    except Exception as error:
        typer.echo(f"error: {one_line(error)}", err=True)
        sys.exit(exit_code_of(error))


if __name__ == "__main__":
    main()
