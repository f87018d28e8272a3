"""A specification written and read: plain content, YAML, and the identity of the question."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, TypeVar

from analysis.errors import UserError

if TYPE_CHECKING:
    from analysis.specs import ModelSpec

Spec = TypeVar("Spec", bound="ModelSpec")

LATER_FIELDS = frozenset((
    "exposure", "parameter", "landmark_day", "residual", "covariance", "nested", "crossed",
    "weights", "level", "seed", "association", "baseline",
))  # fmt: skip
"""Fields added after the first release: left out of the identity while at their default, so that
stored fits of older questions are still found."""


def content_of(spec: "ModelSpec") -> dict[str, Any]:
    """Plain JSON types; tuples become lists."""
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in asdict(spec).items()
    }


def read_content(kind: type[Spec], content: Mapping[str, Any]) -> Spec:
    """The specification of this content. Raises UserError for a field that does not exist, a
    missing outcome, or a value of another type."""
    known = [field.name for field in fields(kind)]
    unknown = [str(name) for name in content if name not in known]
    if unknown:
        raise UserError(
            f"specification: unknown field {unknown[0]!r}; the fields are {', '.join(known)}"
        )
    if not content.get("outcome"):
        raise UserError(
            "specification: 'outcome' is missing; give a signal key such as "
            "kinetics:CARTG:qPCR:BLOOD"
        )
    try:
        return kind(**{str(key): value for key, value in content.items()})
    except (TypeError, ValueError, OverflowError) as error:
        raise UserError(f"specification: a field has the wrong type ({error})") from error


def yaml_of(spec: "ModelSpec") -> str:
    """A file a person can read and change; `read_yaml` gives the same content back."""
    import yaml

    content = content_of(spec)
    text = str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
    if yaml.safe_load(text) == content:
        return text
    # A few control characters (NEL among them) survive only when they are escaped.
    return str(yaml.safe_dump(content, sort_keys=False))


def read_yaml(text: str) -> Mapping[str, Any]:
    """Fields of a file. Raises UserError when the text is not YAML or not 'field: value' lines."""
    import yaml

    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        line = str(error).splitlines()[0]
        raise UserError(f"specification: not valid YAML ({line})") from error
    if not isinstance(content, Mapping):
        raise UserError("specification: expected 'field: value' lines, one field per line")
    return content


def identity_of(spec: "ModelSpec") -> str:
    """16 hexadecimal digits of the canonical JSON."""
    default = {item.name: item.default for item in fields(spec)}
    content = {
        name: value
        for name, value in content_of(spec).items()
        if name not in LATER_FIELDS or getattr(spec, name) != default[name]
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
