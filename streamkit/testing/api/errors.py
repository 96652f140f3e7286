"""Refusals, in the shape and the words of the API."""

from __future__ import annotations

__all__ = ["ApiError", "bad", "failed", "missing", "missing_file", "required", "unknown_url"]


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
        self.status: int = status
        self.error: dict[str, str | None] = {
            "message": message,
            "type": type,
            "param": param,
            "code": code,
        }


def bad(message: str, *, param: str | None = None, code: str | None = None) -> ApiError:
    """Say that the request is wrong."""
    return ApiError(400, message, param=param, code=code)


def required(name: str) -> ApiError:
    """Say that the request lacks a parameter."""
    code = "missing_required_parameter"
    return bad(f"Missing required parameter: '{name}'.", param=name, code=code)


def missing(kind: str, id: str) -> ApiError:
    """Say that there is no such object."""
    return ApiError(404, f"No {kind} found with id '{id}'.")


def missing_file(id: str) -> ApiError:
    """Say that there is no such file."""
    return ApiError(404, f"No such File object: {id}", param="id")


def unknown_url(method: str, path: str, *, is_known: bool = False) -> ApiError:
    """Say that there is no such endpoint, or none for this method."""
    return ApiError(405 if is_known else 404, f"Invalid URL ({method} {path})")


def failed(message: str) -> ApiError:
    """Say that what is served does not give what is asked for."""
    return ApiError(500, message, type="server_error")
