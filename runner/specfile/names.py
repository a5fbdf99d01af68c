"""Names that a file defines, refused or not, and where list entries stand in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from runner.spec.base import did_you_mean

if TYPE_CHECKING:
    from runner.spec.expressions import Ref
    from runner.specfile.values import Path

    Finding = tuple[Path, str, bool]
    """Path, message, and whether the key and not the value is meant."""

PSEUDO_FACTORS = ("step", "host")
"""What a claim or a table may narrow to beside the factors."""


class Names:
    """Names of a file; those of refused parts count, so that one fault is not told twice."""

    def __init__(
        self,
        data: Mapping[str, object],
        kept: Mapping[str, object],
        indices: Mapping[int, int],
        broken: set[str],
    ) -> None:
        self.data = data
        self.kept = kept
        self.indices = indices
        self.broken = broken
        """Sections of which something was refused."""
        self.metrics = tuple(keys_of(data.get("metrics")))
        self.factors: dict[str, tuple[str, ...]] = {}
        factors = data.get("factors")
        for name in keys_of(factors):
            levels = factors[name] if isinstance(factors, Mapping) else ()
            known = levels if isinstance(levels, (list, tuple)) else keys_of(levels)
            self.factors[name] = tuple(str(level) for level in known)
        self.sections = set(data)
        self.steps: tuple[str, ...] | None = None
        """Names of the load's steps, where they are the same in every treatment and known."""
        self.hosts: tuple[str, ...] | None = None
        """Hosts that the workload runs on, where the spec itself names them."""

    def place(self, *path: str | int) -> Path:
        """Give the path in the file of an entry of a list of mappings that was kept."""
        *above, index = path
        node: Any = self.kept
        for part in above:
            node = node[part]
        return (*above, self.indices.get(id(node[index]), index))


def keys_of(value: Any) -> list[str]:
    """Give the keys of what may be a mapping."""
    return [str(key) for key in value] if isinstance(value, Mapping) else []


def reference_faults(ref: Ref, names: Names) -> Iterator[str]:
    """Say what is wrong with a metric in an expression."""
    if ref.name.startswith("facts."):
        return
    stem = ref.name.partition(".")[0]
    if ref.name not in names.metrics and stem not in names.metrics:
        yield f"unknown metric `{ref.name}`{did_you_mean(ref.name, names.metrics)}"
    for factor, level in ref.where:
        problem = level_fault(factor, level, names)
        if problem:
            yield problem


def level_fault(factor: str, level: str, names: Names) -> str | None:
    """Say what is wrong with a level of a factor, or None."""
    if factor in PSEUDO_FACTORS:
        known = names.steps if factor == "step" else names.hosts
        if known is None or level in known:
            return None
        if not known:
            return "there are no steps: the spec has no `load`"
        return f"there is no {factor} `{level}`{did_you_mean(level, known)}"
    if factor not in names.factors:
        return f"unknown factor `{factor}`{did_you_mean(factor, names.factors)}"
    if level not in names.factors[factor]:
        hint = did_you_mean(level, names.factors[factor])
        return f"factor `{factor}` has no level `{level}`{hint}"
    return None


def levels_faults(levels: Mapping[str, str], path: Path, names: Names) -> Iterator[Finding]:
    """Say what is wrong with `{factor: level}`."""
    for factor, level in levels.items():
        problem = level_fault(factor, level, names)
        if problem:
            yield (*path, factor), problem, "unknown factor" in problem
