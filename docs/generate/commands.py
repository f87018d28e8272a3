"""The command line, from its own definitions."""

from typing import Any

import typer

from cli import cli
from docs.generate.markdown import code, page, summary, table

EXIT_CODES = (
    (0, "done"),
    (1, "done, with refused rows"),
    (2, "an error of the user's, in one line: what, where, expected, what to do"),
    (3, "the database is not reachable or not upgraded"),
    (70, "a bug"),
)


def commands_page() -> str:
    """One section per command, in the order of `--help`."""
    root = typer.main.get_command(cli)
    return page(
        "Commands",
        str(root.help),
        "Exit codes:",
        table(("code", "meaning"), EXIT_CODES),
        *(section(command, path) for command, path in leaves(root, "cartograph")),
    )


def leaves(command: Any, path: str) -> list[tuple[Any, str]]:
    """Every command that does something, with what one types to call it."""
    if not hasattr(command, "commands"):
        return [(command, path)]
    return [
        leaf for name, one in command.commands.items() for leaf in leaves(one, f"{path} {name}")
    ]


def section(command: Any, path: str) -> str:
    parameters = [one for one in command.params if not is_help(one)]
    arguments = [one for one in parameters if one.param_type_name == "argument"]
    words = (word(one) if one.required else f"[{word(one)}]" for one in arguments)
    usage = " ".join([path, *words])
    if len(arguments) < len(parameters):
        usage += " [OPTIONS]"
    rows = [(code(spelled(one)), default_of(one), help_of(one)) for one in parameters]
    parts = (
        f"## {path}",
        summary(command.callback),
        f"```\n{usage}\n```",
        table(("option", "default", "meaning"), rows),
    )
    return "\n\n".join(part for part in parts if part)


def is_help(parameter: Any) -> bool:
    return "--help" in parameter.opts


def word(parameter: Any) -> str:
    """What stands for the value: PATH..., DIR, URL, else the name in upper case."""
    return str(parameter.metavar or parameter.name.upper())


def spelled(parameter: Any) -> str:
    """The parameter as one types it."""
    if parameter.param_type_name == "argument":
        return word(parameter)
    name = ", ".join(parameter.opts)
    return name if parameter.is_flag else f"{name} {word(parameter)}"


def default_of(parameter: Any) -> str:
    if parameter.required:
        return "required"
    value = parameter.default
    return "" if value in (None, False, "", ()) else code(value)


def help_of(parameter: Any) -> str:
    return str(getattr(parameter, "help", "") or "")
