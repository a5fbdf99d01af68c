"""When two texts are the same value: the normal form of each kind of kernel file. Pure.

`equal(form, want, have)` decides for both ends of the link. Sources of the
equivalences: lib/vsprintf.c and lib/cmdline.c (integers, memparse),
lib/bitmap-str.c (ranges), mm/page_counter.c (pages), Documentation/filesystems/sysfs.rst
(brackets).
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, FrozenSet, List, Optional, Tuple, Union

PAGE_BYTES = 4096
"""Where the host's page size is not known; a Raspberry Pi 5 has 16384."""

UNLIMITED = "max"
# LONG_MAX rounded down to a page, of any page size up to 64 KiB; and what a
# 32-bit kernel shows, which counts pages in a long (PAGE_COUNTER_MAX).
_LONG_MAX = 2**63 - 1
_LARGEST_PAGE = 65536
_UNLIMITED_32 = (2**31 - 1) * 4096

_SUFFIX = {"": 0, "k": 10, "m": 20, "g": 30, "t": 40, "p": 50, "e": 60}
_NUMBER = re.compile(r"([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)([kmgtpeKMGTPE]?)")
_RANGE = re.compile(r"(\d+)(?:-(\d+)(?::(\d+)/(\d+))?)?")
_BRACKET = re.compile(r"(?:^|\s)\[([^\[\]\s]+)\](?:\s|$)")
_WIDEST_RANGE = 1 << 20  # more bits than any kernel bitmap; a typo must not cost memory


def equal(form: str, want: object, have: object, page: int = PAGE_BYTES) -> bool:
    """Say whether `have` is the value `want`.

    None is absence and equals only itself; an empty text and 0 are values. For
    `set`, `+word` and `-word` in `want` ask for one word and leave the others
    alone. For `file`, keys that `want` leaves out are not compared. ValueError
    for an unknown form.
    """
    if form not in FORMS:
        raise ValueError(f"unknown form {form!r}, not one of {', '.join(sorted(FORMS))}")
    if want is None or have is None:
        return want is None and have is None
    if isinstance(want, dict) or isinstance(have, dict):  # a file, a swap area
        return _same_tree(want, have)
    if form == "page":
        return bool(_pages(str(want), page) == _pages(str(have), page))
    if form == "set":
        return _same_set(str(want), str(have))
    return bool(FORMS[form](str(want)) == FORMS[form](str(have)))


def plain(form: str, value: object) -> object:
    """Give a value as a person would write it: the bracketed word, single blanks.

    This is also what is written back to put a value of this form back.
    """
    if not isinstance(value, str):
        return value
    if form == "bracket":
        return _bracket(value)
    return value if form in ("exact", "file") else " ".join(value.split())


def integer(text: str) -> Optional[int]:
    """Read a number as the kernel does: base by prefix (010 is 8), K/M/G suffix; or None."""
    match = _NUMBER.fullmatch(text.strip())
    if not match:
        return None
    sign, digits, suffix = match.groups()
    if digits[:2] in ("0x", "0X"):
        number = int(digits, 16)
    else:
        number = int(digits, 8 if digits[0] == "0" else 10)
    return (-number if sign == "-" else number) << _SUFFIX[suffix.lower()]


def _integers(text: str) -> List[Union[int, str]]:
    # a word that is not a number stands for itself
    return [word if (n := integer(word)) is None else n for word in text.split()]


def _pages(text: str, page: int) -> object:
    words = text.split()
    if len(words) != 1:
        return words
    number = integer(words[0])
    if words[0] == UNLIMITED or number == -1:
        return UNLIMITED
    if number is None:
        return words
    if number == _UNLIMITED_32 or number >= _LONG_MAX // _LARGEST_PAGE * _LARGEST_PAGE:
        return UNLIMITED
    return number // page * page


def _bracket(text: str) -> str:
    match = _BRACKET.search(text)
    return match.group(1) if match else " ".join(text.split())


def _ranges(text: str) -> object:
    """Give the numbers of a list such as `0,2-3` or `0-31:2/4`; the words where it is none."""
    spans: List[Tuple[int, int]] = []
    for part in "".join(text.split()).split(","):
        if not part:
            continue
        match = _RANGE.fullmatch(part)
        if not match:
            return text.split()
        first, last = int(match.group(1)), int(match.group(2) or match.group(1))
        used, group = (int(match.group(i) or 1) for i in (3, 4))
        if last < first or last - first > _WIDEST_RANGE or not 0 < used <= group:
            return text.split()
        if used == group:
            spans.append((first, last))
        else:
            spans += [(n, min(n + used - 1, last)) for n in range(first, last + 1, group)]
    return _merged(spans)


def _merged(spans: List[Tuple[int, int]]) -> List[Tuple[int, int]]:
    merged: List[Tuple[int, int]] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _same_set(want: str, have: str) -> bool:
    words = want.split()
    if words and all(word[0] in "+-" for word in words):
        there = _set(have)
        return all((word[1:] in there) == (word[0] == "+") for word in words)
    return _set(want) == _set(have)


def _set(text: str) -> FrozenSet[str]:
    return frozenset(text.split())


def _same_tree(want: object, have: object) -> bool:
    """Compare what `want` says of a file; extended attributes by the names it names."""
    if not (isinstance(want, dict) and isinstance(have, dict)):
        return False
    for key, value in want.items():
        if key == "mtime_ns":
            continue
        if key != "xattrs":
            if have.get(key) != value:
                return False
            continue
        there = have.get("xattrs") or {}
        if any(there.get(name) != data for name, data in (value or {}).items()):
            return False
    return True


def _text(text: str) -> str:
    return text


FORMS: Dict[str, Callable[[str], object]] = {
    "exact": _text,
    "words": str.split,
    "integer": _integers,
    "bracket": _bracket,
    "ranges": _ranges,
    "page": _text,  # `equal` passes the page size
    "set": _set,
    "file": _text,
}
"""Normal form by name. `exact` keeps inner blanks; a final newline is never part of a value."""
