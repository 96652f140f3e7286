"""Series of deltas: texts grow, in the shortest way that is right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from .._series import CODE, FUNCTION, LOGS, TEXT, Series
from .picture import Picture
from .responses import ResponsePicture

__all__ = ["grow"]


def grow(picture: ResponsePicture, series: Series) -> None:
    """Take a series: all that its deltas add, in turn."""
    _TAKES.get(series.kind, _item)(picture, series)


def _call(picture: Picture, series: Series) -> None:
    """Add to the texts of calls."""
    id, kind, texts = series.id, series.kind, series.texts
    index = series.numbers[0]
    if type(index) is int:
        call = picture.growing_call(id, index, kind)
        if call is not None and (call.add(texts[0]) if len(texts) == 1 else call.add_all(texts)):
            return
    for at, text in series.rows():
        call = picture.growing_call(id, at, kind)
        if call is None or not call.add(text):
            picture.step_delta(series.event(at, text))


def _log(picture: Picture, series: Series) -> None:
    """Add to the outputs of calls."""
    id, (index, place) = series.id, series.numbers
    if type(index) is int and type(place) is int:
        rows: Iterable[Any] = [(index, place, text) for text in series.texts]
    else:
        rows = series.rows()
    for at, output, text in rows:
        call = picture.growing_call(id, at, CODE)
        if call is None or not call.log(output, text):
            picture.step_delta(series.event(at, output, text))


def _text(picture: Picture, series: Series) -> None:
    """Add to the parts of a message."""
    (index,) = series.numbers
    if type(index) is int:
        message = picture.growing_message(series.id)
        if message is not None and message.add_all(index, series.texts):
            return
    for at, text in series.rows():
        message = picture.growing_message(series.id)
        if message is None or not message.add_all(at, (text,)):
            picture.message_delta(series.event(at, text))


def _item(picture: ResponsePicture, series: Series) -> None:
    """Add to a text of an item of the Responses API."""
    if picture.fragments(series):
        return
    for row in series.rows():
        picture.fragment(series.event(*row))


_TAKES: Final[Mapping[str, Callable[[ResponsePicture, Series], None]]] = {
    CODE: _call,
    FUNCTION: _call,
    LOGS: _log,
    TEXT: _text,
}
