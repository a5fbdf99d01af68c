"""What the rules look at: an experiment, its levels laid over it, a host's facts, Go sources."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from pydantic import ValidationError

from runner.records.quantities import QuantityError, parse
from runner.spec.design import OVERRIDABLE
from runner.spec.health import Reference
from runner.spec.sections.steps import Ladder
from runner.spec.treatments import Sections, sections, treatments

if TYPE_CHECKING:
    from runner.records.quantities import Quantity
    from runner.spec.claims import Claim, Range
    from runner.spec.experiment import Experiment
    from runner.spec.load import Load
    from runner.spec.metrics import Metric
    from runner.spec.sections.build import Build
    from runner.spec.sections.workload import Workload
    from runner.spec.system import System


@dataclass(frozen=True)
class Variant:
    """The four sections that levels may change, as one level leaves them."""

    where: str
    """`factors.flags.all`, or empty for the spec's own."""
    system: System
    build: Build | None
    workload: Workload | None
    load: Load | None

    def path(self, text: str) -> str:
        """Name a place in the spec."""
        return f"{self.where}.{text}" if self.where else text

    @property
    def knobs(self) -> Mapping[str, str]:
        """Limits of the workload's group, by their v2 names, as the kernel wants them."""
        group = self.workload.cgroup if self.workload else None
        return group.knobs() if group is not None else {}

    @property
    def argv(self) -> list[str]:
        """The workload's command line; a secret by its source."""
        return [str(word) for word in (self.workload.argv if self.workload else None) or ()]

    def sysctl(self, name: str) -> object:
        """Give the value that `system.sysctl` sets, or None."""
        declared = self.system.sysctl
        return None if declared is None else declared.root.get(name)


@dataclass(frozen=True)
class Subject:
    """One experiment with all that is known of its host and its sources."""

    experiment: Experiment
    facts: Mapping[str, object] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    """Texts of Go files beside the spec, by path."""
    beside: Callable[[str], bool] = lambda _: False
    """Whether a file of that name lies beside the spec."""

    @cached_property
    def base(self) -> Variant:
        """The spec's own sections."""
        own = self.experiment
        return Variant("", own.system, own.build, own.workload, own.load)

    @cached_property
    def variants(self) -> tuple[Variant, ...]:
        """The base, and each level of each factor laid over it by itself."""
        found = [self.base]
        for name, factor in self.experiment.factors.items():
            for level, over in factor.levels.items():
                made = self._with(name, level) if over else None
                if made is not None:
                    where = f"factors.{name}.{level}"
                    found.append(Variant(where, made.system, made.build, made.workload, made.load))
        return tuple(found)

    def _with(self, factor: str, level: str) -> Sections | None:
        """Give the sections with one level; in its first treatment where it needs others."""
        made = self._made({factor: level})
        if made is None:
            whole = next((cell for cell in self.treatments if cell[factor] == level), None)
            made = None if whole is None else self._made(whole)  # `skip` may leave it in none
        return made

    def _made(self, levels: Mapping[str, str]) -> Sections | None:
        try:
            return Sections.model_validate(sections(self.experiment, levels))
        except ValidationError:
            return None

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """Metrics by name."""
        return self.experiment.metrics

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """Claims that are to be tested."""
        return tuple(claim for claim in self.experiment.claims if claim.testable)

    @cached_property
    def sampled(self) -> tuple[Claim, ...]:
        """Claims whose metric is not exact; statements count as sampled."""
        exact = {name for name, metric in self.metrics.items() if metric.kind == "exact"}
        return tuple(claim for claim in self.claims if claim.metric not in exact)

    @property
    def fewest(self) -> int:
        """Repetitions of every treatment that are always run, of all boards together."""
        return self.experiment.units[0]

    @property
    def most(self) -> int:
        """Repetitions of every treatment that are never exceeded, of all boards together."""
        return self.experiment.units[1]

    @cached_property
    def treatments(self) -> tuple[dict[str, str], ...]:
        """Every cell that is run, as levels by factor; one without factors."""
        return treatments(self.experiment)

    @property
    def cells(self) -> int:
        """How many treatments there are."""
        return len(self.treatments)

    def texts(self) -> Iterator[tuple[str, str]]:
        """Give every text of the parts that are run, with its path."""
        parts = {*OVERRIDABLE, "vars", "faults"}
        data = self.experiment.model_dump(
            mode="json", by_alias=True, exclude_none=True, include=parts
        )
        for name in (*OVERRIDABLE, "vars", "faults"):
            yield from _texts(name, data.get(name))
        for name, factor in self.experiment.factors.items():
            yield from _texts(f"factors.{name}", factor.levels)

    def uses(self, *prefixes: str) -> str | None:
        """Name the first metric whose source starts with one of the prefixes, or None."""
        return next((n for n, m in self.metrics.items() if source_of(m).startswith(prefixes)), None)

    def mentions(self, *prefixes: str) -> list[tuple[str, str]]:
        """Give (path, source) of every metric, rule and guard that reads such a source."""
        found = [
            (f"metrics.{name}", source_of(metric))
            for name, metric in self.metrics.items()
            if source_of(metric).startswith(prefixes)
        ]
        own = self.experiment
        for section, rules in (("healthy", own.healthy), ("guards", own.guards)):
            for index, rule in enumerate(rules):
                other = [rule.value.name] if isinstance(rule.value, Reference) else []
                hit = next((n for n in (rule.subject, *other) if n.startswith(prefixes)), None)
                if hit:
                    found.append((f"{section}[{index}]", hit))
        return found

    def levels(self) -> list[tuple[str, int]]:
        """Give the connections of every step of the base with its path."""
        load = self.base.load
        if load is None:
            return []
        if isinstance(load.steps, Ladder):
            rungs = load.steps.levels() if load.steps.vary == "connections" else ()
            return [("load.steps", level) for level in rungs]
        found = [
            (f"load.steps[{index}]", step.connections)
            for index, step in enumerate(load.steps)
            if step.connections
        ]
        if not found and load.connections and not self.searches_connections:
            found = [("load.connections", load.connections)]
        return found

    @property
    def searches_connections(self) -> bool:
        """Whether a search chooses how many connections there are."""
        search = self.experiment.search
        return search is not None and search.goal.variable == "connections"

    def highest(self) -> int:
        """Give the most connections that any trial may open; 0 without a load."""
        top = max((level for _, level in self.levels()), default=0)
        search = self.experiment.search
        if search is not None and self.searches_connections:
            top = max(top, int(search.between[1].exact))
        return top


def numbers(claim: Claim) -> Iterator[tuple[str, Range]]:
    """Give every published number of a claim, with its level (or an empty text)."""
    if claim.published is None:
        return
    if not claim.published.levels:
        yield "", claim.published
    yield from claim.published.levels.items()


def place(claim: Claim, key: str = "", level: str = "") -> str:
    """Name a claim's place in the spec: `claims.4.1.margin (small)`."""
    return f"claims.{claim.id}{f'.{key}' if key else ''}{f' ({level})' if level else ''}"


def source_of(metric: Metric) -> str:
    """Give a metric's source; empty where it is computed."""
    return metric.source or ""


def base(amount: Quantity | None) -> float | None:
    """Give an amount in base units; a bare number as it is."""
    return None if amount is None else float(amount.exact)


def known(fact: object) -> float | None:
    """Read a fact or a declared value as an amount in base units; None where it is none."""
    if not isinstance(fact, (int, float, str)) or isinstance(fact, bool):
        return None
    try:
        return float(parse(fact).exact)
    except QuantityError:
        return None


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
