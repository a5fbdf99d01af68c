"""Regular expressions of users: one dialect on controller and host, in bounded time.

The dialect is what RE2 and Python's `re` both read and mean the same by (`^` and `$`
at every line, classes of ASCII). RE2 (github.com/google/re2/wiki/Syntax) matches in
time linear in the text, on the controller; a host has only `re`, within a deadline.
"""

from __future__ import annotations

import re
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_PATTERN = 1000
MAX_MATCHES = 200_000
"""Of one pattern in one text; more are not looked at."""

_OPEN_BOUND = re.compile(r"(?<!\\)\{,\d+\}")
_LOOK = re.compile(r"\(\?<?[=!]")
_BACK = re.compile(r"\\[1-9]|\(\?P=")
_REPEATS = re.compile(r"\{(\d+)")


class PatternError(ValueError):
    """The text is not a regular expression of the dialect; the message says what to write."""


class Match(Protocol):
    """As much of a match as is used; group 0 is all of it."""

    def __getitem__(self, group: int) -> str | None: ...


class Pattern(Protocol):
    """As much of a compiled expression as is used."""

    @property
    def groups(self) -> int:
        """How many groups it has."""

    def search(self, text: str) -> Match | None:
        """Give the first match."""

    def finditer(self, text: str) -> Iterator[Match]:
        """Give every match."""


class TooManyMatchesError(ValueError):
    """The pattern matches so often that the last match is not looked for."""


@lru_cache(maxsize=64)
def compiled(text: str) -> Pattern:
    """Compile an expression; PatternError where it is not one of the dialect."""
    if len(text) > MAX_PATTERN:
        raise PatternError(f"has {len(text)} characters; a pattern has at most {MAX_PATTERN}")
    try:
        with warnings.catch_warnings():
            # `[[:alpha:]]` is a class to one of the two only
            warnings.simplefilter("error")
            re.compile(text, re.MULTILINE | re.ASCII)
    except (re.error, RecursionError, OverflowError) as wrong:
        raise PatternError(f"`{text}` is not a regular expression: {wrong}{_hint(text)}") from None
    except Warning as wrong:
        raise PatternError(
            f"`{text}` is read in two ways ({wrong}): write `\\[` for the sign, "
            "[A-Za-z] for a class"
        ) from None
    if _OPEN_BOUND.search(text):
        raise PatternError(f"`{text}` is read in two ways: write {{0,n}} instead of {{,n}}")
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        pattern: Pattern = re2.compile(f"(?m){text}", options)
    except (re2.error, UnicodeEncodeError) as wrong:
        cause = wrong.args[0] if wrong.args else wrong
        why = cause.decode(errors="replace") if isinstance(cause, bytes) else str(cause)
        raise PatternError(
            f"`{text}` is not a regular expression of RE2: {why}{_hint(text)}"
        ) from None
    return pattern


def _hint(text: str) -> str:
    if _LOOK.search(text):
        return "; lookaround is not there: match what stands around too, and put ( ) round the part"
    if _BACK.search(text):
        return "; back-references are not there: write the text again"
    if any(int(number) > 1000 for number in _REPEATS.findall(text)):
        return "; a repeat counts to 1000 at most"
    if "++" in text or "*+" in text or "(?>" in text:
        return "; possessive repeats are not there, and not needed: time is linear"
    return ""


def last_match(text: str, content: str) -> tuple[str, str] | None:
    """Give (all of the last match, its group 1 or all of it); None where nothing matches.

    Raises TooManyMatchesError above MAX_MATCHES.
    """
    pattern = compiled(text)
    last: Match | None = None
    for count, match in enumerate(pattern.finditer(_plain(content)), 1):
        if count > MAX_MATCHES:
            raise TooManyMatchesError(f"{text} matches more than {MAX_MATCHES} times")
        last = match
    if last is None:
        return None
    return last[0] or "", last[1 if pattern.groups else 0] or ""


def every_match(text: str, content: str) -> Iterator[tuple[str, ...]]:
    """Give group 0 and all others of every match, in order.

    Raises TooManyMatchesError above MAX_MATCHES.
    """
    pattern = compiled(text)
    for count, match in enumerate(pattern.finditer(_plain(content)), 1):
        if count > MAX_MATCHES:
            raise TooManyMatchesError(f"{text} matches more than {MAX_MATCHES} times")
        yield tuple(match[group] or "" for group in range(pattern.groups + 1))


def matches(text: str, content: str) -> bool:
    """Whether an expression matches anywhere."""
    return compiled(text).search(_plain(content)) is not None


def _plain(content: str) -> str:
    """Replace lone surrogates, which RE2 cannot be given."""
    return content.encode("utf-8", "replace").decode()
