"""One job's share of an experiment: some blocks of a whole that several jobs run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.apply.schedule import run_share
from runner.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.apply.boards.revive import Reviver
    from runner.apply.trials import TrialRunner


@dataclass(frozen=True)
class Part:
    """Conducts the trials of a run that is one share of several."""

    total: int
    """Blocks of all shares."""
    numbers: tuple[int, ...]
    """Those of this one."""

    def __call__(self, runners: Sequence[TrialRunner], revive: Reviver) -> None:
        """Build, then run the blocks in their order."""
        if len(runners) != 1:
            raise SpecError("a job runs on one board", fix="submit it: runner lab submit EXP")
        run_share(runners[0], self.total, self.numbers, revive)
