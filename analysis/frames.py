"""Public functions take frames of polars; another kind of frame is refused in one line."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from analysis.errors import UserError

P = ParamSpec("P")
R = TypeVar("R")
CONVERSIONS = {
    "pandas.DataFrame": "convert with polars.from_pandas({name})",
    "pyarrow.Table": "convert with polars.from_arrow({name})",
    "polars.LazyFrame": "call {name}.collect() first",
}


def takes_frames(function: Callable[P, R]) -> Callable[P, R]:
    """The function, which first holds its parameters that are annotated as a `pl.DataFrame` to it.

    The decorated function raises UserError for anything else; None where the annotation has it.
    """
    names = tuple(inspect.signature(function).parameters)
    hints = {
        name: str(hint)
        for name, hint in function.__annotations__.items()
        if name != "return" and "DataFrame" in str(hint)
    }

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        given: dict[str, Any] = {**dict(zip(names, args, strict=False)), **kwargs}
        for name, hint in hints.items():
            if name in given and not (given[name] is None and "None" in hint):
                require_frame(given[name], f"{function.__name__}, {name}", name)
        return function(*args, **kwargs)

    return checked


def require_frame(value: object, where: str, name: str = "frame") -> None:
    """Raises UserError for anything but a polars.DataFrame; says how to make it one."""
    import polars as pl

    if isinstance(value, pl.DataFrame):
        return
    kind = type(value)
    library = kind.__module__.partition(".")[0]
    found = kind.__qualname__ if library == "builtins" else f"{library}.{kind.__qualname__}"
    advice = CONVERSIONS.get(found, "build one with polars.DataFrame(...)").format(name=name)
    raise UserError(f"{where}: expected a polars.DataFrame, got {found}: {advice}")
