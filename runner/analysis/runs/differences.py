"""What differs between two runs and can be set here, as sections of a spec. Pure.

A fact that a kind of resource sets becomes that kind's key under `system`; a key of `system`,
`build`, `workload` or `load` that the two specs say differently stands as it is. The same place
from both sides is one difference: what the kernel said counts, not what was asked of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from runner.analysis.runs import boot_words
from runner.analysis.runs.environment_diff import VOLATILE, written
from runner.kinds import resources
from runner.kinds.resources.interface import OfFact
from runner.kinds.resources.sysctl import dotted, relative
from runner.planning.facts import SYSCTL
from runner.spec.design import OVERRIDABLE, SET
from runner.spec.expand import expand
from runner.spec.treatments import fill, merge, with_levels, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.analysis.runs.side import Side
    from runner.records.plain import Json
    from runner.spec.experiment import Experiment

Path = tuple[str, ...]
"""Keys from the top of a spec: ("system", "sysctl", "vm.swappiness")."""

SYSTEM: Final = "system"
NOFILE: Final = ("workload", "limits", "nofile")
MAPS: Final = frozenset(
    {("workload", "env"), ("workload", "limits"), ("workload", "cgroup"), ("build", "env"),
     ("load", "headers")}
)  # fmt: skip
"""Beside `system`: places whose keys are independent of one another."""
DEEPEST: Final = 3
LOOKED_AT: Final = ("hosts", "requires", "repeat", "metrics", "healthy", "guards", "sample")
"""Sections that decide what is looked at, not what is run."""
FOLLOWS: Final = {
    "build.": "follows from how it is built",
    "tool.": "a program that runner did not start otherwise",
    "git.commit": "the program's revision: runner apply EXP --against COMMIT varies it",
    "kernel.": "another kernel needs another boot",
    "cpu.": "the hardware",
    "board.": "the hardware",
    "memory.": "the hardware",
    "limits.": "follows from who starts the run",
}
"""Why facts of some beginnings are not varied; all others are none that runner can set."""


@dataclass(frozen=True)
class Difference:
    """One place of a spec with two values; None where a side does not say it."""

    path: Path
    a: Json
    b: Json

    @property
    def name(self) -> str:
        """The last keys, as a spec has them: `sysctl.vm.swappiness`, `build.go`."""
        return ".".join(self.path[1:] if self.path[0] == SYSTEM else self.path)

    def overlay(self, value: Json) -> dict[str, object]:
        """Give the sections that lay a value over a spec; None removes the key."""
        sections: object = value
        for key in reversed(self.path):
            sections = {key: sections}
        assert isinstance(sections, dict)  # noqa: S101 - a path has keys
        return sections


@dataclass(frozen=True)
class NotVaried:
    """A difference that cannot be set here, and why."""

    name: str
    a: str
    b: str
    why: str


@dataclass(frozen=True)
class Found:
    """All differences of two runs."""

    settable: tuple[Difference, ...]
    others: tuple[NotVaried, ...]


def differences(a: Side, b: Side, *, boots: bool = False) -> Found:
    """Sort what differs into what a spec can say, and the rest with its reason.

    With `boots` the host may be rebooted: words of the kernel command line can be said, too.
    """
    places = dict(_pairs(_sections(a), _sections(b)))
    others = [*_of_facts(a, b, places), *_of_boots(a, b, places, boots)]
    varied = _varied(b)
    settable = []
    for path, (x, y) in places.items():
        if x == y:
            continue
        one = Difference(path, *_whole(x, y))
        why = _fixed(path, varied)
        if why:
            others.append(NotVaried(one.name, written(x), written(y), why))
        else:
            settable.append(one)
    return Found(tuple(settable), (*others, *_only_looked_at(a, b)))


def _of_facts(a: Side, b: Side, places: dict[Path, tuple[Json, Json]]) -> list[NotVaried]:
    """Write what the hosts said over what the specs asked; give what no spec can say."""
    others = []
    for name in sorted({*a.facts, *b.facts}):
        x, y = a.facts.get(name), b.facts.get(name)
        if name.startswith(VOLATILE) or name == boot_words.FACT:
            continue
        path = _place(name)
        if path is None:
            if x != y:
                others.append(NotVaried(name, written(x), written(y), _reason(name)))
        elif x is not None and x == y:
            places.pop(path, None)
        elif x != y and (path in places or path != NOFILE):
            why = _unknown(a, name, "a") if x is None else _absent(b, name) if y is None else ""
            if not why:
                places[path] = (_written(name, x), _written(name, y))
            elif path not in places:
                others.append(NotVaried(name, written(x), written(y), why))
    return others


def _of_boots(
    a: Side, b: Side, places: dict[Path, tuple[Json, Json]], boots: bool
) -> list[NotVaried]:
    """Write the words that the kernels were booted with over what the specs asked.

    All of them are one difference: they are in force together, from a boot on.
    """
    words = boot_words.boot_words(a, b)
    if words is None:
        return []
    for path in [path for path in places if path[:2] == boot_words.PATH]:
        del places[path]
    others = []
    if words.machines_a or words.machines_b:
        x, y = " ".join(words.machines_a), " ".join(words.machines_b)
        others = [NotVaried(boot_words.FACT, written(x), written(y), boot_words.OF_THE_MACHINE)]
    if not (words.a or words.b):
        return others
    if boots:
        asked = merge({}, _sections(b)).get(SYSTEM, {}).get(boot_words.PATH[1]) or {}
        places[boot_words.PATH] = boot_words.declared(words, asked.get("present", ()))
        return others
    x, y = " ".join(words.a), " ".join(words.b)
    return [*others, NotVaried(boot_words.PATH[1], written(x), written(y), boot_words.NOT_ALLOWED)]


def _whole(x: Json, y: Json) -> tuple[Json, Json]:
    """Name in each of two mappings the other's keys, too: laid over a spec they are taken away."""
    if isinstance(x, dict) and isinstance(y, dict):
        return {**dict.fromkeys(y), **x}, {**dict.fromkeys(x), **y}
    return x, y


