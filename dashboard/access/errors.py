"""Errors that reach a person carry no stack and no value; the log carries no value either."""

import logging
import secrets

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from analysis.errors import trail
from dashboard.access.gate import refuse

logger = logging.getLogger("cartograph.dashboard")

_WORDS = {
    400: "The request could not be read.",
    404: "There is nothing at this address.",
    413: "The request is too large.",
}


def log_failure(error: BaseException, where: str) -> str:
    """Write where an error happened, without its message (it may hold a patient's value), and
    return the short code that the page shows for it."""
    code = secrets.token_hex(4)
    logger.error("%s failed [%s] %s", where, code, trail(error))
    return code


def install_error_pages(server: Flask) -> None:
    """One plain page for every error of the server."""

    @server.errorhandler(HTTPException)
    def _known(error: HTTPException) -> Response:
        status = error.code or 500
        return refuse(status, _WORDS.get(status, error.name))

    @server.errorhandler(Exception)
    def _unknown(error: Exception) -> Response:
        code = log_failure(error, "request")
        return refuse(500, f"Something went wrong here. The log has the place: code {code}.")
