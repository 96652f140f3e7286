"""Cutting a byte stream at its blank lines."""

from __future__ import annotations

import re
from typing import Final

from .errors import LimitError

__all__ = ["BOM", "LINE_END", "Blocks", "too_long"]

_LF: Final = ord("\n")
_CR: Final = ord("\r")

BOM: Final = b"\xef\xbb\xbf"

# A line ends in CRLF, LF or CR; the atomic groups keep a CRLF from counting as two.
LINE_END: Final = re.compile(rb"(?>\r\n|\n|\r)")
_BLANK_LINE: Final = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")


class Blocks:
    """Cuts a byte stream at its blank lines, in time linear in its length.

    A block is what stands between two blank lines: the lines of one frame, not yet
    looked at (further blank lines may stand before them). Wherever the chunks are cut,
    the same stream gives the same blocks, but for those blank lines.

    Attributes:
        offset: Where the next byte stands in the stream. Whoever sees, while cutting is
            `quiet`, that a chunk is just one block may count it here instead.
        lf_only: Whether all lines of the blocks last returned end in LF.
        quiet: Whether the next chunk begins a block: nothing unfinished is held.
        too_long: The offset of a block longer than the limit. Nothing is cut after it;
            it is to be raised once the blocks before it are used.
    """

    __slots__ = (
        "_after_cr",
        "_carry",
        "_carry_has_cr",
        "_carry_start",
        "_chunk",
        "_first_start",
        "_head",
        "_joined",
        "_limit",
        "lf_only",
        "offset",
        "quiet",
        "too_long",
    )

    def __init__(
        self, max_frame_bytes: int, offset: int = 0, *, may_have_bom: bool = True
    ) -> None:
        self._limit = max_frame_bytes
        # The first bytes, while they may be a byte-order mark.
        self._head: bytes | None = b"" if may_have_bom else None
        self._carry = bytearray()  # the block that is not finished yet
        self._carry_start = offset
        self._carry_has_cr = False
        self._after_cr = False  # an LF that comes now belongs to the CR before it
        self._chunk = b""  # what was cut last,
        self._first_start: int | None = None  # where its first block began, if before it,
        self._joined = False  # and whether its first line end ended that block
        self.offset: int = offset
        self.lf_only: bool = True
        self.quiet: bool = False
        self.too_long: int | None = None

    def cut(self, chunk: bytes) -> list[bytes]:
        """Return the blocks that this chunk completes."""
        if self._carry and _LF not in chunk and self._is_plain(chunk):
            self.offset += len(chunk)
            self._carry += chunk
            return []
        self.quiet = False
        if self._head is not None:
            chunk = self._without_bom(chunk)
        if self._after_cr and chunk:
            chunk = self._without_line_feed(chunk)
        if not chunk or self.too_long is not None:
            return []
        self._chunk = chunk
        self._first_start = None
        self._joined = False
        self.offset += len(chunk)
        size = len(chunk) + len(self._carry)
        has_cr = _CR in chunk  # a number is found in a ninth of the time that bytes take
        if has_cr:
            self._after_cr = chunk.endswith(b"\r")
        if self._carry:
            blocks = self._join(chunk, has_cr=has_cr)
        else:
            self.lf_only = not has_cr
            self.quiet = not has_cr
            blocks = _split(chunk, has_cr=has_cr)
        self._keep(blocks.pop(), has_cr=has_cr)
        if self._carry:
            self.quiet = False
        if size > self._limit:
            return self._within_limit(blocks)
        return blocks

    def ahead(self, chunk: bytes) -> bytes:
        """Return the unfinished block and the chunk that goes on with it, not cut yet.

        Nothing, where `cut` is to look with more care: not all lines end in LF, or there
        may be too much.
        """
        if self._carry_has_cr or not self._is_plain(chunk):
            return b""
        return bytes(self._carry) + chunk

    def skip(self, chunk: bytes, tail: bytes) -> None:
        """Take note that of what was `ahead` all blocks were read, and what is left."""
        self.offset += len(chunk)
        self._carry[:] = tail
        self._carry_start = self.offset - len(tail)
        self.quiet = not tail

    def _is_plain(self, chunk: bytes) -> bool:
        """Whether a chunk goes on with nothing to be careful about but its line feeds."""
        return (
            _CR not in chunk
            and self._head is None
            and not self._after_cr
            and self.too_long is None
            and len(self._carry) + len(chunk) <= self._limit
        )

    def finish(self) -> bytes:
        """Return the bytes of the unfinished block, and forget them."""
        tail = (self._head or b"") + bytes(self._carry)
        self._head = None
        self._carry.clear()
        return tail

    @property
    def unfinished_start(self) -> int:
        """The offset in the stream of the unfinished block."""
        return self._carry_start

    def start_of(self, position: int) -> int:
        """Return the offset in the stream of a block that `cut` has just returned."""
        if position == 0 and self._first_start is not None:
            return self._first_start
        start = self._end_of(position)
        while self._chunk[start : start + 1] in (b"\r", b"\n"):  # blank lines before it
            start += 1
        return self.offset - len(self._chunk) + start

    def after(self, position: int, *, is_last: bool) -> bytes:
        """Return what was last cut after a block, and forget that there was more."""
        if is_last and self.too_long is None:
            rest = bytes(self._carry)
        else:
            rest = self._chunk[self._end_of(position + 1) :]
        self._carry.clear()
        return rest

    def _end_of(self, count: int) -> int:
        """Return where the chunk's first blocks end, blank line included."""
        end = 0
        if self._joined and count:
            count -= 1
            end = _end_of(LINE_END, self._chunk, end)
        for _ in range(count):
            end = _end_of(_BLANK_LINE, self._chunk, end)
        return end

    def _without_bom(self, chunk: bytes) -> bytes:
        head = (self._head or b"") + chunk
        if len(head) < len(BOM) and BOM.startswith(head):
            self._head = head
            return b""
        self._head = None
        if head.startswith(BOM):
            self.offset += len(BOM)
            self._carry_start = self.offset
            return head[len(BOM) :]
        return head

    def _without_line_feed(self, chunk: bytes) -> bytes:
        self._after_cr = False
        if not chunk.startswith(b"\n"):
            return chunk
        self.offset += 1
        if self._carry:
            self._carry += b"\n"
        return chunk[1:]

    def _join(self, chunk: bytes, *, has_cr: bool) -> list[bytes]:
        """Cut a chunk that goes on with an unfinished block."""
        self._first_start = self._carry_start
        self.lf_only = not (has_cr or self._carry_has_cr)
        ended = _line_end_length(self._carry)
        if ended and (line_end := LINE_END.match(chunk)):
            self._joined = True
            first = bytes(self._carry[:-ended])
            self._carry.clear()
            return [first, *_split(chunk[line_end.end() :], has_cr=has_cr)]
        blocks = _split(chunk, has_cr=has_cr)
        if len(blocks) > 1:
            blocks[0] = bytes(self._carry) + blocks[0]
            self._carry.clear()
        return blocks

    def _keep(self, tail: bytes, *, has_cr: bool) -> None:
        if self._carry:
            self._carry += tail
            self._carry_has_cr |= has_cr
            return
        tail = tail.lstrip(b"\r\n")
        self._carry_start = self.offset - len(tail)
        if tail:
            self._carry += tail
            self._carry_has_cr = has_cr

    def _within_limit(self, blocks: list[bytes]) -> list[bytes]:
        for position, block in enumerate(blocks):
            if len(block.lstrip(b"\r\n")) > self._limit:
                self.too_long = self.start_of(position)
                return blocks[:position]
        if len(self._carry) - _line_end_length(self._carry) > self._limit:
            self.too_long = self._carry_start
            self._carry.clear()
        return blocks


def _split(data: bytes, *, has_cr: bool) -> list[bytes]:
    return _BLANK_LINE.split(data) if has_cr else data.split(b"\n\n")


def _line_end_length(data: bytearray) -> int:
    if data.endswith(b"\r\n"):
        return 2
    return 1 if data.endswith((b"\n", b"\r")) else 0


def _end_of(pattern: re.Pattern[bytes], data: bytes, start: int) -> int:
    found = pattern.search(data, start)
    return found.end() if found else len(data)


def too_long(offset: int, limit: int) -> LimitError:
    """Say that the frame which begins at `offset` is longer than the limit."""
    return LimitError(
        f"the frame at byte {offset} is longer than {limit:,} bytes; a larger limit can "
        "be set (max_frame_bytes, Limits.frame_bytes)"
    )
