"""The three ways to open the door, and what each asks for."""

import hashlib
import hmac
import ipaddress
import secrets
from typing import Literal

from analysis.errors import UserError

Mode = Literal["demo", "local"]

MODES: dict[str, str] = {
    "demo": "no login, this computer only, synthetic studies only",
    "local": "one user, this computer only, the link that `cartograph serve` prints",
    "server": "accounts and roles; not in this version",
}

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")


def new_token() -> str:
    """A token of 256 random bits for the link of local mode."""
    return secrets.token_urlsafe(32)


def session_value(token: str) -> str:
    """What the session cookie holds: derived from the token, so that every worker knows it and
    the cookie does not give the link away."""
    return hmac.new(token.encode(), b"cartograph session", hashlib.sha256).hexdigest()


def check_mode(mode: str, token: str | None) -> Mode:
    """The mode as one that can be served.

    Raises UserError for server mode (it needs accounts, which this version does not have), for an
    unknown mode, and for local mode without a token of 128 bits or more.
    """
    if mode == "server":
        raise UserError(
            "mode 'server' is not available: it needs accounts and roles, which this version "
            "does not have; use 'local' (this computer only) or 'demo' (synthetic data only)"
        )
    if mode == "local":
        if token is None or len(token) < 22:
            raise UserError(
                "mode 'local' needs a random token of at least 22 characters; "
                "make one with dashboard.access.modes.new_token()"
            )
        return "local"
    if mode == "demo":
        return "demo"
    raise UserError(f"unknown mode {mode!r}; expected one of: {', '.join(MODES)}")


def check_bind(host: str) -> str:
    """The address to listen on, which must be this computer's own (loopback).

    Raises UserError for any other address: without accounts, everybody who can reach the port
    could read patient data.
    """
    name = host.strip("[]")
    try:
        loopback = ipaddress.ip_address(name).is_loopback
    except ValueError:
        loopback = name == "localhost"
    if not loopback:
        raise UserError(
            f"refused to listen on {host}: expected a loopback address (127.0.0.1); without "
            "accounts anyone on the network could read the data. Use an SSH tunnel instead"
        )
    return name
