"""The settings, from the fields of `settings.Settings`."""

from typing import Any, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from docs.generate.markdown import code, page, table
from settings import Settings

OPENING = """\
Each knob of the program, once. A value comes from the command line, else from the environment,
else from the default below. There is no configuration file. `cartograph` reads the environment
when it starts; a value that does not fit ends it with exit code 2."""


def settings_page() -> str:
    prefix = Settings.model_config["env_prefix"]
    rows = [
        (code(f"{prefix}{name}".upper()), *words(field))
        for name, field in Settings.model_fields.items()
    ]
    return page(
        "Settings", OPENING, table(("environment", "type", "default", "allowed", "meaning"), rows)
    )


def words(field: FieldInfo) -> tuple[str, str, str, str]:
    """Type, default, what is allowed, meaning."""
    return type_name(field), default(field), bounds(field), field.description or ""


def type_name(field: FieldInfo) -> str:
    """The type without None; a secret is text that is never printed."""
    kinds = [
        kind for kind in get_args(field.annotation) or (field.annotation,) if kind is not type(None)
    ]
    names = {SecretStr: "text (secret)", str: "text", int: "whole number", float: "number"}
    return " or ".join(names.get(kind, kind.__name__.lower()) for kind in kinds)


def default(field: FieldInfo) -> str:
    return "" if field.default in (None, "") else code(field.default)


def bounds(field: FieldInfo) -> str:
    """What the value must hold, from the constraints of the field."""
    limits: dict[str, Any] = {
        name: getattr(one, name)
        for one in field.metadata
        for name in ("ge", "gt", "le", "lt", "pattern")
        if getattr(one, name, None) is not None
    }
    signs = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    words = [f"{signs[name]} {value}" for name, value in limits.items() if name in signs]
    if "pattern" in limits:
        words.append(code(limits["pattern"]))
    return ", ".join(words)
