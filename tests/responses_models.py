"""The models that openai-python has of the Responses API's events, strictly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final, get_args

from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel, ValidationError

from streamkit import Frame

__all__ = ["MODELS", "misfits"]


def members(kind: Any) -> Iterator[type[BaseModel]]:
    """Find the models in a union."""
    if isinstance(kind, type):
        if issubclass(kind, BaseModel):
            yield kind
        return
    for each in get_args(kind):
        yield from members(each)


MODELS: Final = {
    get_args(model.model_fields["type"].annotation)[0]: model
    for model in members(ResponseStreamEvent)
}


def misfits(frame: Frame) -> list[tuple[str, str]]:
    """Say where a frame is none of the API's, and why."""
    name = frame.event
    # The status of a response has this word, and the events that openai knows have not.
    model = Response if name == "response.cancelled" else MODELS[name]
    data = frame.data
    if model is Response:
        data = json.dumps(json.loads(data)["response"]).encode()
    try:
        model.model_validate_json(data, strict=True)
    except ValidationError as error:
        return [(".".join(map(str, each["loc"])), each["type"]) for each in error.errors()]
    return []
