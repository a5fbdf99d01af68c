"""Ranges and patterns of a spec's factors become levels before the spec is judged."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from runner.spec.design import OVERRIDABLE, SET
from runner.spec.sections.levels import LevelFiles, LevelRange, is_files, is_range

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from runner.specfile.values import Document


Path_ = tuple[str, ...]
Data = dict[str, Any]
"""A spec as YAML has it, before it is judged: anything may stand anywhere."""


def write_levels(document: Document, data: Data, folder: Path) -> None:
    """Write the levels of ranges and patterns into `data`; faults go to the document."""
    factors = data.get("factors")
    if not isinstance(factors, dict):
        return
    for name, value in factors.items():
        path = ("factors", name)
        try:
            if is_range(value):
                factors[name] = list(LevelRange.model_validate(value).levels())
            elif is_files(value):
                factors[name] = _files(LevelFiles.model_validate(value).glob, folder)
        except ValidationError as wrong:
            for error in wrong.errors():
                document.add(path, error["msg"].removeprefix("Value error, "))
            factors[name] = ["-"]
        except ValueError as wrong:
            document.add((*path, "glob"), str(wrong))
            factors[name] = ["-"]
    _lift(data, factors)


_WORD = re.compile(r"\{([A-Za-z_]\w*)\}")
_TEXTS = frozenset(("env", "headers", SET))
"""Mappings of texts: what stands in braces there is filled in as everywhere."""


def _lift(data: Data, factors: Data) -> None:
    """Let `memory.max: "{size}"` be a number: each level of `size` gives the key its value.

    The base keeps the first level's. Only a key's whole value is lifted; inside a text, and in a
    list, `{size}` is filled in later.
    """
    values = _values(factors)
    for section in OVERRIDABLE:
        for path in list(_places(data.get(section), values)):
            node = data[section]
            for part in path[:-1]:
                node = node[part]
            factor, of_level = values[_WORD.fullmatch(node[path[-1]])[1]]  # type: ignore[index]
            node[path[-1]] = next(iter(of_level.values()))
            if isinstance(factors[factor], list):
                factors[factor] = {str(level): {} for level in factors[factor]}
            for level, value in of_level.items():
                over = factors[factor][level] = dict(factors[factor][level] or {})
                _put(over, (section, *path), value)


def _values(factors: Data) -> dict[str, tuple[str, Data]]:
    """Give for each word its factor, and its value by level."""
    found: dict[str, tuple[str, Data]] = {}
    for name, levels in factors.items():
        if isinstance(levels, list) and levels and not any(isinstance(x, bool) for x in levels):
            found[name] = (name, {str(level): level for level in levels})
        elif isinstance(levels, dict) and all(isinstance(key, str) for key in levels):
            sets = [lv.get(SET) if isinstance(lv, dict) else None for lv in levels.values()]
            told = [words for words in sets if isinstance(words, dict)]
            if not told or len(told) < len(sets):
                continue  # said where the levels are judged, if a word is missing
            for word in set.intersection(*map(set, told)):
                found[word] = (name, {lv: levels[lv][SET][word] for lv in levels})
    return found


def _places(value: object, words: Mapping[str, object], path: Path_ = ()) -> Iterator[Path_]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key in _TEXTS:
                continue
            match = _WORD.fullmatch(item) if isinstance(item, str) else None
            if match is not None and match[1] in words:
                yield (*path, key)
            else:
                yield from _places(item, words, (*path, key))


def _put(over: Data, path: Path_, value: object) -> None:
    """Set a value below a level's own, without touching mappings that levels may share."""
    node = over
    for part in path[:-1]:
        node[part] = dict(node.get(part) or {}) if isinstance(node.get(part) or {}, dict) else {}
        node = node[part]
    node.setdefault(path[-1], value)


def _files(pattern: str, folder: Path) -> list[str]:
    if pattern.startswith(("/", "~")) or ".." in pattern.split("/"):
        raise ValueError(f"`{pattern}` leaves the spec's folder")
    root = folder.resolve()
    try:
        found = [
            path.relative_to(folder).as_posix()
            for path in sorted(folder.glob(pattern))
            if path.is_file() and path.resolve().is_relative_to(root)
        ]
    except (NotImplementedError, OSError) as wrong:
        raise ValueError(f"`{pattern}`: {wrong}") from wrong
    if not found:
        raise ValueError(f"no file beside the spec matches `{pattern}`")
    return found
