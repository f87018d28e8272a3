"""The three ways to open the door, and what each asks for."""

import hashlib
import hmac
from typing import Literal

from analysis.errors import UserError

Mode = Literal["demo", "local"]

MODES: dict[str, str] = {
    "demo": "no login, this computer only, synthetic studies only",
    "local": "one user, this computer only, the link that `cartograph serve` prints",
    "server": "accounts and roles; not in this version",
}

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
"""The names of this computer in an address."""


def session_value(token: str) -> str:
    """What the session cookie holds: derived from the token, so that every worker knows it and
    the cookie does not give the link away."""
    return hmac.new(token.encode(), b"cartograph session", hashlib.sha256).hexdigest()


def check_mode(mode: str, token: str | None) -> Mode:
    """The mode as one that can be served.

    Raises UserError for server mode (it needs accounts, which this version does not have), for an
    unknown mode, and for local mode without a token (jobs.server says how long one must be).
    """
    if mode == "server":
        raise UserError(
            "mode 'server' is not available: it needs accounts and roles, which this version "
            "does not have; use 'local' (this computer only) or 'demo' (synthetic data only)"
        )
    if mode == "local":
        if not token:
            raise UserError(
                "mode 'local' needs the token of its link; start it by `cartograph serve`, which "
                "makes one, or set CARTOGRAPH_TOKEN"
            )
        return "local"
    if mode == "demo":
        return "demo"
    raise UserError(f"unknown mode {mode!r}; expected one of: {', '.join(MODES)}")