def _sections(side: Side) -> Json:
    """Give the sections of one treatment in their normal form: equal ones are written alike."""
    try:
        return _overridable(with_levels(side.experiment, side.where))
    except ValidationError:  # what stands in braces of another factor is no value yet
        data = _overridable(side.experiment)
    for factor, level in side.where.items():
        data = merge(data, _changes(side.experiment.factors[factor].levels[level]))
    filled: Json = fill(data, words(side.experiment, side.where))
    return filled


def _overridable(experiment: Experiment) -> Json:
    expanded = expand(experiment)
    return {name: expanded[name] for name in OVERRIDABLE if expanded.get(name)}


def _changes(level: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in level.items() if key != SET}


def _pairs(x: Json, y: Json, path: Path = ()) -> Iterator[tuple[Path, tuple[Json, Json]]]:
    """Give every place with its two values, as deep as keys are independent of one another."""
    inner = not path or path[0] == SYSTEM or len(path) == 1 or path in MAPS
    if len(path) < DEEPEST and inner and all(v is None or isinstance(v, dict) for v in (x, y)):
        one, other = ({_canonical(path, k): v for k, v in side.items()}
                      if isinstance(side, dict) else {} for side in (x, y))  # fmt: skip
        for key in {**one, **other}:
            yield from _pairs(one.get(key), other.get(key), (*path, key))
    else:
        yield path, (x, y)


def _canonical(path: Path, key: str) -> str:
    return dotted(relative(key)) if path == (SYSTEM, "sysctl") else key


def _place(name: str) -> Path | None:
    """Say where a spec declares a fact; None: nowhere."""
    if name == "limits.nofile_soft":
        return NOFILE
    kind = _kind(name)
    if kind is not None:
        return kind.place(name)
    return (SYSTEM, "sysctl", name.removeprefix(SYSCTL)) if name.startswith(SYSCTL) else None


def _written(name: str, value: Json) -> Json:
    """Write the value of a fact as a spec does; None where it is none."""
    kind = _kind(name)
    return value if kind is None or value is None else kind.of_fact(name, value)


@cache
def _kind(name: str) -> OfFact | None:
    """Give the kind of resource that declares a fact."""
    for known in resources.names():
        kind = resources.kind(known)
        if isinstance(kind, OfFact) and kind.place(name) is not None:
            return kind
    return None


def _absent(side: Side, name: str) -> str:
    why = side.facts.get("absent")
    return str(why.get(name, "")) if isinstance(why, dict) else ""


def _unknown(side: Side, name: str, which: str) -> str:
    return _absent(side, name) or f"the record of {which} does not say it"


def _reason(name: str) -> str:
    return next(
        (why for start, why in FOLLOWS.items() if name.startswith(start)),
        "nothing that runner can set",
    )


def _fixed(path: Path, varied: set[Path]) -> str:
    """Say why a place cannot differ between treatments; empty where it can."""
    if any(path[: len(one)] == one or one[: len(path)] == path for one in varied):
        return "the experiment itself varies it"
    if path == boot_words.PATH:  # as a whole it is there only where the host may be rebooted
        return ""
    return str(resources.kind(path[1]).fixed) if path[0] == SYSTEM else ""


def _varied(side: Side) -> set[Path]:
    """Give the places that the factors change which no level was chosen of."""
    paths: set[Path] = set()
    for name, factor in side.experiment.factors.items():
        for level in factor.levels.values() if name not in side.where else ():
            changes: Json = merge({}, _changes(level))
            paths |= {path for path, _ in _pairs(changes, None)}
    return paths


def _only_looked_at(a: Side, b: Side) -> list[NotVaried]:
    one, other = expand(a.experiment), expand(b.experiment)
    return [
        NotVaried(f"spec.{name}", "", "", "decides what is looked at, not what is run: as in b")
        for name in LOOKED_AT
        if one.get(name) != other.get(name)
    ]
