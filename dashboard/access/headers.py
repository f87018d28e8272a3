"""What every answer carries: a strict content policy and nothing that leaks."""

import base64
import hashlib
import re
from collections.abc import Sequence
from time import perf_counter

from flask import Flask, Response, g, request

_INLINE_SCRIPT = re.compile(r"<script(?P<attributes>[^>]*)>(?P<code>.*?)</script>", re.DOTALL)
_DATA_BLOCK = 'type="application/json"'

_FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "X-Robots-Tag": "noindex, nofollow",
}
_LONG_LIVED = ("/_dash-component-suites/", "/assets/")


class Headers:
    """Adds the headers after every request. `script_hashes` are those of the inline scripts of
    the one page (`inline_script_hashes`), known before the first request: nothing that an answer
    holds can add to them."""

    def __init__(self, script_hashes: Sequence[str]) -> None:
        self._policy = content_policy(script_hashes)

    def install(self, server: Flask) -> None:
        """Measure and complete every answer of the server."""
        server.before_request_funcs.setdefault(None, []).insert(0, _start_clock)
        server.after_request(self.complete)

    def complete(self, response: Response) -> Response:
        """The answer with its headers."""
        response.headers["Content-Security-Policy"] = self._policy
        for name, value in _FIXED.items():
            response.headers[name] = value
        if not request.path.startswith(_LONG_LIVED) or response.status_code >= 400:
            response.headers["Cache-Control"] = "no-store"
        if (started := g.get("request_started")) is not None:
            spent = (perf_counter() - started) * 1000
            response.headers["Server-Timing"] = f"app;dur={spent:.1f}"
        return response


def content_policy(script_hashes: Sequence[str]) -> str:
    """The content security policy: this server only, scripts by file or by hash.

    Styles may be inline: Mantine, Plotly and AG Grid write style attributes. A style cannot send
    data anywhere, because every fetch is held to this server.
    """
    scripts = " ".join(("'self'", *script_hashes))
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {scripts}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "object-src 'none'",
        )
    )


def inline_script_hashes(page: str) -> tuple[str, ...]:
    """CSP source expressions of the scripts written into a page; data blocks do not run."""
    codes = [
        match["code"]
        for match in _INLINE_SCRIPT.finditer(page)
        if " src=" not in match["attributes"] and _DATA_BLOCK not in match["attributes"]
    ]
    digests = (hashlib.sha256(code.encode()).digest() for code in codes if code)
    return tuple(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)


def _start_clock() -> None:
    g.request_started = perf_counter()
