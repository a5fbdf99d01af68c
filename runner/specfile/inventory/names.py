"""Names of hosts: ranges, ports, and patterns that choose among them.

Source: Ansible, parsing/utils/addresses.py, plugins/inventory/__init__.py
(expand_hostname_range) and inventory/manager.py (patterns of --limit).
"""

from __future__ import annotations

import re
import string
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from runner.errors import SpecError
from runner.spec.base import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

MAX_RANGE = 10_000
LOCAL = ("local", "localhost")

_BRACKETED = re.compile(r"\[(.+)\]:([0-9]+)")
_PORT = re.compile(r"((?:[^:\[\]]|\[[^\]]*\])*):([0-9]+)")
_SUBSCRIPT = re.compile(r"(.+)\[(?:(-?[0-9]+)|([0-9]+)([:-])([0-9]*))\]")
_PARTS = re.compile(r"(?:[^\s:\[\]]|\[[^\]]*\])+")
_ADDRESS = re.compile(r"[0-9a-fA-F]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*")


def split_port(host: str) -> tuple[str, int | None]:
    """Part `pi5:2222` and `[fe80::1]:22`; a bare IPv6 address has no port."""
    match = _BRACKETED.fullmatch(host) or _PORT.fullmatch(host)
    if match is None or not match[1]:
        return host, None
    return match[1], int(match[2][:9])


def expand_range(name: str) -> list[str]:
    """Write out `pi[01:04]` and `rack-[a:c]`; ValueError where the range is not one."""
    if "[" not in name:
        return [name]
    head, _, rest = name.partition("[")
    inside, closed, tail = rest.partition("]")
    bounds = inside.split(":")
    if not closed or len(bounds) not in (2, 3):
        raise ValueError(f"`[{inside}{closed}` is not a range: write [1:4] or [a:c]")
    found: list[str] = []
    for item in _items(inside, bounds):
        found += expand_range(f"{head}{item}{tail}")
        if len(found) > MAX_RANGE:
            raise ValueError(f"`{name}` has more than {MAX_RANGE} hosts")
    return found


def _items(inside: str, bounds: list[str]) -> Iterable[str]:
    low, high = bounds[0] or "0", bounds[1]
    step = bounds[2] if len(bounds) == 3 else "1"
    letters = string.ascii_letters
    if not high or not step.isascii() or not step.isdecimal() or int(step[:9]) < 1:
        raise ValueError(f"`[{inside}]` is not a range: write [1:4] or [a:c]")
    if low in letters and high in letters and len(low) == len(high) == 1:
        if letters.index(low) > letters.index(high):
            raise ValueError(f"`[{inside}]` is empty: it begins behind its end")
        return letters[letters.index(low) : letters.index(high) + 1 : int(step[:9])]
    if not (low.isascii() and low.isdecimal() and high.isascii() and high.isdecimal()):
        raise ValueError(f"`[{inside}]` is not a range: write [1:4] or [a:c]")
    width = len(low) if low[0] == "0" and len(low) > 1 else 0
    if width and len(high) != width:
        raise ValueError(f"`[{inside}]`: with leading zeros both ends have as many digits")
    numbers = range(int(low[:18]), int(high[:18]) + 1, int(step[:9]))
    if len(numbers) > MAX_RANGE:
        raise ValueError(f"`[{inside}]` has more than {MAX_RANGE} hosts")
    return (str(number).zfill(width) for number in numbers)


def is_pattern(text: str) -> bool:
    """Whether a text chooses among hosts, where a name would name one."""
    return text.startswith(("~", "!", "&", "@")) or any(sign in text for sign in ",*?[") or (
        ":" in text and not _ADDRESS.fullmatch(text) and split_port(text)[1] is None
    )  # fmt: skip


def choose(
    pattern: str, hosts: Sequence[str], groups: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """Give the hosts of a pattern: unions, then `&` intersections, then `!` exclusions.

    SpecError where a part of it matches nothing that is there.
    """
    parts = _split(pattern)
    plain = [part for part in parts if part[0] not in "&!"] or ["all"]
    chosen = [host for part in plain for host in _one(part, hosts, groups)]
    for part in parts:
        if part[0] == "&":
            inside = set(_one(part[1:], hosts, groups))
            chosen = [host for host in chosen if host in inside]
    for part in parts:
        if part[0] == "!":
            outside = set(_one(part[1:], hosts, groups))
            chosen = [host for host in chosen if host not in outside]
    return tuple(dict.fromkeys(chosen))


def _split(pattern: str) -> list[str]:
    if "," in pattern:
        parts = pattern.split(",")
    elif _ADDRESS.fullmatch(pattern) or split_port(pattern)[1] is not None:
        parts = [pattern]
    else:
        parts = _PARTS.findall(pattern)
    found = [part.strip() for part in parts if part.strip(" \t&!")]
    if not found:
        raise SpecError(f"the pattern `{pattern}` names no host", fix="name a host or a group")
    return found


def _one(part: str, hosts: Sequence[str], groups: Mapping[str, tuple[str, ...]]) -> list[str]:
    expression, picked = _subscript(part)
    fits = _fits(expression)
    named = [name for name in groups if fits(name)]
    found = [host for name in named for host in groups[name]]
    if not named or expression[0] == "~" or any(sign in expression for sign in ".?*["):
        found += [host for host in hosts if fits(host)]
    found = list(dict.fromkeys(found))
    if not found and not named:
        if part in LOCAL:
            return [part]
        hint = did_you_mean(part, [*hosts, *groups])
        raise SpecError(
            f"no host and no group of the inventory matches `{part}`{hint}",
            fix="`runner hosts` lists what is there",
        )
    if picked is None:
        return found
    if picked.step:
        return found[picked.start : picked.stop]
    try:
        return [found[picked.start]]
    except IndexError:
        raise SpecError(
            f"`{part}`: `{expression}` has {len(found)} hosts", fix="the first one is [0]"
        ) from None


def _subscript(part: str) -> tuple[str, slice | None]:
    """Part `lab[0]` and `lab[1:3]`, of which both ends count; step 1 marks a range."""
    if part[0] == "~":
        return part, None
    match = _SUBSCRIPT.fullmatch(part)
    if match is None:
        return part, None
    if match[2]:
        return match[1], slice(int(match[2][:9]), None)
    end = int(match[5][:9]) + 1 if match[5] else None
    return match[1], slice(int(match[3][:9]), end, 1)


def _fits(expression: str) -> Callable[[str], bool]:
    if expression[0] != "~":
        return lambda name: fnmatchcase(name, expression)
    from runner.records.patterns import PatternError, matches

    begin = f"\\A(?:{expression[1:]})"
    try:
        matches(begin, "")
    except PatternError as wrong:
        raise SpecError(f"the pattern `{expression}`: {wrong}", fix="pi* needs no ~") from None
    return lambda name: matches(begin, name)
