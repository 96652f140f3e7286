"""Small pictures, for images whose content nobody gave."""

from __future__ import annotations

import struct
import zlib

__all__ = ["picture"]

_SIDE = 64  # pixels
_PIXEL = 8  # of the pattern, in pixels of the picture


def picture(name: str) -> bytes:
    """Draw a PNG of 64 x 64 pixels: a pattern and a colour that go by the name."""
    seed = zlib.crc32(name.encode())
    colours = bytes([255, 255, 255, *(64 + (seed >> shift & 127) for shift in (0, 8, 16))])
    across = _SIDE // _PIXEL
    rows = b""
    for y in range(across):
        # Each half mirrors the other, which is what tells such patterns apart.
        row = [seed >> (y * 4 + min(x, across - 1 - x)) % 32 & 1 for x in range(across)]
        rows += (b"\0" + b"".join(bytes([bit]) * _PIXEL for bit in row)) * _PIXEL
    header = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 3, 0, 0, 0)
    chunks = {b"IHDR": header, b"PLTE": colours, b"IDAT": zlib.compress(rows), b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks.items()
    )
