"""Start the host anew, for a run that changed what only a boot puts in force."""

from __future__ import annotations

import os

from ..state import holds, state_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List

    from runner.records.program import Asked

    from ..emit import Emit

_REFUSED_WITHIN_S = 10.0


def run(program: Asked, where: state_folder.State, emit: Emit) -> bool:
    """Note in the hold that its run comes back, then reboot; Refused without hold or root.

    Says `rebooting` with the boot_id that ends. What is journalled was made durable
    before it was applied; sync(2) writes the rest.
    """
    if os.geteuid() != 0:
        raise state_folder.Refused(
            "need_root", "only root can reboot", "set `become: true` of the host"
        )
    with state_folder.locked(where):
        holds.leave_for_a_boot(where, str(program["run"]))
    emit("rebooting", boot_id=state_folder.boot_id())
    os.sync()
    _ask(["systemctl", "reboot"] if os.path.isdir("/run/systemd/system") else ["reboot"])
    return True


def _ask(argv: List[str]) -> None:
    import subprocess

    try:
        # a session of its own: the link's end must not take the command with it
        asked = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as fault:
        raise state_folder.Refused(
            "internal", f"cannot run {argv[0]}: {fault.strerror}", "reboot it by hand"
        ) from fault
    try:
        _, stderr = asked.communicate(timeout=_REFUSED_WITHIN_S)
    except subprocess.TimeoutExpired:
        return  # some wait for the end they have asked for
    if asked.returncode > 0:
        text = stderr.decode("utf-8", "replace").strip()
        raise state_folder.Refused(
            "internal", f"{' '.join(argv)}: exit {asked.returncode}: {text}", "reboot it by hand"
        )
