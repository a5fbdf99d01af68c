"""Files that a load sends, read beside the spec before it is judged."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runner.specfile.values import Document

LARGEST: Final = 1 << 20
"""Bytes of a body: it is part of the record."""


def read_bodies(document: Document, data: dict[str, Any], folder: Path) -> None:
    """Put the bytes of every `load.body_file` into `data`; faults go to the document."""
    for path, load in _loads(data):
        said = load.get("body_file")
        name = said.get("path") if isinstance(said, dict) else said
        if not isinstance(name, str) or (isinstance(said, dict) and said.get("base64")):
            continue
        try:
            load["body_file"] = {"path": name, "base64": _read(folder, name)}
        except (OSError, ValueError) as wrong:
            why = wrong.strerror if isinstance(wrong, OSError) else str(wrong)
            document.add((*path, "body_file"), f"{name}: {why}")
            del load["body_file"]


def _loads(data: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
    """Give every `load` with its path: the spec's own, and those of levels."""
    found: list[tuple[tuple[str | int, ...], object]] = [((), data)]
    factors = data.get("factors")
    for name, levels in factors.items() if isinstance(factors, dict) else ():
        if isinstance(levels, dict):
            found += [(("factors", name, level), over) for level, over in levels.items()]
    for path, over in found:
        load = over.get("load") if isinstance(over, dict) else None
        if isinstance(load, dict) and "body_file" in load:
            # a mapping may stand in several places by an alias
            over["load"] = load = dict(load)  # type: ignore[index]
            yield (*path, "load"), load


def _read(folder: Path, name: str) -> str:
    root = folder.resolve()
    file = (root / name).resolve()
    if not file.is_relative_to(root):
        raise ValueError("leads out of the spec's folder: keep it beside the spec")
    size = file.stat().st_size
    if size > LARGEST:
        raise ValueError(f"has {size} bytes, and a body at most {LARGEST}")
    return base64.b64encode(file.read_bytes()).decode("ascii")
