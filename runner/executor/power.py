"""Switch a host off and on by the command that the inventory says; it runs on this machine."""

from __future__ import annotations

import shlex
import subprocess
from typing import TYPE_CHECKING, Final

from runner.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMAND_S: Final = 120.0
"""A switch that waits between off and on takes some ten seconds."""
SHOWN: Final = 300


def cycle(argv: Sequence[str], host: str) -> None:
    """Run the command to its end, without a shell; HostError where it fails."""
    command = shlex.join(argv)
    fix = f"run it by hand, then mend `power.cycle` of {host} in the inventory"
    try:
        done = subprocess.run(
            list(argv), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=COMMAND_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise HostError(f"{host}: {command}: not done after {COMMAND_S:.0f} s", fix=fix) from None
    except (OSError, ValueError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else str(fault)
        raise HostError(f"{host}: {command}: {why}", fix=fix) from None
    if done.returncode:
        text = " ".join(done.stdout.decode("utf-8", "replace").split())[-SHOWN:]
        raise HostError(f"{host}: {command}: exit {done.returncode}: {text}", fix=fix)
