"""The facts of one host over the time of a run, for its record."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from runner.apply.public import recorded
from runner.planning.facts import difference
from runner.records.host_events import FactsRead
from runner.records.manifest import Times

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.records.events import AnyEvent


@dataclass
class FactsInTime:
    """Facts as found, with the base in force, with each treatment's state, and at the end."""

    before: dict[str, object] = field(default_factory=dict)
    during: dict[str, object] = field(default_factory=dict)
    treatments: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What differs from `during`, by the id of the treatment."""
    after: dict[str, Any] | None = None
    """What differs from `before`; None until everything was put back."""
    last: Mapping[str, object] | None = None
    """What the program that ran last has read; None where it has read none."""

    def listen(self) -> Callable[[AnyEvent], None]:
        """Give what hears the facts that one program reads."""
        self.last = None

        def hear(event: AnyEvent) -> None:
            if isinstance(event, FactsRead):
                self.last = event.facts

        return hear

    @classmethod
    def of_record(cls, during: Mapping[str, object], kept: Times | None) -> FactsInTime:
        """Give what an earlier part of a run has recorded, from before it changed anything."""
        if not during:
            return cls()
        facts = dict(during)
        if kept is None:
            return cls(dict(facts), facts)
        return cls({**facts, **kept.before}, facts, dict(kept.treatments))

    def found(self, facts: Mapping[str, object]) -> None:
        """Note the facts of a probe; those of the first are what the run has found."""
        if not self.before:
            self.before = dict(facts)
        self.during = dict(facts)

    def converged(self, facts: Mapping[str, object]) -> None:
        """Note the facts with the base in force."""
        self.during = dict(facts)

    def laid(self, treatment: str, facts: Mapping[str, object]) -> None:
        """Note the facts with a treatment's state in force."""
        self.treatments[treatment] = difference(recorded(facts), recorded(self.during))

    def restored(self, facts: Mapping[str, object]) -> None:
        """Note the facts after everything was put back."""
        before = recorded(self.before)
        left = difference(recorded(facts), before)
        # a host says whether it is root in the probe alone
        self.after = {name: value for name, value in left.items() if name in facts}

    def record(self) -> Times:
        """Give what run.json keeps beside the facts during the trials: differences only."""
        during = recorded(self.during)
        before = recorded(self.before)
        return Times(
            {name: before.get(name) for name in difference(during, before)},
            self.treatments,
            self.after,
        )
