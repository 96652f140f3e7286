"""Dialects: what the frames of a protocol mean."""

from .bodies import Read, is_whole
from .frames import decode
from .reading import EventReader

__all__ = ["EventReader", "Read", "decode", "is_whole"]
