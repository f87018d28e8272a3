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
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeGuard

import typer
from typer.exceptions import Abort, TyperException

from analysis.errors import trail
from settings import VERSION, Settings, keep_to_one_thread

if TYPE_CHECKING:
    from pydantic import ValidationError

EXIT_BUG, INTERRUPTED = 70, 130

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


def say(text: str, *, quiet: bool = False) -> None:
    """Progress for a person: on stderr, so that stdout stays data."""
    if not quiet:
        typer.echo(text, err=True)


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
    from models.engine import check_revision, create_engine_for

    url = database_url(database)
    engine = create_engine_for(url)
    check_revision(engine)
    result = etl_jobs.load(
        engine,
        paths,
        study,
        profile=profile,
        dry_run=dry_run,
        actor=Settings().who_acts(),
        progress=progress_line(as_json),
    )
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


def progress_line(quiet: bool) -> Callable[[float, str], None]:
    """A progress callable (fraction 0 to 1, text) that keeps one line up to date on a terminal."""
    if quiet or not sys.stderr.isatty():
        return lambda fraction, text: None
    return lambda fraction, text: print(
        f"\r\033[K{fraction:4.0%}  {text}", end="" if fraction < 1 else "\r\033[K", file=sys.stderr
    )


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
    from jobs.fitting import fit_study, read_spec
    from models.engine import check_revision, create_engine_for

    engine = create_engine_for(database_url(database))
    check_revision(engine)
    result = fit_study(
        engine, study, read_spec(spec) if spec else None, cut=cut, actor=Settings().who_acts()
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
    from models.engine import check_revision, create_engine_for

    engine = create_engine_for(database_url(database))
    check_revision(engine)
    written = export_study(
        engine,
        study,
        directory,
        formats=tuple(formats.split(",")),
        query=filters,
        cut=cut,
        actor=Settings().who_acts(),
        version=VERSION,
    )
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

    url = database_url(database)
    upgrade_database(url)
    say("The database is at this program's revision.")


@database_verbs.command("check")
def database_check(database: DatabaseOption = None) -> None:
    """Say whether the database is reachable and at this program's revision."""
    from models.engine import check_revision, create_engine_for

    check_revision(create_engine_for(database_url(database)))
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


def usage_line(error: Any) -> str:
    """What of a command line was not understood, in one line; without a verb, the help."""
    said = error.format_message()
    if "\n" in said:
        return str(said)
    verb = error.ctx.command_path if getattr(error, "ctx", None) else "cartograph"
    return f"error: {verb}: {said[:1].lower()}{said[1:].rstrip('.')}; see `{verb} --help`"


def exit_code_of(error: Exception) -> int:
    """The error's own code (2 user, 3 database); settings that do not fit are a user error."""
    return 2 if is_of_settings(error) else int(getattr(error, "exit_code", EXIT_BUG))


def is_of_settings(error: Exception) -> TypeGuard["ValidationError"]:
    """Whether a setting does not fit."""
    from pydantic import ValidationError

    return isinstance(error, ValidationError) and error.title == Settings.__name__


def one_line(error: Exception) -> str:
    """What a person can act on, in one line. Of a bug its kind and place: the message of an error
    that nobody wrote for a person may hold a patient's value."""
    if is_of_settings(error):
        first = error.errors()[0]
        said = str(first["msg"]).removeprefix("Value error, ")
        if not first["loc"]:
            return f"{said}. Correct it or unset it."
        name = "CARTOGRAPH_" + str(first["loc"][0]).upper()
        return f"the setting {name} does not fit: {said}. Correct it or unset it."
    if hasattr(error, "exit_code"):
        return " ".join(str(error).split())
    return f"a bug of this program, {trail(error)}"


if __name__ == "__main__":
    main()
