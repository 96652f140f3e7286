"""What becomes of a string when a recording is scrubbed."""

from __future__ import annotations

import json
import re
import unicodedata
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import takewhile
from typing import Final, Literal, TypeAlias

__all__ = [
    "Ids",
    "Kind",
    "KnownTexts",
    "Place",
    "Visit",
    "Writer",
    "learning",
    "without_secrets",
]

Kind: TypeAlias = Literal["id", "word", "text", "secret"]
Place: TypeAlias = tuple[object, ...]
# Given what kind of string it is, the place it is appended to, and itself.
Visit: TypeAlias = Callable[[Kind, Place | None, str], str]

_WORD: Final = re.compile(r"[\w.:/+$-]{0,80}", re.ASCII)
_ID: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:run|step|msg|thread|asst|call|vs|resp|req|fc|rs|cntr|cfile|fp)_"
    r"|(?:file|assistant|org|proj)-)(?=[a-z]*[A-Z0-9])[A-Za-z0-9]{12,}"
)
_PREFIX: Final = re.compile(r"[A-Za-z]{2,16}_|(?:file|assistant|chatcmpl|req|org|proj)-")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
# What is kept to tell what it was, and the secret itself.
_SECRETS: Final = tuple(
    re.compile(pattern, re.ASCII | re.IGNORECASE)
    for pattern in (
        r"()((?<![\w.%+-])[\w.%+-]+@[\w-]+(?:\.[\w-]+)+)",
        r"((?<![a-z0-9])bearer\s+)([\w.~+/=-]{6,})",
        r"(authorization\W{1,4}basic\s+)([\w+/=-]{6,})",
        r"((?<![a-z0-9])[spr]k[-_])([\w-]{8,})",
        r"((?<![a-z0-9])eyJ)([\w-]{8,}(?:\.[\w-]*)*)",
        r"((?<![a-z0-9])(?:gh[opusr]_|github_pat_|glpat-|hf_|xox[a-z]-|A[KS]IA|AIza))([\w-]{10,})",
        r"([?&](?:sig|signature|key|api[-_]?key|token|access_token|password)=)([^&\s\"'<>\\]+)",
        r"((?:api[-_]?key|token|password|secret)[\"']?\s*[:=]\s*[\"']?)([\w+/=-]{16,})",
        r"(://[^\s/:@]*:)([^\s/@]+)(?=@)",
    )
)
_JSON: Final = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*"(?=\s*:))|(?P<string>"(?:[^"\\]|\\.)*")'
    r"|true|false|null|NaN|Infinity|(?P<number>\d[\d.eE+-]*)"
)
_ESCAPE: Final = re.compile(r"\\u[0-9a-fA-F]{4}|\\.|[^\\]+", re.DOTALL)


class KnownTexts:
    """All texts of a recording: those sent whole, and those that deltas add up to."""

    def __init__(self) -> None:
        self._pieces: defaultdict[Place, list[str]] = defaultdict(list)
        self._known: set[str] = set()
        self._sorted: list[str] = []
        self.joined: dict[Place, str] = {}

    def add(self, place: Place | None, text: str) -> None:
        """Take a text that was sent whole, or a piece of the one at a place."""
        if place is None:
            self._known.add(text)
        else:
            self._pieces[place].append(text)

    def settle(self, ids: Ids) -> None:
        """Put the pieces together, and learn the ids that only texts speak of."""
        self.joined = {place: "".join(pieces) for place, pieces in self._pieces.items()}
        self._sorted = sorted(self._known.union(self.joined.values()))
        for text in self._sorted:
            for found in _ID.findall(text):
                ids.new(found)

    def longest(self, text: str) -> str:
        """Return the longest text that begins with this one."""
        start = bisect_left(self._sorted, text)
        longer = (self._sorted[at] for at in range(start, len(self._sorted)))
        return max(takewhile(lambda each: each.startswith(text), longer), key=len, default=text)


