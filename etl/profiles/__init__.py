"""Profiles: saved mappings from an export layout to the incoming tables (docs/profiles.md)."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from analysis.errors import UserError
from etl.contracts import CONTRACTS
from etl.profiles.schema import NOTHING, Part, Profile, Table

SHIPPED = ("car22", "sdtm", "synthetic")
FOLDER = Path(__file__).parent
LIMIT_BYTE = 2_000_000
WORDS_WITH_VALUES = "words with a value each (`name: abc01`)"
SHAPES = {
    "model_type": WORDS_WITH_VALUES,
    "dict_type": WORDS_WITH_VALUES,
    "tuple_type": "a list (lines that begin with `- `)",
    "string_type": "a text",
}
"""What pydantic expected, by its type of error."""


@dataclass(frozen=True)
class SavedProfile:
    """A profile with its text as delivered and the hash that identifies it in loads."""

    profile: Profile
    text: str
    hash: str


class _TextLoader(yaml.BaseLoader):
    """YAML with every scalar as text, no aliases, and no key given twice."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not read in profiles")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = sorted({str(key) for key in keys if keys.count(key) > 1})
        if twice:
            line = node.start_mark.line + 1
            raise yaml.YAMLError(f"{twice[0]!r} is given twice in the block at line {line}")
        return super().construct_mapping(node, deep)


def load_profile(name_or_path: str) -> SavedProfile:
    """The shipped profile of that name, or the profile in that YAML file.

    Raises:
        UserError: No such profile, not YAML, or a word the profile language does not have.
    """
    path = FOLDER / f"{name_or_path}.yaml"
    if name_or_path not in SHIPPED or not path.is_file():
        path = Path(name_or_path)
    try:
        if path.stat().st_size > LIMIT_BYTE:
            raise UserError(f"profile {name_or_path!r} is larger than {LIMIT_BYTE} bytes")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        shipped = ", ".join(SHIPPED)
        raise UserError(
            f"profile {name_or_path!r} {_why(error)}; give a YAML file or one of: {shipped}"
        ) from error
    return parse_profile(text, name_or_path)


def _why(error: OSError | UnicodeDecodeError) -> str:
    if isinstance(error, FileNotFoundError):
        return "is neither shipped nor a file"
    if isinstance(error, UnicodeDecodeError):
        return "is not UTF-8 text"
    return f"cannot be read ({error.strerror})"


def parse_profile(text: str, name: str) -> SavedProfile:
    """The profile written in `text`; `name` is used in messages only.

    Raises:
        UserError: Not YAML, an unknown word, an unknown incoming table or field.
    """
    try:
        tree = yaml.load(text, Loader=_TextLoader)  # noqa: S506 builds text, lists and dicts only
    except yaml.YAMLError as error:
        line = " ".join(str(error).split())
        raise UserError(f"profile {name!r} is not valid YAML: {line}") from error
    try:
        profile = Profile.model_validate(tree)
    except ValidationError as error:
        errors = error.errors()
        unknown = [one for one in errors if one["type"] == "extra_forbidden"]
        first = (unknown or errors)[0]
        inner = ".".join(str(part) for part in first["loc"])
        place = f"profile {name!r}" + f", {inner}" * bool(inner)
        raise UserError(f"{place}: {_wrong(first)}; see docs/profiles.md") from error
    for table in profile.tables:
        _require_known_fields(profile, table)
    return SavedProfile(profile, text, hashlib.sha256(text.encode()).hexdigest())


def _wrong(one: ErrorDetails) -> str:
    """What is wrong at one place of a profile, in words of YAML."""
    if one["type"] == "extra_forbidden":
        return _unknown_word(one["loc"])
    expected = SHAPES.get(one["type"])
    return f"expected {expected}, found {_shape(one['input'])}" if expected else one["msg"]


def _shape(given: object) -> str:
    if isinstance(given, dict | list):
        return "words with a value each" if isinstance(given, dict) else "a list"
    return "a text" if given else "nothing"


def _unknown_word(place: Sequence[int | str]) -> str:
    """That a word of the profile does not exist, with the nearest and all that do at its place."""
    known, word = _words_at(place), str(place[-1])
    near = get_close_matches(word, known, n=1)
    meant = f"did you mean {near[0]!r}? " if near else ""
    return f"there is no word {word!r} here; {meant}the words are {', '.join(known)}"


def _words_at(place: Sequence[int | str]) -> list[str]:
    """The words of the part of the profile in which a place lies: ("tables", 0, "wide", 0, "x")."""
    part: type[Part] = Profile
    for step in place[:-1]:
        for field, info in part.model_fields.items():
            if step == (info.alias or field):
                part = _part_of(info.annotation) or part
    return [info.alias or field for field, info in part.model_fields.items()]


def _part_of(annotation: Any) -> type[Part] | None:
    """The kind of part that a field holds, itself or in a list or dictionary."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    found = (_part_of(one) for one in get_args(annotation))
    return next((one for one in found if one is not None), None)


def _require_known_fields(profile: Profile, table: Table) -> None:
    contract = CONTRACTS.get(table.contract)
    if contract is None:
        known = ", ".join(CONTRACTS)
        raise UserError(
            f"profile {profile.name!r}: no incoming table {table.contract!r}; known: {known}"
        )
    used = {*table.columns, *table.constants, *table.maps}
    for wide in table.wide:
        used |= {wide.into, *wide.beside, *wide.constants} - {NOTHING}
    unknown = sorted(used - set(contract.field_names) - _captures(table))
    if unknown:
        raise UserError(
            f"profile {profile.name!r}, table {table.title!r}: {table.contract} has no field "
            f"{unknown[0]!r}; its fields: {', '.join(contract.field_names)}"
        )


def _captures(table: Table) -> set[str]:
    """Names of captures: they may be used in constants and maps without being fields."""
    from etl.profiles.headers import CAPTURE

    texts = [text for wide in table.wide for text in wide.header]
    return {match.group(1) for text in texts for match in CAPTURE.finditer(text) if match.group(1)}
