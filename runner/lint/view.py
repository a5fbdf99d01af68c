"""A spec as the rules look at it: plain data, factors' levels laid over the base."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from runner.records.quantities import QuantityError, parse
from runner.spec.load import Ladder
from runner.spec.treatments import merge

SECTIONS = ("system", "build", "workload", "load")
_ADDRESS = re.compile(r"[\w-]+(?:\.[\w-]+)+")


@dataclass(frozen=True)
class Variant:
    """The four sections that levels may change, as one level leaves them."""

    where: str
    """`factors.flags.all`, or empty for the spec's own."""
    data: Mapping[str, object]

    def at(self, *keys: str) -> Any:
        """Give the value at a path, or None."""
        return at(self.data, *keys)

    def path(self, text: str) -> str:
        """Name a place in the spec."""
        return f"{self.where}.{text}" if self.where else text


@dataclass(frozen=True)
class View:
    """One expanded spec, what is known of the host, and the Go sources beside it."""

    spec: Mapping[str, object]
    facts: Mapping[str, object] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)

    def at(self, *keys: str) -> Any:
        """Give the value at a path, or None."""
        return at(self.spec, *keys)

    @cached_property
    def base(self) -> Variant:
        """The spec's own sections."""
        return Variant("", {name: self.spec.get(name) or {} for name in SECTIONS})

    @cached_property
    def variants(self) -> tuple[Variant, ...]:
        """The base, and each level of each factor laid over it by itself."""
        found = [self.base]
        for factor, levels in (self.at("factors") or {}).items():
            if not isinstance(levels, Mapping):
                continue
            for name, over in levels.items():
                if over:
                    data = merge(dict(self.base.data), over)
                    found.append(Variant(f"factors.{factor}.{name}", data))
        return tuple(found)

    @cached_property
    def metrics(self) -> Mapping[str, Mapping[str, object]]:
        """Metrics by name; a lone source becomes `{from: …}`."""
        found = self.at("metrics") or {}
        return {
            name: value if isinstance(value, Mapping) else {"from": value}
            for name, value in found.items()
        }

    @cached_property
    def claims(self) -> tuple[Mapping[str, Any], ...]:
        """Claims that are to be tested."""
        return tuple(c for c in self.at("claims") or () if c.get("testable", True))

    @cached_property
    def sampled(self) -> list[Mapping[str, object]]:
        """Claims whose metric is not exact; statements count as sampled."""
        exact = {name for name, metric in self.metrics.items() if metric.get("kind") == "exact"}
        return [claim for claim in self.claims if claim.get("metric") not in exact]

    def published(self, claim: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Give every published number of a claim, with its level (or an empty text)."""
        found = claim.get("published")
        if found is None:
            return
        if not isinstance(found, Mapping):
            found = {"value": found}
        levels = found.get("levels") or {}
        if not levels:
            yield "", found
        for level, value in levels.items():
            yield level, value if isinstance(value, Mapping) else {"value": value}

    @cached_property
    def rules(self) -> tuple[str, ...]:
        """Health rules as written."""
        return tuple(self.at("healthy") or ())

    def texts(self) -> Iterator[tuple[str, str]]:
        """Give every text of the parts that are run, with its path."""
        for name in (*SECTIONS, "vars", "faults"):
            yield from _texts(name, self.spec.get(name))
        for factor, levels in (self.at("factors") or {}).items():
            yield from _texts(f"factors.{factor}", levels)

    def uses(self, *prefixes: str) -> str | None:
        """Name the first metric whose source starts with one of the prefixes, or None."""
        for name, metric in self.metrics.items():
            if str(metric.get("from") or "").startswith(prefixes):
                return name
        return None

    def mentions(self, *prefixes: str) -> list[tuple[str, str]]:
        """Give (path, source) of every metric, rule and guard that reads such a source."""
        found = [
            (f"metrics.{name}", str(metric["from"]))
            for name, metric in self.metrics.items()
            if str(metric.get("from") or "").startswith(prefixes)
        ]
        for section in ("healthy", "guards"):
            for index, rule in enumerate(self.at(section) or ()):
                words = _ADDRESS.findall(str(rule))
                hit = next((word for word in words if word.startswith(prefixes)), None)
                if hit:
                    found.append((f"{section}[{index}]", hit))
        return found

    def levels(self, load: Mapping[str, Any] | None = None) -> list[tuple[str, int]]:
        """Give the connections of every step with its path; ladders are expanded."""
        load = self.base.at("load") if load is None else load
        steps = (load or {}).get("steps") or ()
        if isinstance(steps, Mapping):
            return [("load.steps", level) for level in Ladder.model_validate(steps).levels()]
        found = [
            (f"load.steps[{index}]", int(step["connections"]))
            for index, step in enumerate(steps)
            if step.get("connections")
        ]
        if not found and (load or {}).get("connections") and not self.searches_connections():
            found = [("load.connections", int((load or {})["connections"]))]
        return found

    def searches_connections(self) -> bool:
        """Whether a search chooses how many connections there are."""
        find = str(self.at("search", "find") or "connections")
        return bool(self.at("search")) and find.endswith("connections")

    def highest(self) -> int:
        """Give the most connections that any trial may open; 0 without a load."""
        top = max((level for _, level in self.levels()), default=0)
        bounds = list(self.at("search", "between") or [])
        if len(bounds) == 2 and self.searches_connections():
            top = max(top, int(amount(bounds[1]) or 0))
        return top


def at(data: object, *keys: str) -> object:
    """Give the value at a path of mappings, or None."""
    for key in keys:
        if not isinstance(data, Mapping):
            return None
        data = data.get(key)
    return data


def amount(value: Any) -> float | None:
    """Read a quantity in base units, or None."""
    if value is None or isinstance(value, (bool, Mapping, list, tuple)):
        return None
    try:
        return float(parse(value).exact)
    except QuantityError:
        return None


def words(value: Any) -> list[str]:
    """Give a command line's words, however it was written."""
    if isinstance(value, str):
        return value.split()
    return [word for item in value or () for word in str(item).split()]


def _texts(where: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(f"{where}.{key}", item)
    elif isinstance(value, (list, tuple)):
        plain = [str(item) for item in value if isinstance(item, (str, int, float))]
        if plain and len(plain) == len(value):
            yield where, " ".join(plain)  # an argv says more as one line
        else:
            for index, item in enumerate(value):
                yield from _texts(f"{where}[{index}]", item)


def steps_of(load: Mapping[str, object]) -> list[dict[str, object]]:
    """Give the steps that a load lists; none where it has a rule for them."""
    steps = load.get("steps") or ()
    return [dict(step) for step in steps] if isinstance(steps, (list, tuple)) else []
