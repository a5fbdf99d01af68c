"""`requires`: conditions on facts, checked before anything is touched. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.compile.limits import beyond
from runner.errors import HostError
from runner.kinds.resources.cgroup import missing
from runner.planning.facts import set_by
from runner.planning.layers import declared_of
from runner.records.patterns import matches
from runner.records.quantities import QuantityError, parse
from runner.spec.sections.requires import split_role
from runner.spec.treatments import treatments, with_levels

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.planning.layers import Declared
    from runner.spec.experiment import Experiment
    from runner.spec.sections.requires import Requirement


def unmet(
    experiment: Experiment,
    facts: Mapping[str, Mapping[str, object]],
    now: Callable[[str], bool] = lambda _: True,
) -> list[str]:
    """Give one sentence for each requirement that does not hold, of those to be judged `now`."""
    sentences = []
    for name, requirement in experiment.requires.items():
        role, fact = split_role(name)
        if not now(fact):
            continue
        hosts = experiment.hosts.server if role == "server" else experiment.hosts.load_hosts
        for host in hosts:
            if host not in facts:
                continue
            known = facts[host]
            why = broken(requirement, known.get(fact))
            if why:
                sentences.append(f"{host}: {fact} {why}{_advice(fact, requirement, known)}")
    return sentences


def unmet_as_found(experiment: Experiment, facts: Mapping[str, Mapping[str, object]]) -> list[str]:
    """Give what does not hold before a run, but for what the spec itself will set."""
    declared = declared_of(experiment)
    return unmet(experiment, facts, lambda fact: not set_by(declared, fact))


def lacking(
    experiment: Experiment, facts: Mapping[str, Mapping[str, object]]
) -> list[tuple[str, str]]:
    """Give each limit that a server cannot give to the workload of some treatment, and the fix."""
    limits: list[tuple[str, str]] = []
    for levels in treatments(experiment):
        treated = with_levels(experiment, levels)
        for host in experiment.hosts.server:
            if host in facts:
                limits += [(f"{host}: {limit}", fix) for limit, fix in beyond(treated, facts[host])]
    return list(dict.fromkeys(limits))


def fault(
    experiment: Experiment, host: str, facts: Mapping[str, object], declared: Declared,
    *, before: bool,
) -> HostError | None:  # fmt: skip
    """Give one error with every requirement that a host does not meet; None where it meets all.

    What the spec itself sets is judged when it is in force, all else `before`.
    """
    known = {host: facts}
    problems = unmet(experiment, known, lambda fact: set_by(declared, fact) is not before)
    if problems:
        return HostError(
            "requirements not met:\n" + "\n".join(problems),
            fix="choose another host with -H, or change what the message names",
        )
    limits = lacking(experiment, known) if before else []
    if limits:
        fixes = dict.fromkeys(fix for _, fix in limits)
        return HostError("\n".join(limit for limit, _ in limits), fix="; ".join(fixes))
    return None


def _advice(fact: str, requirement: Requirement, known: Mapping[str, object]) -> str:
    """Say how a host is given what it lacks, where that is known."""
    if fact != "cgroup.controllers" or requirement.contains is None:
        return ""
    return f"; {missing(str(requirement.contains), known).fix}"


def broken(requirement: Requirement, seen: Any) -> str:  # noqa: PLR0911 - one return per condition
    """Say why a fact does not meet a requirement; empty when it does."""
    if requirement.exists is not None and (seen is not None) is not requirement.exists:
        return "is missing" if requirement.exists else "is there"
    asked = requirement.model_fields_set - {"exists"}
    if not asked:
        return ""
    if seen is None:
        return "is unknown on this host"
    if requirement.equals is not None and not same(requirement.equals, seen):
        return f"is {seen}, not {requirement.equals}"
    if requirement.one_of is not None and not any(same(x, seen) for x in requirement.one_of):
        return f"is {seen}, none of {', '.join(map(str, requirement.one_of))}"
    if requirement.contains is not None and requirement.contains not in seen:
        return f"is {seen}, without {requirement.contains}"
    if requirement.matches is not None and not matches(requirement.matches, str(seen)):
        return f"is {seen}, which does not match {requirement.matches}"
    number = _number(seen)
    if requirement.at_least is not None and (number is None or number < requirement.at_least.exact):
        return f"is {seen}, below {requirement.at_least}"
    if requirement.at_most is not None and (number is None or number > requirement.at_most.exact):
        return f"is {seen}, above {requirement.at_most}"
    return ""


def same(wanted: Any, seen: Any) -> bool:
    """Compare as text, or as quantities where both are: 4GB is 4000000000."""
    if str(wanted) == str(seen):
        return True
    try:
        return parse(wanted).exact == parse(seen).exact
    except (QuantityError, TypeError):
        return False


def _number(value: Any) -> Any:
    if not isinstance(value, int | float | str):
        return None
    try:
        return parse(value).exact
    except (QuantityError, TypeError):
        return None
