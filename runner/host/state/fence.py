"""The fence: of the jobs of a queue that run the same run, the last one to take this host.

It outlives the hold: a job that its queue has given up may still be alive, and must not write
on, neither beside the later one nor when that is done.
"""

from __future__ import annotations

import json

from .state_folder import Refused, write_whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Tuple

    from .state_folder import State

_BYTES = 1 << 16


def job_of(value: object) -> int:
    """Give the number of a job; 0 for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def last(state: State) -> Tuple[str, int]:
    """Give the run that a job of a queue last took this host for, and that job; 0: none did."""
    try:
        with open(state.path("fence.json"), encoding="utf-8") as file:
            content = json.loads(file.read(_BYTES))
        return str(content["run"]), job_of(content["job"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return "", 0


def refuse_if_outrun(state: State, run: str, job: object) -> None:
    """Raise Refused `busy` for a job that a later one of the same run has taken this host from."""
    own = job_of(job)
    before, later = last(state)
    if own and before == run and later > own:
        raise Refused(
            "busy",
            f"job {later} has taken this host over from job {own} of run {run}",
            f"end this one: scancel {own}",
        )


def set_up(state: State, run: str, job: object) -> None:
    """Note that a job takes this host; Refused where a later one has it."""
    own = job_of(job)
    if not own:
        return
    refuse_if_outrun(state, run, own)
    if last(state) != (run, own):
        write_whole(state.path("fence.json"), json.dumps({"run": run, "job": own}).encode())
