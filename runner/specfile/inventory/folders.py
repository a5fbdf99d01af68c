"""group_vars/ and host_vars/ beside an inventory, as ansible's host_group_vars reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.specfile.encoding import read_file
from runner.specfile.errors import SpecFaults
from runner.specfile.inventory.own import variables
from runner.specfile.secrets import revealer
from runner.specfile.values import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from runner.specfile.inventory.written import Vars

_SUFFIXES = ("", ".yml", ".yaml", ".json")
_MAX_FILES = 1000
_MAX_DEPTH = 20
_MAX_NAME = 240
"""Bytes: a file's name has at most 255."""


class Folders:
    """The two folders; each file is read once."""

    def __init__(self, folder: Path, allowed: Sequence[Path] | None = None) -> None:
        """Look for them; secrets in them are read from `allowed`, None for anywhere."""
        self.folder = folder
        self.allowed = allowed
        self.there = any((folder / part).is_dir() for part in ("group_vars", "host_vars"))
        self._files = 0

    def of_group(self, name: str) -> Vars:
        """Give the variables of group_vars/NAME."""
        return self._variables("group_vars", name)

    def of_host(self, name: str) -> Vars:
        """Give the variables of host_vars/NAME."""
        return self._variables("host_vars", name)

    def _variables(self, part: str, name: str) -> Vars:
        found: Vars = {}
        if (
            not self.there
            or not name.isprintable()
            or "/" in name
            or len(name.encode()) > _MAX_NAME
        ):
            return found
        for file in _files(self.folder / part, name):
            self._files += 1
            if self._files > _MAX_FILES:
                break
            document = read(
                str(file), read_file(file), revealer(file.parent, allowed=self.allowed),
                what="a file of variables", optional=True, tags=("!unsafe",),
            )  # fmt: skip
            if document.faults:
                raise SpecFaults(str(file), document.faults, document.text)
            found.update(variables(document, document.data, ()))
        return found


def _names_a_file(name: str) -> bool:
    return name.isprintable() and "/" not in name and len(name.encode()) <= _MAX_NAME


def _files(folder: Path, name: str) -> Iterator[Path]:
    """Give the first of NAME, NAME.yml, NAME.yaml and NAME.json; of a folder all below it."""
    for suffix in _SUFFIXES:
        path = folder / f"{name}{suffix}"
        if path.is_dir():
            yield from _below(path, _MAX_DEPTH)
            return
        if path.is_file():
            yield path
            return


def _below(folder: Path, depth: int) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name.endswith("~"):
            continue
        if path.is_dir() and not path.suffix and depth:
            yield from _below(path, depth - 1)
        elif path.is_file() and path.suffix in _SUFFIXES:
            yield path
