"""Which kinds there are: the files of five folders here, and entry points of outside packages.

A package beside runner adds kinds by `[project.entry-points."runner.generators"]` and the
like: a name, and the module that holds what a file of ours holds. Entry points are read
only where a name is not one of ours, for that takes longer than all else at start-up.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from runner.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.metadata import EntryPoint
    from types import ModuleType

FOLDERS: Final = {
    "resources": "runner.kinds.resources",
    "sources": "runner.kinds.sources",
    "generators": "runner.kinds.generators",
    "lint": "runner.lint.rules",
    "figures": "runner.report.figure_kinds",
}
"""Where the files of each group are: one kind, one file, found by its name."""
_NO_KINDS: Final = frozenset({"interface", "order", "histogram", "merge", "request"})
_HERE: Final = Path(__file__).parents[1]


class Outside(NamedTuple):
    """A kind that a package installed beside runner brings."""

    group: str
    name: str
    package: str
    version: str


@cache
def ours(group: str) -> tuple[str, ...]:
    """Names of the kinds that runner itself has, sorted; nothing is imported for it."""
    folder = _HERE.joinpath(*FOLDERS[group].split(".")[1:])
    stems = (info.name for info in pkgutil.iter_modules([str(folder)]))
    return tuple(sorted(n for n in stems if not n.startswith("_") and n not in _NO_KINDS))


@cache
def _points(group: str) -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points

    points: dict[str, EntryPoint] = {}
    for point in entry_points(group=f"runner.{group}"):
        other = points.get(point.name)
        if other is not None and _package(other) != _package(point):
            first, second = _package(other)[0], _package(point)[0]
            raise SpecError(
                f"two packages bring `{point.name}` of runner.{group}: {first} and {second}",
                fix=f"remove one of them: pip uninstall {second}",
            )
        if point.name in ours(group):
            raise SpecError(
                f"{_package(point)[0]} brings `{point.name}` of runner.{group}, "
                "and runner has that name itself",
                fix="that package has to choose another name; until then: pip uninstall "
                + _package(point)[0],
            )
        points[point.name] = point
    return points


def _package(point: EntryPoint) -> tuple[str, str]:
    return (point.dist.name, point.dist.version) if point.dist else ("an unnamed package", "")


def outside(group: str) -> tuple[Outside, ...]:
    """Every kind that outside packages bring to a group, by name; reads all entry points."""
    points = sorted(_points(group).items())
    return tuple(Outside(group, name, *_package(point)) for name, point in points)


def origin(group: str, name: str) -> Outside | None:
    """Give the package that brings a kind; None for one of ours, and for a name nobody has."""
    if name in ours(group):
        return None
    return next((one for one in outside(group) if one.name == name), None)


def known(group: str, name: str) -> bool:
    """Whether there is such a kind, here or in an outside package."""
    return name in ours(group) or name in _points(group)


def names(group: str) -> tuple[str, ...]:
    """Every name there is, for messages and lists: ours, then those of outside packages."""
    return (*ours(group), *sorted(_points(group)))


@cache
def module(group: str, name: str) -> ModuleType:
    """Import the file of one kind.

    SpecError where there is no such kind, or where an outside package cannot be imported.
    """
    if name in ours(group):
        return import_module(f"{FOLDERS[group]}.{name}")
    point = _points(group).get(name)
    if point is None:
        raise SpecError(
            f"there is no `{name}` in runner.{group}", fix="known: " + ", ".join(names(group))
        )
    package, version = _package(point)
    try:
        file: ModuleType = import_module(point.module)
    except Exception as error:  # whatever an outside package does while it is imported
        raise SpecError(
            f"`{name}` of runner.{group} is in {package} {version}, which cannot be imported: "
            f"{type(error).__name__}: {error}",
            fix=f"install a version that fits this runner, or remove it: pip uninstall {package}",
        ) from error
    holds = (
        ("RULES",) if group == "lint" else ("KIND", "PARSER") if group == "sources" else ("KIND",)
    )
    if not any(hasattr(file, what) for what in holds):
        raise SpecError(
            f"`{name}` of runner.{group}: {point.module} of {package} {version} has no "
            + " and no ".join(holds),
            fix="docs/how-to/add-a-kind.md says what the file of a kind holds",
        )
    _imported.setdefault(group, {})[name] = file
    return file


def beside(group: str, name: str) -> Path:
    """Folder of the kind's file, for what it brings along."""
    return Path(str(module(group, name).__file__)).parent


def used(figures: Iterable[str] = ()) -> dict[str, str]:
    """Packages that bring what a spec has named so far: version and kinds, by package."""
    kinds_of: dict[str, list[str]] = {}
    versions: dict[str, str] = {}
    named = [(group, name) for group, modules in _imported.items() for name in modules]
    for group, name in sorted({*named, *(("figures", name) for name in figures)}):
        brought = origin(group, name)
        if brought is not None:
            versions[brought.package] = brought.version
            kinds_of.setdefault(brought.package, []).append(f"{group}.{name}")
    return {
        package: f"{versions[package]} ({', '.join(kinds)})" for package, kinds in kinds_of.items()
    }


_imported: dict[str, dict[str, ModuleType]] = {}


def imported(group: str) -> dict[str, ModuleType]:
    """Files of outside kinds that something has named so far, by name."""
    return dict(_imported.get(group, {}))
