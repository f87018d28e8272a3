"""Programs over the small invented trial; no database, no port."""

import pytest
from dash import Dash
from flask.testing import FlaskClient

from tests.dashboard.app_fixture import demo_app, local_app

TOKEN = "t0ken-of-the-tests-0123456789abcdef"


@pytest.fixture(scope="session")
def demo() -> Dash:
    """Demo mode: open on this computer, synthetic studies only."""
    return demo_app()


@pytest.fixture(scope="session")
def local() -> Dash:
    """Local mode: closed without the session."""
    return local_app(TOKEN)


@pytest.fixture
def demo_client(demo: Dash) -> FlaskClient:
    return demo.server.test_client()


@pytest.fixture
def local_client(local: Dash) -> FlaskClient:
    return local.server.test_client()