class Ids:
    """Gives each id another one: of the same prefix and length, numbered as they came."""

    def __init__(self) -> None:
        self._new: dict[str, str] = {}
        self._counts: Counter[str] = Counter()
        self._pattern: re.Pattern[str] | None = None

    def new(self, old: str) -> str:
        """Return the id that stands for this one."""
        if old not in self._new:
            prefix = None if _UUID.fullmatch(old) else _PREFIX.match(old)
            kept = prefix[0] if prefix else ""
            mold = re.sub(r"[^\W_]", "\0", old[len(kept) :])
            number = self._counts[kept + mold]
            self._counts[kept + mold] += 1
            *parts, last = mold.split("\0")
            for part in reversed(parts):
                number, digit = divmod(number, len(_DIGITS))
                last = part + _DIGITS[digit] + last
            self._new[old] = kept + last
            self._pattern = None
        return self._new[old]

    def within(self, text: str) -> str:
        """Replace the ids in a text, but for those that could be words."""
        if self._pattern is None:
            long = [old for old in self._new if len(old) >= 8 and re.search(r"[\d_-]", old)]
            long.sort(key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, long)) or r"(?!)")
        return self._pattern.sub(lambda found: self._new[found[0]], text)


def learning(known: KnownTexts, ids: Ids) -> Visit:
    """Return what takes note of each string, and leaves it as it is."""

    def learn(kind: Kind, place: Place | None, text: str) -> str:
        if kind == "id":
            ids.new(text)
        elif kind == "text":
            known.add(place, _halved(text))
        return text

    return learn


class Writer:
    """Says what is written for each string, in the order in which they were learned."""

    def __init__(self, known: KnownTexts, ids: Ids, *, masks: bool) -> None:
        self._known = known
        self._ids = ids
        self._masks = masks
        self._at: Counter[Place] = Counter()
        self._clean: dict[str, str] = {}

    def write(self, kind: Kind, place: Place | None, text: str) -> str:
        """Return what stands for a string in what is shared."""
        if kind == "id":
            return self._ids.new(text)
        if kind == "secret":
            return _masked(text)
        if kind == "word" and (not self._masks or _WORD.fullmatch(text)):
            # An id without a digit may be a word itself, such as ``web_search``.
            return without_secrets(text, self._ids if re.search(r"\d", text) else Ids())
        halved = _halved(text)
        if place is None or kind == "word":
            return _rejoined(self._cleaned(halved))
        start = self._at[place]
        self._at[place] = end = start + len(halved)
        return _rejoined(self._cleaned(self._known.joined[place])[start:end])

    def _cleaned(self, text: str) -> str:
        # What is the beginning of another text is treated as it is there, so that the
        # two still agree.
        if text not in self._clean:
            longest = self._known.longest(text)
            masked = _masked(longest) if self._masks else longest
            self._clean[text] = without_secrets(masked, self._ids)[: len(text)]
        return self._clean[text]


def without_secrets(text: str, ids: Ids) -> str:
    """Replace ids and mask secrets; the length stays."""
    text = ids.within(text)
    for pattern in _SECRETS:
        text = pattern.sub(lambda found: found[1] + found[2].translate(_MASK), text)
    return text


def _masked(text: str) -> str:
    """Mask a text; one that is JSON stays JSON."""
    if text.lstrip()[:1] in ("{", "[", '"'):
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            pass
        else:
            return _JSON.sub(_masked_token, text)
    return text.translate(_MASK)


def _masked_token(found: re.Match[str]) -> str:
    if found["number"]:
        return re.sub(r"\d", "1", found[0])
    if found["string"]:
        return _ESCAPE.sub(_masked_escape, found[0])
    return found[0]


def _masked_escape(found: re.Match[str]) -> str:
    if found[0].startswith("\\u"):
        return "\\u0078"
    return found[0] if found[0].startswith("\\") else found[0].translate(_MASK)


# The halves of a mathematical x, which masks the characters that have two halves.
_HALVES: Final = "\ud835\udc65"


class _Mask(dict[int, str]):
    """What a character becomes: an x for a letter, a 1 for a digit; halves stay halves."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        category = unicodedata.category(char)
        if category == "Cs":
            masked = _HALVES[char >= "\udc00"]
        else:
            masked = {"L": "x", "M": "x", "N": "1"}.get(category[0], char)
        self[code] = "\U0001d465" if code > 0xFFFF else masked
        return self[code]


_MASK: Final = _Mask()


def _halved(text: str) -> str:
    """Write characters that need two halves as those, as fragments may be cut there."""
    if text.isascii():
        return text
    units = memoryview(text.encode("utf-16-le", "surrogatepass")).cast("H")
    return "".join(map(chr, units))


def _rejoined(text: str) -> str:
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
