"""How a verb of the command line ends when it does not succeed: an exit code and one line.

2 user error, 3 database not reachable or not upgraded, 70 bug, 130 interrupted.
"""

from typing import TYPE_CHECKING, Any, TypeGuard

from analysis.errors import trail

if TYPE_CHECKING:
    from pydantic import ValidationError

EXIT_BUG, INTERRUPTED = 70, 130

SETTINGS = "Settings"
"""The class of the settings by its name: packages do not import the settings."""


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

    return isinstance(error, ValidationError) and error.title == SETTINGS


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
