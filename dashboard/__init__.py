"""The dashboard: shows what is in the database; writes nothing but jobs, through callables."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from dash import Dash
from flask import Flask

from dashboard.access.callback_gate import install_callback_gate
from dashboard.access.errors import install_error_pages
from dashboard.access.gate import Gate
from dashboard.access.headers import Headers, inline_script_hashes
from dashboard.access.modes import LOOPBACK_NAMES, check_mode
from dashboard.address import Page
from dashboard.components.url_control import register_url_controls
from dashboard.data import TrialReader
from dashboard.download import install_downloads
from dashboard.pages import PAGES
from dashboard.router import register_router
from dashboard.shell import index_string, shell_layout, skeleton_entry
from dashboard.view import Services

_HERE = Path(__file__).parent


class _CartographDash(Dash):
    """Dash with a skeleton where its own page says `Loading...`."""

    def interpolate_index(self, **parts: Any) -> str:
        parts["app_entry"] = skeleton_entry(parts.get("app_entry", ""))
        return super().interpolate_index(**parts)


def create_app(
    reader: TrialReader,
    *,
    mode: str,
    token: str | None = None,
    submit_job: Callable[[str, str, dict[str, Any]], int],
    read_job: Callable[[int], dict[str, Any] | None],
    cancel_job: Callable[[int], None],
    version: str,
    hosts: Collection[str] = LOOPBACK_NAMES,
    pages: Sequence[Page] = PAGES,
) -> Dash:
    """The web program over one reader.

    `mode` is "demo" (the reader must be `synthetic_only`) or "local" (needs `token`, long and
    random). `submit_job(kind, studyid, payload)` returns a job's id; `read_job` its row as a dict
    or None; `hosts` are the names that the server answers to, as they stand in an address.

    Raises UserError for a mode that cannot be served, ValueError for a demo over real studies.
    """
    opened = check_mode(mode, token)
    if opened == "demo" and not reader.synthetic_only:
        raise ValueError("demo mode needs a reader that is synthetic_only")
    services = Services(reader, submit_job, read_job, cancel_job, opened, version)
    server = Flask("cartograph", static_folder=None)
    app = _dash_on(server)
    app.layout = shell_layout(opened)
    register_router(app, services, pages)
    register_url_controls(app)
    for page in pages:
        page.register(app, services)
    install_downloads(server, services, pages)
    install_callback_gate(app)
    install_error_pages(server)
    Gate(opened, token, frozenset(hosts)).install(server)
    with server.test_request_context("/"):
        app._setup_server()  # else the first requests of several threads race for it
        page = app.index()
    Headers(inline_script_hashes(page)).install(server)
    return app


def _dash_on(server: Flask) -> Dash:
    """Dash without its page folder, its tools for developers, and anything of other servers."""
    return _CartographDash(
        name="cartograph",
        server=server,
        assets_folder=str(_HERE / "assets"),
        assets_ignore=r".*\.svg$",
        pages_folder="",
        use_pages=False,
        index_string=index_string(),
        title="Cartograph",
        update_title=None,
        serve_locally=True,
        suppress_callback_exceptions=True,
        enable_mcp=False,
        add_log_handler=False,
        meta_tags=[
            {"name": "viewport", "content": "width=device-width, initial-scale=1"},
            {"name": "robots", "content": "noindex, nofollow"},
        ],
    )
