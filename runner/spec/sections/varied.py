"""What a search varies beside the load: a limit of the workload, a number of a section, a word."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from runner.kinds.resources.cgroup import Limits
from runner.spec.base import did_you_mean
from runner.spec.treatments import Sections, fill, placeholders, sections

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.spec.experiment import Experiment

OF_LOAD: Final = ("connections", "rate")
"""What the load itself is told, a level at a time."""
KNOBS: Final = frozenset(field.alias or name for name, field in Limits.model_fields.items())
"""Files of a control group, as memory.max."""
KNOWN: Final = (*OF_LOAD, "memory.max", "limits.nofile", "load.threads")
"""What is proposed."""
_WORD: Final = re.compile(r"[a-z_]\w*")


def place(variable: str) -> tuple[str, ...] | None:
    """Give the path of the number that a search varies; None where it is a word in braces."""
    if variable in KNOBS:
        return ("workload", "cgroup", variable)
    if variable.startswith("workload.cgroup."):
        return ("workload", "cgroup", variable.removeprefix("workload.cgroup."))
    if variable.startswith("limits."):
        return ("workload", *variable.split("."))
    if variable.startswith(("workload.", "load.")):
        return tuple(variable.split("."))
    return None


def problem(exp: Experiment) -> str | None:
    """Say why what a search varies cannot be varied, or None."""
    search = exp.search
    if search is None or search.goal.variable in OF_LOAD:
        return None
    name = search.goal.variable
    path = place(name)
    if name.startswith("system."):
        return f"`{name}` is state of the host, converged once a treatment: make it a factor"
    if path is None and not _WORD.fullmatch(name):
        return f"cannot search `{name}`{did_you_mean(name, KNOWN)}"
    if exp.workload is None:
        return f"a search over {name} needs a `workload`"
    return _word(exp, name) if path is None else _number(exp, name)


def _number(exp: Experiment, name: str) -> str | None:
    assert exp.search is not None  # noqa: S101 - the caller has looked
    try:
        at_level(exp, exp.search.low)
        at_level(exp, exp.search.high)
    except ValidationError as wrong:
        said = wrong.errors()[0]["msg"].removeprefix("Value error, ")
        return f"`{name}` cannot be varied there: {said}"
    return None


def _word(exp: Experiment, name: str) -> str | None:
    used = {key for key in ("workload", "load") if name in _words(getattr(exp, key))}
    if name in exp.factors:
        return f"`{name}` is a factor with levels of its own: a search chooses the levels"
    elsewhere = next((key for key in ("system", "build") if name in _words(getattr(exp, key))), "")
    if elsewhere:
        return f"{{{name}}} stands in `{elsewhere}`, which is not made anew for each trial"
    if not used:
        hint = did_you_mean(name, KNOWN) or "; such words are filled in"
        return f"cannot search `{name}`: {{{name}}} stands nowhere in workload or load{hint}"
    return None


def _words(section: Any) -> set[str]:
    if section is None:
        return set()
    return set(placeholders(repr(section.model_dump(by_alias=True, exclude_unset=True))))


def at_level(exp: Experiment, level: int) -> Experiment:
    """Give the experiment with one level of its search in its place.

    A level of the load is told to the program: there it stays as it is. pydantic's
    ValidationError where the place takes no such number.
    """
    search = exp.search
    if search is None or search.goal.variable in OF_LOAD:
        return exp
    name = search.goal.variable
    data = sections(exp, {})
    path = place(name)
    if path is None:
        data = fill(data, {name: str(level)})
    else:
        _put(data, path, f"{level}B" if search.in_bytes else level)
    made = Sections.model_validate(data)
    return exp.model_copy(update={key: getattr(made, key) for key in data})


def _put(data: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    node: Any = data
    for part in path[:-1]:
        below: Mapping[str, object] = node.get(part) or {}
        node[part] = dict(below)
        node = node[part]
    node[path[-1]] = value
