"""Refusals, in the shape and the words of the API."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse

__all__ = ["ApiError", "bad", "missing", "missing_file", "refused"]


class ApiError(Exception):
    """The API refuses a request."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str | None = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"message": message, "type": type, "param": param, "code": code}


def bad(message: str, *, param: str | None = None, code: str | None = None) -> ApiError:
    """Say that the request is wrong."""
    return ApiError(400, message, param=param, code=code)


def missing(kind: str, id: str) -> ApiError:
    """Say that there is no such object."""
    return ApiError(404, f"No {kind} found with id '{id}'.")


def missing_file(id: str) -> ApiError:
    """Say that there is no such file."""
    return ApiError(404, f"No such File object: {id}", param="id")


def refused(_: Request, error: Exception) -> JSONResponse:
    """Answer with a refusal."""
    assert isinstance(error, ApiError)
    return JSONResponse({"error": error.error}, error.status)
