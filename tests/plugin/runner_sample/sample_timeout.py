"""A rule of a team's own: its servers may take two seconds for an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.lint.model import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.lint.subject import Subject


def _short(subject: Subject) -> Iterator[tuple[str, str]]:
    load = subject.base.load
    if load is not None and load.timeout.seconds < 2:
        yield "load.timeout", f"{load.timeout.seconds:g} s are less than a server may take"


RULES = (
    Rule(
        "sample-timeout",
        "note",
        "The load gives up before the server has to answer.",
        "An answer after 1.5 s counts as an error, and is one to nobody else.",
        "Leave load.timeout out, or say 2s or more.",
        "The team's own rules",
        _short,
    ),
)
