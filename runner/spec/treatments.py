"""A treatment: the spec with one level of each factor filled in."""

import itertools
import re
from collections.abc import Mapping
from typing import Any

from runner.records.secrets import Secret
from runner.spec.base import (
    Model,
)
from runner.spec.claims import Claim
from runner.spec.design import OVERRIDABLE, SET
from runner.spec.experiment import Experiment
from runner.spec.expressions import Expression
from runner.spec.load import Load
from runner.spec.sections.build import Build
from runner.spec.sections.workload import Workload
from runner.spec.system import System

RUNTIME = ("binary", "port", "dir", "pid", "cgroup", "connections", "duration", "rate", "url",
           "threads", "server_address")  # fmt: skip
"""Placeholders that the run fills in; factors cannot have these names."""

_PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*)\}")


class Sections(Model):
    """What a level may change."""

    system: System = System.model_construct()
    build: Build | None = None
    workload: Workload | None = None
    load: Load | None = None


def placeholders(text: str) -> list[str]:
    """Give every `{name}` in a text."""
    return _PLACEHOLDER.findall(text)


def merge(base: Any, over: Any) -> Any:
    """Lay one value over another: mappings join, null removes, all else replaces."""
    if not isinstance(base, Mapping) or not isinstance(over, Mapping):
        return over
    found = dict(base)
    for key, value in over.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = merge(base[key], value) if key in base else merge({}, value)
    return found


def fill(value: Any, levels: Mapping[str, str]) -> Any:
    """Fill `{factor}` into every text below a value; other braces stay."""
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda match: levels.get(match[1], match[0]), value)
    if isinstance(value, Secret):
        parts = tuple((k, fill(v, levels) if k == "text" else v) for k, v in value.parts)
        return value.with_parts(parts)
    if isinstance(value, Mapping):
        return {key: fill(item, levels) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [fill(item, levels) for item in value]
    return value


def sections(
    exp: Experiment,
    levels: Mapping[str, str],
    instead: Mapping[str, Mapping[str, object]] | None = None,
) -> dict[str, Any]:
    """Give the four sections as data with the levels merged in and filled in.

    `instead` stands in for what the levels change, by factor and level.
    """
    data: dict[str, object] = {}
    for name in OVERRIDABLE:
        section = getattr(exp, name)
        if section is not None:
            data[name] = section.model_dump(by_alias=True, exclude_unset=True)
    for factor, level in levels.items():
        over = exp.factors[factor].levels if instead is None else instead[factor]
        changes = over[level]
        if isinstance(changes, Mapping):
            data = merge(data, {key: value for key, value in changes.items() if key != SET})
    filled: dict[str, object] = fill(data, words(exp, levels))
    return filled


def words(exp: Experiment, levels: Mapping[str, str]) -> dict[str, str]:
    """Give what `{name}` stands for in a treatment: its levels, and what they set."""
    found: dict[str, str] = {}
    for factor, level in levels.items():
        found |= exp.factors[factor].words(level)
    return found | dict(levels)


def with_levels(exp: Experiment, levels: Mapping[str, str]) -> Experiment:
    """Give the experiment of one treatment; pydantic's ValidationError if levels clash."""
    if not levels:
        return exp
    made = Sections.model_validate(sections(exp, levels))
    return exp.model_copy(update={name: getattr(made, name) for name in OVERRIDABLE})


def skipped(exp: Experiment, levels: Mapping[str, str]) -> str | None:
    """Say why a cell is left out, or None."""
    for skip in exp.skip:
        if all(levels.get(factor) in among for factor, among in skip.when.items()):
            return skip.why
    return None


def treatments(exp: Experiment) -> tuple[dict[str, str], ...]:
    """Every cell of the matrix that is not skipped, or those listed; one without factors."""
    if exp.treatments:
        # one that names a level that is not there is a fault of the spec, said where it is read
        return tuple(
            {name: cell[name] for name in exp.factors}
            for cell in exp.treatments
            if all(cell.get(name) in factor.levels for name, factor in exp.factors.items())
        )
    names = list(exp.factors)
    cells = itertools.product(*(exp.factors[name].names() for name in names))
    found = (dict(zip(names, cell, strict=True)) for cell in cells)
    return tuple(cell for cell in found if skipped(exp, cell) is None)


def stated(exp: Experiment, claim: Claim) -> Expression | None:
    """Give the statement of a claim: its `expect`, or what its `same` says of the levels."""
    if claim.same is None:
        return claim.statement
    return claim.same.statement(treatments(exp), dict(claim.where))
