"""The documentation says what the code does: generated pages, links, commands, no foreign names."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
import typer

from docs.generate import FOLDER, GENERATED
from tests.project_files import CHECKOUT, project_files, python_files, text_files, text_of

MARKDOWN = tuple(name for name in project_files() if name.suffix == ".md")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
COMMAND = re.compile(r"cartograph ((?:db )?[a-z]+)([^`\n]*)")
OPTION = re.compile(r"(?<![\w-])--[a-z-]+")

MEASURED_PAGE = Path("docs/benchmarks.md")


# What is written from the code


@pytest.mark.parametrize("name", GENERATED)
def test_generated_pages_are_up_to_date(name: str) -> None:
    path = FOLDER / name
    assert path.is_file(), f"docs/reference/{name} is missing: run `make docs`"
    assert path.read_text(encoding="utf-8") == GENERATED[name](), (
        f"docs/reference/{name} does not say what the code does: run `make docs`"
    )


def test_no_page_of_the_reference_is_left_over() -> None:
    assert {path.name for path in FOLDER.glob("*.md")} == set(GENERATED)


def test_every_column_of_every_table_is_in_the_data_dictionary() -> None:
    from models.tables import TABLES

    text = GENERATED["data-dictionary.md"]()
    missing = [
        f"{table.name}.{column.name}"
        for table in TABLES.values()
        for column in table.columns
        if f"| `{column.name}` |" not in text
    ]
    assert missing == []
    assert [name for name in TABLES if f"\n### {name}\n" not in text] == []


def test_every_table_says_what_one_row_is() -> None:
    from models.tables import MODELS

    silent = [m.__name__ for m in MODELS if "row per" not in " ".join((m.__doc__ or "").split())]
    assert silent == []


def test_every_setting_and_every_option_has_a_line_of_help() -> None:
    from cli import cli
    from docs.generate.commands import leaves
    from settings import Settings

    unsaid = [name for name, field in Settings.model_fields.items() if not field.description]
    commands = leaves(typer.main.get_command(cli), "cartograph")
    unsaid += [
        path for path, command in [(p, c) for c, p in commands] if not command.callback.__doc__
    ]
    unsaid += [
        f"{path} {one.name}" for command, path in commands for one in command.params if not one.help
    ]
    assert unsaid == []


def test_every_method_stands_with_its_call() -> None:
    text = GENERATED["methods.md"]()
    assert "| `fit_cox(frame, formula, time, event, *, entry=None, subject=None, " in text
    assert "| `kaplan_meier(frame, time, event, group=None, *, entry=None, level=0.95, " in text


def test_the_python_of_the_readme_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import polars as pl

    people = [(f"P{n:02}", n % 2, 40 + n) for n in range(20)]
    uptake = [
        (name, day, responder, 3.0 * 1.05**day * (1 + responder) * (1 + n % 5 / 9 + day % 3 / 20))
        for n, (name, responder, _) in enumerate(people)
        for day in (7, 14, 21, 28)
    ]
    frame = pl.DataFrame(uptake, schema=["usubjid", "day", "responder", "suv"], orient="row")
    frame.write_csv(tmp_path / "uptake.csv")
    follow_up = [(30 + 37 * n % 200 + 90 * r, int(n % 4 > 0), "NR"[r], age)
                 for n, (_, r, age) in enumerate(people)]  # fmt: skip
    columns = ["day", "event", "group", "age_year"]
    pl.DataFrame(follow_up, schema=columns, orient="row").write_csv(tmp_path / "survival.csv")
    (block,) = re.findall(r"^```python\n(.*?)^```", text_of(Path("README.md")), re.M | re.S)
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "README.md", "exec"), {})
    said = capsys.readouterr().out
    assert "Not estimable" not in said
    assert re.search(r"group.*R", said), said
    assert "patients had the event" in said


# Links


@pytest.mark.parametrize("name", MARKDOWN, ids=str)
def test_relative_links_lead_somewhere(name: Path) -> None:
    broken = []
    for target in LINK.findall(text_of(name)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        file = (CHECKOUT / name.parent / path) if path else CHECKOUT / name
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


def anchors(file: Path) -> set[str]:
    """The anchors of a page's headings, as the usual renderers make them."""
    words = (heading.strip().lower() for heading in HEADING.findall(file.read_text("utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in words}


# Commands


def test_commands_named_in_the_pages_exist() -> None:
    """Every `cartograph verb --option` that a page shows is one that the program has."""
    from cli import cli
    from docs.generate.commands import leaves

    known = {
        path.removeprefix("cartograph "): {option for one in command.params for option in one.opts}
        for command, path in leaves(typer.main.get_command(cli), "cartograph")
    }
    wrong = []
    for name in MARKDOWN:
        for verb, rest in COMMAND.findall(code_of(text_of(name))):
            options = set(OPTION.findall(rest.partition("#")[0])) - {"--help"}
            if verb not in known or not options <= known[verb]:
                wrong.append(f"{name}: cartograph {verb}{rest}")
    assert wrong == []


def code_of(text: str) -> str:
    """The code blocks and code spans of a page."""
    blocks = re.findall(r"^```\w*\n(.*?)^```|^((?: {4}.*\n)+)", text, re.MULTILINE | re.DOTALL)
    spans = re.findall(r"`(cartograph [^`\n]+)`", text)
    return "\n".join([*(part for block in blocks for part in block), *spans])


def test_make_targets_named_in_the_pages_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of(Path("Makefile")), re.MULTILINE))
    named = {
        (str(name), target)
        for name in MARKDOWN
        for target in re.findall(r"`make ([a-z-]+)", text_of(name))
    }
    assert {(page, target) for page, target in named if target not in targets} == set()


def test_every_make_target_is_explained_and_phony() -> None:
    makefile = text_of(Path("Makefile"))
    phony = set(re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[0].split())
    targets = set(re.findall(r"^([a-z-]+):(?!=)", makefile, re.MULTILINE))
    explained = set(re.findall(r"^([a-z-]+):.*##", makefile, re.MULTILINE))
    assert targets == phony == explained


# What no file may hold


FOREIGN = {
    "a machine path": r"(?<![\w.])/(w[o]rk|root|home/\w+|tmp/\w+|opt|Users)/",
    "an option that names a package index": r"--(extra-)?index-url|--find-links[ =]|_registry=",
    "an address of the build": r"(file|http)s?://[^\s\"')]*/simple/",
}  # fmt: skip


@pytest.mark.parametrize("what", FOREIGN)
def test_no_file_names(what: str) -> None:
    pattern = re.compile(FOREIGN[what])
    here = Path("tests/test_docs.py")
    found = [
        f"{name}:{number}: {line.strip()[:120]}"
        for name in text_files()
        if name != here
        for number, line in enumerate(text_of(name).splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


def test_the_shared_folder_is_named_in_tests_and_benchmarks_only() -> None:
    """The program stands without it; tests find it beside the checkout and skip without it."""
    outside = [
        str(name)
        for name in text_files()
        if name.parts[0] not in ("tests", "benchmarks")
        if "../shared" in text_of(name)
    ]
    assert outside == []


def test_no_code_reads_a_path_outside_the_checkout() -> None:
    program = (
        *python_files("analysis", "dashboard", "etl", "export", "figures", "jobs", "models"),
    )
    offenders = [str(name) for name in program if re.search(r"parents?\[[3-9]\]", text_of(name))]
    assert offenders == []


# The benchmarks page is measured, not generated: it must say where and when


def test_the_benchmarks_page_says_where_when_and_with_what() -> None:
    text = text_of(MEASURED_PAGE)
    sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    assert sections
    for section in sections:
        title = section.splitlines()[0]
        assert re.search(r"Measured \d{4}-\d\d-\d\d on .* cores.*, Python 3\.11\.\d+", section), (
            title
        )


# What a profile may say


def test_every_accepted_unit_and_tracer_is_on_its_page_and_the_pages_are_linked() -> None:
    from analysis.compute.units import ALIASES, CANONICAL, FAMILIES
    from analysis.tracers import TRACERS
    from etl.contracts.units import KEPT

    units, tracers = (GENERATED[name]() for name in ("units.md", "tracers.md"))
    accepted = {unit for family in FAMILIES.values() for unit in family} | KEPT | set(CANONICAL)
    accepted |= {text for text, unit in ALIASES.items() if text.lower() != unit.lower()}
    assert sorted(unit for unit in accepted if f"`{unit}`" not in units) == []
    assert sorted(name for name in TRACERS if f"`{name}`" not in tracers) == []
    for page, start in (("README.md", "docs/reference/"), ("docs/profiles.md", "reference/")):
        text = (CHECKOUT / page).read_text(encoding="utf-8")
        assert f"({start}units.md)" in text
        assert f"({start}tracers.md)" in text
