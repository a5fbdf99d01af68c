"""What `repeat.levels` needs of the rest of the spec: blocks, a program that is built, boards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.spec.sections.replication import every

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.spec.experiment import Experiment
    from runner.specfile.names import Finding, Names

_FLAG = "-randlayout"


def replicated(exp: Experiment, level: str) -> bool:
    """Say whether a level of replication is varied."""
    levels = exp.repeat.levels
    return bool(level) and levels is not None and getattr(levels, level) is not None


def levels_of_replication(exp: Experiment, names: Names) -> Iterator[Finding]:
    """Check what varies between blocks."""
    levels = exp.repeat.levels
    if levels is None:
        return
    path = ("repeat", "levels")
    if exp.repeat.order.by == "random":
        message = "`random` mixes blocks, and a block has one boot and one layout: use `blocks`"
        yield ("repeat", "order", "by"), message, False
    for name in ("boot", "build"):
        lasts = every(getattr(levels, name))
        if lasts is not None and lasts > 1 and len(exp.hosts.server) > 1:
            message = f"several boards take blocks by turns: write `{name}: block`"
            yield (*path, name), message, False
    if levels.build is not None and not _built(exp) and "schema" in names.sections:
        message = "nothing is built, so that nothing can be laid out: add `build`, or leave it out"
        yield (*path, "build"), message, False
    if levels.build is not None and _own_order(exp):
        message = f"`{_FLAG}` fixes one link order: leave it out, each block has its own"
        yield ("build", "ldflags"), message, False


def _of_levels(exp: Experiment) -> Iterator[Mapping[str, object]]:
    for factor in exp.factors.values():
        yield from factor.levels.values()


def _built(exp: Experiment) -> bool:
    return exp.build is not None or any("build" in over for over in _of_levels(exp))


def _own_order(exp: Experiment) -> bool:
    own = exp.build.ldflags if exp.build is not None else ()
    return any(str(word).lstrip("-").startswith(_FLAG.lstrip("-")) for word in own)
