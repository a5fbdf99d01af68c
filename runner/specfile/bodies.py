"""Files that a load sends, read beside the spec before it is judged."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runner.specfile.values import Document

LARGEST: Final = 1 << 20
"""Bytes of a file: it is part of the record."""


def read_bodies(document: Document, data: dict[str, Any], folder: Path) -> None:
    """Put every `load.body_file` and file of arrivals into `data`; faults go to the document."""
    for path, load in _loads(data, "body_file"):
        said = load.get("body_file")
        name = said.get("path") if isinstance(said, dict) else said
        if not isinstance(name, str) or (isinstance(said, dict) and said.get("base64")):
            continue
        try:
            load["body_file"] = {"path": name, "base64": _read(folder, name, "a body")}
        except (OSError, ValueError) as wrong:
            why = wrong.strerror if isinstance(wrong, OSError) else str(wrong)
            document.add((*path, "body_file"), f"{name}: {why}")
            del load["body_file"]
    for path, step in _steps(data):
        said = step["arrivals"]
        name = said.get("file") if isinstance(said, dict) else said
        if not isinstance(name, str) or (isinstance(said, dict) and said.get("times")):
            continue
        try:
            times = (
                base64.b64decode(_read(folder, name, "a list of arrivals"))
                .decode("utf-8")
                .strip()
                .splitlines()
            )
            step["arrivals"] = {"file": name, "times": "\n".join(line.strip() for line in times)}
        except (OSError, ValueError) as wrong:
            why = wrong.strerror if isinstance(wrong, OSError) else str(wrong)
            document.add((*path, "arrivals"), f"{name}: {why}")
            del step["arrivals"]


def _steps(data: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
    """Give every step with arrivals from a file, with its path."""
    for path, load in _loads(data, "steps"):
        steps = load["steps"]
        if not isinstance(steps, list):
            continue
        load["steps"] = steps = [dict(one) if isinstance(one, dict) else one for one in steps]
        for index, step in enumerate(steps):
            if isinstance(step, dict) and "arrivals" in step:
                yield (*path, "steps", index), step


def _loads(
    data: dict[str, Any], key: str
) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
    """Give every `load` that has this key, with its path: the spec's own, and those of levels."""
    found: list[tuple[tuple[str | int, ...], object]] = [((), data)]
    factors = data.get("factors")
    for name, levels in factors.items() if isinstance(factors, dict) else ():
        if isinstance(levels, dict):
            found += [(("factors", name, level), over) for level, over in levels.items()]
    for path, over in found:
        load = over.get("load") if isinstance(over, dict) else None
        if isinstance(load, dict) and key in load:
            # a mapping may stand in several places by an alias
            over["load"] = load = dict(load)  # type: ignore[index]
            yield (*path, "load"), load


def _read(folder: Path, name: str, what: str) -> str:
    root = folder.resolve()
    file = (root / name).resolve()
    if not file.is_relative_to(root):
        raise ValueError("leads out of the spec's folder: keep it beside the spec")
    size = file.stat().st_size
    if size > LARGEST:
        raise ValueError(f"has {size} bytes, and {what} at most {LARGEST}")
    return base64.b64encode(file.read_bytes()).decode("ascii")
