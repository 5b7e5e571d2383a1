"""Errors as RFC 9457 describes them, ``application/problem+json``.

Each also has the member ``error`` of Spotify's Web API, so that its clients show the message.

Belongs here: what an error looks like to a client. Does not belong here: when there is one.
"""

import logging
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from spotify_pipeline.catalog.asking import NotAReferenceError
from spotify_pipeline.errors import PipelineError
from spotify_pipeline.recording import RecordingError
from spotify_pipeline.serve.turns import BusyError

__all__ = ["PROBLEM_SCHEMA", "ClientGoneError", "ProblemError", "handle_problems", "problem_of"]

_log = logging.getLogger(__name__)

PROBLEM_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "examples": ["about:blank"]},
        "title": {"type": "string", "examples": ["Unprocessable Content"]},
        "status": {"type": "integer", "examples": [422]},
        "detail": {"type": "string", "examples": ["recording: the file is empty"]},
        "error": {
            "type": "object",
            "properties": {"status": {"type": "integer"}, "message": {"type": "string"}},
        },
    },
}
"""JSON Schema of a problem."""


GONE = 499
"""Status of a request whose client is gone: nobody gets it, but it is counted. As of nginx."""


class ClientGoneError(Exception):
    """Nobody waits for the answer any more."""


class ProblemError(Exception):
    """A request that can't be answered.

    Attributes
    ----------
    status
        Of HTTP.
    detail
        What is wrong, and what to do.
    headers
        Of the response.
    """

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers or {}

    @property
    def content(self) -> dict[str, Any]:
        """The problem as an object of JSON."""
        return {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "error": {"status": self.status, "message": self.detail},
        }

    def response(self) -> JSONResponse:
        """Give the response."""
        return JSONResponse(
            self.content, self.status, dict(self.headers), "application/problem+json"
        )


def problem_of(error: Exception) -> ProblemError:
    """Tell what an error is to a client; one that nobody expected is logged."""
    match error:
        case ProblemError():
            return error
        case BusyError():
            headers = {"Retry-After": str(math.ceil(error.retry_after))}
            return ProblemError(429, "the server is busy: try again later", headers)
        case HTTPException():
            return ProblemError(error.status_code, str(error.detail), error.headers)
        case RequestValidationError():
            return ProblemError(422, "; ".join(map(_invalid, error.errors())))
        case PipelineError():
            is_of_request = isinstance(error, RecordingError | NotAReferenceError)
            return ProblemError(422 if is_of_request else 503, str(error))
    _log.error("a request failed", exc_info=error)
    return ProblemError(500, "the server failed; its log says how")


def handle_problems(application: FastAPI) -> None:
    """Let an application answer errors as problems."""

    async def handle(request: Request, error: Exception) -> JSONResponse:
        return problem_of(error).response()

    async def let_go(request: Request, error: Exception) -> Response:
        return Response(status_code=GONE)

    for gone in (ClientGoneError, ClientDisconnect):
        application.add_exception_handler(gone, let_go)
    for kind in (
        ProblemError,
        BusyError,
        HTTPException,
        RequestValidationError,
        PipelineError,
        Exception,
    ):
        application.add_exception_handler(kind, handle)


def _invalid(error: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in error["loc"][1:])
    return f"{place}: {error['msg']}" if place else str(error["msg"])
