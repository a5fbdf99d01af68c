"""Faults of a file, all of them, each with its place, its line and a caret."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WIDTH = 160
MAX_FAULTS = 100
"""So many are told of one file; more of them say no more."""
_MAX_MESSAGE = 400
_MAX_VALUE = 80


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that is wrong; line and column count from 1."""

    line: int
    column: int
    message: str
    length: int = 1
    """Characters to underline."""


class SpecFaults(SpecError):  # noqa: N818 - it is a list of them
    """Every fault of a file; `message` is ready to print, `faults` is for programs."""

    def __init__(self, name: str, faults: Sequence[Fault], text: str = "") -> None:
        unique = sorted(dict.fromkeys(faults))
        super().__init__(render(name, unique, text))
        self.name = name
        self.faults = tuple(unique)


def render(name: str, faults: Iterable[Fault], text: str) -> str:
    """Write faults as `file:line:col: message`, the source line and a caret below it."""
    # as YAML counts lines: no form feed or other separator that str.splitlines knows
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    found = list(faults)
    parts = [_one(name, fault, lines) for fault in found]
    if len(found) >= MAX_FAULTS:
        parts.append(f"{name}: {MAX_FAULTS} faults and more: only these are told")
    elif len(found) > 1:
        parts.append(f"{name}: {len(found)} faults")
    return "\n".join(parts)


def _one(name: str, fault: Fault, lines: Sequence[str]) -> str:
    message = shortened(fault.message, _MAX_MESSAGE)
    head = f"{name}:{fault.line}:{fault.column}: {message}"
    if not 1 <= fault.line <= len(lines) or not lines[fault.line - 1].strip():
        return head
    source = lines[fault.line - 1]
    at = fault.column - 1
    if len(source) > WIDTH:
        start = max(0, min(at - WIDTH // 2, len(source) - WIDTH))
        source, at = source[start : start + WIDTH], at - start
    before = "".join(_blank(character) for character in source[:at])
    shown = "".join("�" if _control(character) else character for character in source)
    marked = source[at : at + fault.length] or " "
    caret = "^" + "~" * max(0, sum(_width(c) for c in marked) - 1)
    number = f"{fault.line:>5} | "
    return f"{head}\n{number}{shown}\n{' ' * (len(number) - 2)}| {before}{caret}"


def shortened(text: str, longest: int = _MAX_VALUE) -> str:
    """Give a text for a message: its begin and its end where it is longer than that."""
    half = longest // 2
    return text if len(text) <= longest else f"{text[:half]} … {text[-half:]}"


def _control(character: str) -> bool:
    return character != "\t" and unicodedata.category(character) == "Cc"


def _width(character: str) -> int:
    """Columns that a terminal gives a character: two for Chinese, none for combining marks."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def _blank(character: str) -> str:
    return "\t" if character == "\t" else " " * _width(character)
