"""What only the whole spec shows: numbers that nothing in any treatment can give."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from runner.compile.ports import listen_part
from runner.kinds.generators import generator
from runner.kinds.generators import names as generators
from runner.kinds.units import CLOSED, needs_of
from runner.spec.health import Reference
from runner.spec.sections.varied import place as varied
from runner.spec.treatments import treatments, with_levels
from runner.specfile.cross_checks.units import RULES, place_of

if TYPE_CHECKING:
    from runner.spec.experiment import Experiment
    from runner.spec.load import Load
    from runner.specfile.names import Finding, Names
    from runner.specfile.values import Path

_OF_HOST: Final = frozenset((
    "connections", "established", "unanswered", "cpu", "cpu_s", "hosts", "errors.local",
))  # fmt: skip
"""Numbers of a load that are counted beside the generator."""
_NAMED: Final = ("fetched", "pprof")
"""Families whose first word is the name of a page."""

Offered = Callable[["Experiment"], bool]


def _cgroup(exp: Experiment) -> bool:
    """Whether the workload has a group of its own, be it one that the search makes."""
    searched = varied(exp.search.goal.variable) if exp.search is not None else None
    return (exp.workload is not None and exp.workload.cgroup is not None) or (
        searched is not None and searched[:2] == ("workload", "cgroup")
    )


OFFERS: Final[Mapping[str, tuple[Offered, str]]] = MappingProxyType({
    "workload": (lambda exp: exp.workload is not None, "there is no `workload`"),
    "load": (lambda exp: exp.load is not None and exp.load.generator != "none",
             "there is no `load`"),
    "cgroup": (_cgroup,
               "the workload has no group: say `cgroup: {memory.max: max}` under workload"),
    "fetch": (lambda exp: exp.workload is not None and bool(exp.workload.fetch),
              "nothing is fetched: say `fetch: [{name: …, url: …}]` under workload"),
    "build": (lambda exp: exp.build is not None, "there is no `build`"),
    "port": (lambda exp: listen_part(exp) is not None,
             "nothing says its port: say {port} in workload.argv or env, or workload.port"),
    "prepare": (lambda exp: exp.workload is not None and bool(exp.workload.prepare),
                "nothing is prepared: say `prepare: [{run: […]}]` under workload"),
    "faults": (lambda exp: bool(exp.faults), "there are no `faults`"),
    "command": (lambda exp: exp.load is not None and exp.load.generator == "command",
                "there is no load of the generator `command`"),
})  # fmt: skip
"""Words of a source's `needs` that a spec has or has not, and what is said where it has not."""


def check_given(exp: Experiment, names: Names, treated: Sequence[Experiment]) -> Iterator[Finding]:
    """Refuse each metric and rule that none of the treatments can give a number for."""
    if not treated:
        return
    for path, name in _named(exp, names):
        why = [_lacking(name, one) for one in treated]
        if all(why):
            yield path, f"`{name}` would never be measured: {why[0]}", False


def judged(exp: Experiment, names: Names) -> bool:
    """Whether the spec is whole, so that what it lacks is lacking."""
    whole = "schema" in names.sections  # a fragment's other sections are elsewhere
    parts = {"build", "workload", "load", "factors", "search", "faults", "skip", "treatments"}
    return whole and exp.lint.only is None and not names.broken & parts


def covering(exp: Experiment) -> list[Experiment]:
    """Give treatments in which every level is at least once."""
    seen: set[tuple[str, str]] = set()
    found: list[Experiment] = []
    for levels in treatments(exp):
        if found and seen.issuperset(levels.items()):
            continue
        seen.update(levels.items())
        try:
            found.append(with_levels(exp, levels))
        except ValidationError:  # said where the levels stand
            return []
    return found


def _named(exp: Experiment, names: Names) -> Iterator[tuple[Path, str]]:
    """Give every number that the spec names, with its place."""
    for key, metric in exp.metrics.items():
        if metric.source is not None:
            yield ("metrics", key, "from"), metric.source
        if metric.as_ is not None and not metric.as_.startswith("rate/"):
            yield ("metrics", key, "as"), metric.as_
    for section in RULES:
        for rule in getattr(exp, section):
            yield place_of(section, rule, names), rule.subject
            if isinstance(rule.value, Reference):
                yield place_of(section, rule, names), rule.value.name
    for number, figure in enumerate(exp.report.figures):
        path = names.place("report", "figures", number)
        for index, shown in enumerate(figure.show if figure.over == "time" else ()):
            if shown not in exp.metrics:
                yield (*path, "show", index), shown


def _lacking(name: str, exp: Experiment) -> str | None:
    """Say why one treatment cannot give a number, or None."""
    for need in needs_of(name):
        has, why = OFFERS.get(need, (None, ""))
        if has is not None and not has(exp):
            return why
    family, _, rest = name.partition(".")
    if family in ("load", "command") and exp.load is not None:
        return _of_generator(family, rest, exp.load)
    fetches = exp.workload.fetch if exp.workload is not None else ()
    if family in _NAMED and not any(f"{rest}.".startswith(f"{one.name}.") for one in fetches):
        known = ", ".join(one.name for one in fetches)
        return f"no page of that name is fetched; fetched: {known}"
    return None


def _of_generator(family: str, name: str, load: Load) -> str | None:
    stem = name.removesuffix(".gained")
    if stem in _OF_HOST and family == "load":
        return None
    if load.numbers and stem not in (*load.numbers, "opened"):
        return f"`numbers` of the load has no `{stem}`"
    if family == "load" and _lacks(load.generator, stem):
        return f"{load.generator} gives no {stem}{_instead(stem, load.generator)}"
    return None


def _instead(name: str, than: str) -> str:
    """Name generators that do give a number."""
    able = [one for one in generators() if one not in (than, "command") and not _lacks(one, name)]
    return f"; {', '.join(able)} would" if able and name in CLOSED["load"] else ""


def _lacks(kind: str, name: str) -> bool:
    # a kind of an outside package may not say
    return any(fnmatchcase(name, one) for one in getattr(generator(kind), "lacks", ()))
