"""Dialects: what the frames of a protocol mean."""

from .frames import decode
from .reading import EventReader, Read, is_whole

__all__ = ["EventReader", "Read", "decode", "is_whole"]
