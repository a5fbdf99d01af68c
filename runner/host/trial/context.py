"""What the parts of one running trial share."""

from __future__ import annotations

import time

from ..sample.sampler import Sampler
from .loop import Loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Optional, Sequence, Set

    from runner.records.program import TrialAsked

    from ..mask import Mask
    from ..state.pen import Pen
    from ..state.state_folder import State
    from .spool import Spool


class Aborted(Exception):  # noqa: N818 - a way for a trial to end
    """The trial ends early; the record so far is good. The message is the `why`."""

    timed_out = False
    limit_s: Optional[float] = None


class TimedOut(Aborted):
    """A program that was to end by itself has not; with a `limit_s` that is its result."""

    timed_out = True

    def __init__(self, why: str, limit_s: Optional[float] = None) -> None:
        super().__init__(why)
        self.limit_s = limit_s


class Context:
    """Program, clock, spool, loop and the words that fill {places}."""

    def __init__(
        self,
        program: TrialAsked,
        state: State,
        folder: str,
        spool: Spool,
        loop: Optional[Loop] = None,
    ) -> None:
        """Begin; `loop` is that of the trial before, whose children go on."""
        self.program, self.state, self.folder = program, state, folder
        self.run = str(program["run"])
        self.start = time.monotonic()
        self.loop = loop or Loop()
        self.words: Dict[str, str] = {"dir": folder}
        self.own: Optional[Dict[str, str]] = None
        """The words as a workload of another user has them, while it is started."""
        self.generator = 0
        """Pid of the load generator while one runs: below us, but not the workload's."""
        self.helpers: Set[int] = set()
        """Pids of processes that faults need: below us as well, and not the workload's."""
        self._spool: Optional[Spool] = spool
        self.mask: Optional[Mask] = None
        self._pen: Optional[Pen] = None
        if program.get("secrets"):
            from ..mask import Mask

            self.mask = spool.mask = Mask(map(str, program["secrets"]))
        sample = program.get("sample") or {"hz": 10, "reads": []}
        self.sampler = Sampler(sample["reads"], float(sample["hz"]), self.start, self.emit)
        self.sampler.ours = lambda: {self.generator, *self.helpers}

    @property
    def pen(self) -> Pen:
        """The group that holds what has no group of its own; made when it is first asked for."""
        if self._pen is None:
            from ..state.pen import Pen

            self._pen = Pen(self.folder)
        return self._pen

    def empty_pen(self, *, kept: bool) -> None:
        """End what is in it, where nothing is kept for a next trial."""
        pen = self._pen
        if pen is None or (kept and not pen.empty()):
            return
        why = pen.remove()
        self._pen = None
        if why:
            self.emit("cgroup_left", why=[why])

    def emit(self, event: str, **fields: object) -> None:
        """Append an event to the spool, with its time since the trial's start."""
        fields.setdefault("t", self.now())
        if self._spool is not None:
            self._spool.emit(event, **fields)

    @property
    def kept_from(self) -> Optional[str]:
        """The trial before this one, whose workload goes on in it."""
        keep = self.program.get("keep")
        return keep["after"] if keep else None

    def close(self) -> None:
        """End the record: what is emitted from now on belongs to no trial."""
        spool, self._spool = self._spool, None
        if spool is not None:
            spool.close()

    def now(self) -> float:
        """Seconds since the trial's start, on the monotonic clock."""
        return round(time.monotonic() - self.start, 6)

    def sample(self, *, on: bool = True) -> None:
        """Start or stop sampling; a pause counts no missed ticks."""
        self.loop.sampler = self.sampler if on else None
        if on:
            self.sampler.begin()

    def fill(self, text: str) -> str:
        """Put the words into a text; what is not a known {place} stays as it is."""
        for name, word in (self.own or self.words).items():
            text = text.replace(f"{{{name}}}", word)
        return text

    def fill_all(self, items: Sequence[str]) -> Sequence[str]:
        """Put the words into each item of an argv."""
        return [self.fill(str(item)) for item in items]
