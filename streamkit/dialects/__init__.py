"""Dialects: what the frames of a protocol mean."""

from .assistants import decode
from .reading import EventReader

__all__ = ["EventReader", "decode"]
