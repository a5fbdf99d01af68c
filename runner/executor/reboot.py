"""Reboot a host and wait until it is there again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from runner.errors import HostUnreachable, RunnerError
from runner.executor.agent import StreamCut
from runner.executor.probe import probe
from runner.records.host_events import Rebooting

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.executor.agent import Agent
    from runner.records.cells import Cell

WITHIN_S: Final = 600.0
"""A Raspberry Pi is back within a minute, an emulated board within two."""
POLL_S: Final = 2.0
_BOOT_ID: Final[Cell] = {
    "id": "boot_id", "via": "pseudo", "path": "/proc/sys/kernel/random/boot_id",
}  # fmt: skip


def reboot(
    agent: Agent,
    *,
    within_s: float = WITHIN_S,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> str:
    """Reboot; give the new boot_id. HostUnreachable when it stays away.

    The run has to hold the host: its hold outlives this one boot.
    """
    ended = ""
    try:
        for event in agent.run({"program": "reboot"}):
            if isinstance(event, Rebooting):
                ended = event.boot_id
    except (HostUnreachable, StreamCut):
        if not ended:
            raise
    return back(agent, ended, within_s=within_s, sleep=sleep, clock=clock)


def booted(agent: Agent) -> str:
    """Give the boot_id of a host; HostUnreachable where it does not answer."""
    return str(probe(agent, [_BOOT_ID], facts=False).values["boot_id"].value)


def back(
    agent: Agent,
    ended: str,
    *,
    within_s: float,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> str:
    """Wait until a host answers in another boot than `ended`; give its boot_id.

    HostUnreachable when it stays away, or stays in its boot.
    """
    agent.transport.close()
    until = clock() + within_s
    while True:
        sleep(POLL_S)
        why = "it answers, in the same boot as before"
        try:
            boot_id = booted(agent)
        except RunnerError as error:
            # going down and coming up, it refuses in many ways
            why = error.message
            agent.transport.close()
        else:
            if boot_id != ended:
                return boot_id
        if clock() > until:
            raise HostUnreachable(
                f"{agent.name}: did not come back within {within_s:.0f} s of its reboot: {why}",
                fix="look at its screen or power; once it is back, `runner restore "
                f"{agent.name}` puts back what was changed",
            )
