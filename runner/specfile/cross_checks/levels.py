"""What levels say of each other: words they set, keys two factors change, cells left out."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from runner.spec.design import SET
from runner.spec.treatments import RUNTIME
from runner.specfile.names import levels_faults

if TYPE_CHECKING:
    from runner.spec.experiment import Experiment
    from runner.specfile.names import Finding, Names

OF_LOAD: Final = ("connections", "duration", "rate", "url", "threads")
"""Words that the run fills in only where there is a load."""


def reserved(exp: Experiment) -> tuple[str, ...]:
    """Give the words in braces that the run fills in, which factors cannot be called."""
    loaded = exp.load is not None or any(
        "load" in over for factor in exp.factors.values() for over in factor.levels.values()
    )
    return RUNTIME if loaded else tuple(word for word in RUNTIME if word not in OF_LOAD)


def set_words(exp: Experiment) -> list[str]:
    """Give the names that levels set."""
    return [
        word
        for factor in exp.factors.values()
        for level in factor.levels
        for word in factor.words(level)
    ]


def levels_of_design(exp: Experiment, names: Names) -> Iterator[Finding]:
    """Check words that are set, keys of several factors, and listed treatments."""
    yield from _words(exp)
    yield from _shared(exp)
    yield from _listed(exp, names)
    listed = isinstance(names.data.get("skip"), list)
    for index, skip in enumerate(exp.skip):
        place = names.place("skip", index) if listed else ("skip",)
        for name, among in skip.when.items():
            for level in among:
                yield from levels_faults({name: level}, (*place, "when"), names)


def _words(exp: Experiment) -> Iterator[Finding]:
    for name, factor in exp.factors.items():
        every = {word for level in factor.levels for word in factor.words(level)}
        for level in factor.levels:
            own = factor.words(level)
            for word in own:
                path = ("factors", name, level, SET, word)
                if word in reserved(exp):
                    yield path, f"`{word}` cannot be set: {{{word}}} is filled in by the run", True
                elif word in exp.factors:
                    yield path, f"`{word}` cannot be set: it is a factor, with its own levels", True
            missing = sorted(every - set(own))
            if missing:
                message = f"the level `{level}` does not set `{missing[0]}`, and others of it do"
                yield ("factors", name, level), message, True


def _shared(exp: Experiment) -> Iterator[Finding]:
    """Refuse a key that two factors change: nobody could say which of them it is."""
    keys = {
        name: {key for over in factor.levels.values() for key in _leaves(over)}
        for name, factor in exp.factors.items()
    }
    for one, other in itertools.combinations(exp.factors, 2):
        for key in sorted(keys[one]):
            if any(_within(key, theirs) for theirs in keys[other]):
                shown = ".".join(key)
                message = f"the factors `{one}` and `{other}` both set `{shown}`: let one of them"
                yield ("factors", other), message, True
                break


def _leaves(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, (*path, str(key)))
    elif path:
        yield path


def _within(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    length = min(len(one), len(other))
    return one[:length] == other[:length]


def _listed(exp: Experiment, names: Names) -> Iterator[Finding]:
    if not exp.treatments:
        return
    if exp.skip:
        yield ("skip",), "`treatments` lists what is run: nothing is left to skip", True
    seen: list[dict[str, str]] = []
    for index, cell in enumerate(exp.treatments):
        path = names.place("treatments", index)
        yield from levels_faults(cell, path, names)
        missing = [name for name in exp.factors if name not in cell]
        if missing:
            yield path, f"names no level of `{missing[0]}`", False
        if cell in seen:
            yield path, "is there twice", False
        seen.append(cell)
