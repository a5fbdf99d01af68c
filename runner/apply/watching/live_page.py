"""The page of a run that goes on, by its record: trials that have ended, judged once each."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from runner.analysis.judge import Looked, judge, look
from runner.errors import RecordError
from runner.report.pages import site
from runner.store import events
from runner.store.keeping import LINES
from runner.store.names import safe_name
from runner.store.record import CHANGES, EVENTS, RunFolder

if TYPE_CHECKING:
    from pathlib import Path

    from runner.analysis.judge import Record
    from runner.spec.experiment import Experiment

TAIL_BYTES: Final = 65_536
_END: Final = b'{"event":"end"'


class LivePage:
    """One run's page; it is made where somebody asks and something is new, not before."""

    def __init__(self, folder: RunFolder, experiment: Experiment) -> None:
        self._folder, self._experiment = folder, experiment
        self._lock = threading.Lock()
        self._over: set[str] = set()
        self._looked: dict[str, Looked] = {}
        self._made = ("", "")

    def stamp(self) -> str:
        """What is there to be seen: another text where the page would be another one."""
        manifest = self._folder.manifest
        over = sum(self._ended(trial) for trial in self._whole(*manifest.trials))
        changes = self._folder.path / CHANGES
        changed = changes.stat().st_size if changes.exists() else 0
        return f"{manifest.state}-{len(manifest.trials)}-{over}-{changed}"

    def text(self) -> str:
        """Give the page as HTML; RecordError or OSError where the record is just being written."""
        with self._lock:
            stamp = self.stamp()
            if self._made[0] != stamp:
                analysis = judge(self._folder, self._experiment, self._look)
                self._made = (stamp, site.live(self._folder, self._experiment, analysis, stamp))
            return self._made[1]

    def _look(self, record: Record, experiment: Experiment, trial: str) -> Looked:
        if trial not in self._looked:
            if not all(map(self._ended, self._whole(trial))):
                raise RecordError("is running")
            self._looked[trial] = look(record, experiment, trial)
        return self._looked[trial]

    def _whole(self, *trials: str) -> list[str]:
        """Give trials and those of the hosts that their load comes from."""
        planned = self._folder.manifest.trials
        return [one for id_ in trials for one in (id_, *(load.id for load in planned[id_].loads))]

    def _ended(self, trial: str) -> bool:
        if trial not in self._over:
            path = self._folder.path / EVENTS / f"{safe_name(trial)}{LINES}"
            if events.packed(path) or _last_line(path).startswith(_END):
                self._over.add(trial)
        return trial in self._over


def _last_line(path: Path) -> bytes:
    """Give the last whole line of a file, if it is not a long one; else nothing."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL_BYTES))
            tail = file.read(TAIL_BYTES)
    except OSError:
        return b""
    return tail[:-1].rpartition(b"\n")[2] if tail.endswith(b"\n") else b""
