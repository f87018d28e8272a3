"""The rule before every request: the right host, the same origin, the session."""

import hmac
import html
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Flask, Response, redirect, request

from dashboard.access.modes import Mode, session_value

COOKIE_PREFIX = "cartograph_session"
MAX_BODY_BYTE = 1_000_000
_SAFE_METHODS = frozenset({"GET", "HEAD"})
_ALLOWED_METHODS = frozenset({"GET", "HEAD", "POST"})


@dataclass(frozen=True)
class Gate:
    """Who may pass. `hosts` are the names this server answers to (against DNS rebinding)."""

    mode: Mode
    token: str | None
    hosts: Collection[str]

    def install(self, server: Flask) -> None:
        """Put the gate before every other rule of the server."""
        server.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTE
        server.before_request_funcs.setdefault(None, []).insert(0, self.check)

    def check(self) -> Response | None:
        """None lets the request pass; an answer ends it."""
        if request.method not in _ALLOWED_METHODS:
            return refuse(405, "This address answers to GET and POST only.")
        if _host_name(request.host) not in self.hosts:
            return refuse(421, "This server does not answer to that host name.")
        if request.method not in _SAFE_METHODS:
            if not same_origin():
                return refuse(403, "The request came from another site.")
            if not request.is_json:
                return refuse(415, "Expected a JSON body.")
        if self.mode == "demo":
            return None
        return self._check_session()

    def _check_session(self) -> Response | None:
        assert self.token is not None
        cookie = cookie_name(request.host)
        expected = session_value(self.token)
        if hmac.compare_digest(request.cookies.get(cookie, "").encode(), expected.encode()):
            return self._without_token() if "token" in request.args else None
        offered = request.args.get("token", "")
        if request.method == "GET" and hmac.compare_digest(offered.encode(), self.token.encode()):
            answer = self._without_token()
            answer.set_cookie(cookie, expected, httponly=True, samesite="Strict", path="/")
            return answer
        return refuse(401, "Open the link that `cartograph serve` printed in the terminal.")

    def _without_token(self) -> Response:
        """The same address without the token, so that it stays out of history and screenshots."""
        rest = [(name, v) for name, v in request.args.items(multi=True) if name != "token"]
        path = "/" + request.path.lstrip("/\\")
        target = f"{path}?{urlencode(rest)}" if rest else path
        return _plain(redirect(target, code=303))


def cookie_name(host: str) -> str:
    """Cookies are shared by all ports of a host: each server has its own by the port."""
    port = urlsplit(f"//{host}").port if host else None
    return f"{COOKIE_PREFIX}_{port or 80}"


def same_origin() -> bool:
    """True when the request was not made by another site's page.

    `Sec-Fetch-Site` decides where the browser sends it, else `Origin`. A request with neither was
    not made by a browser's page, so it carries nobody else's session.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    parts = urlsplit(origin)
    return parts.scheme in {"http", "https"} and parts.netloc == request.host


def refuse(status: int, reason: str) -> Response:
    """A short page without data: what happened and what to do. `reason` is text, never markup: it
    may repeat what an address asked for."""
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Cartograph</title>'
        '<meta name="viewport" content="width=device-width">'
        "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:20vh auto;"
        "padding:0 24px;color-scheme:light dark}</style>"
        f"<h1>Not open</h1><p>{html.escape(reason)}</p></html>"
    )
    return Response(page, status=status, mimetype="text/html")


def _host_name(host: str) -> str:
    """The name of `name:port`; brackets of an IPv6 address stay."""
    try:
        parts = urlsplit(f"//{host}")
        name = parts.hostname or ""
    except ValueError:
        return ""
    return f"[{name}]" if ":" in name else name


def _plain(response: Any) -> Response:
    assert isinstance(response, Response)
    return response
