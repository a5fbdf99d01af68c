"""`kernel_cmdline` with `reboot: allowed`: edit, reboot, wait, go on, put back.

The host is a real sshd in a pid and mount namespace whose boots are those of machine.py;
tests/board/test_reboot.py shows the same on a board that really boots.
"""

from __future__ import annotations

import json
import os

import pytest

from tests.apply.conftest import LINE
from tests.apply.specs import running
from tests.sshd import answers
from tests.waiting import until

SPEC = """\
schema: experiment/1
name: reboot
hosts: {server: board}
requires:
  server.kernel.cmdline: {contains: cgroup_enable=memory}
system:
  kernel_cmdline: {present: [cgroup_enable=memory], absent: [quiet], reboot: allowed}
  sysctl: {vm.stat_interval: 2}
workload: {argv: [cat, /proc/cmdline], run: once}
metrics:
  wall: {from: workload.wall, unit: ms}
"""
STATE = SPEC.split("workload:", maxsplit=1)[0]
EDITED = "root=PARTUUID=1-02 rootwait cgroup_enable=memory\n"


def test_edits_reboots_and_goes_on(machine):
    """The words are in force when the workload runs; afterwards the file is as it was."""
    first = machine.boot
    assert "would be rebooted" in machine("apply", str(machine.spec(SPEC)), "--check").stderr
    assert machine.line == LINE
    done = machine("apply", str(machine.spec(SPEC)), "-v")
    assert machine.boot != first
    assert "changed  kernel_cmdline:/boot/firmware/cmdline.txt" in done.stderr
    assert "reboot board" in done.stderr
    assert "restored kernel_cmdline:/boot/firmware/cmdline.txt" in done.stderr
    assert "until the next reboot" in done.stderr
    assert machine.line == LINE
    (run,) = (machine.reports / "reboot").iterdir()
    facts = json.loads((run / "facts.json").read_text())["board"]
    assert facts["boot_id"] == machine.boot.strip()
    # in force still, so the next run needs no reboot
    second = machine.boot
    machine("apply", str(machine.spec(SPEC)))
    assert machine.boot == second
    assert json.loads(machine("status", "board", "--json").stdout)["board"]["applied"] == []


def test_what_only_another_kernel_could_do_is_unknown_until_it_has_booted(machine):
    """Not refused: the clock source may be there after the boot. If not, it is refused then."""
    text = STATE + "  clock_source: none-of-this-kernel\n"
    done = machine("apply", str(machine.spec(text)), "--check", code=None)
    assert "unknown (depends on kernel_cmdline:/boot/firmware/cmdline.txt: " in " ".join(
        done.stderr.split()
    )
    assert "would be rebooted" in done.stderr
    assert machine.line == LINE
    first = machine.boot
    done = machine("apply", str(machine.spec(text)), code=2)
    assert machine.boot != first
    assert "clock_source" in done.stderr
    assert "none-of-this-kernel" in done.stderr
    assert machine.line == LINE


def test_words_that_do_not_come_are_an_error_and_the_file_is_put_back(machine):
    """A boot loader that reads another file."""
    (machine.machine / "deaf").touch()
    done = machine("apply", str(machine.spec(STATE)), code=2)
    assert "its kernel came up as before" in done.stderr
    assert machine.line == LINE


def test_a_host_that_reboots_is_held_and_a_dead_run_is_undone(machine):
    """Another controller is refused after the boot; `restore` needs the journal alone."""
    first = machine.boot
    process = machine.start("apply", str(machine.spec(STATE)))
    running(process, lambda: (machine.machine / "asked").exists() or machine.boot != first)
    process.kill()
    process.communicate()
    until(lambda: machine.boot != first)
    until(lambda: answers(machine.port))
    assert machine.line == EDITED
    done = machine("apply", str(machine.spec(STATE)), code=5)
    assert "host busy" in done.stderr
    said = json.loads(machine("status", "board", "--json").stdout)["board"]
    assert said["alive"]
    assert [one["state"] for one in said["applied"]] == ["applied"]
    machine("restore", "board")
    assert machine.line == LINE


@pytest.mark.skipif(os.geteuid() != 0, reason="would edit the kernel's command line")
def test_without_the_word_allowed_nothing_is_edited(machine):
    """The plan says which line of which file."""
    first = machine.boot
    text = STATE.split("requires:", maxsplit=1)[0] + "system:" + STATE.split("system:")[1]
    done = machine("apply", str(machine.spec(text.replace("allowed", "never"))), code=2)
    assert (
        "append `cgroup_enable=memory` to the one line of /boot/firmware/cmdline.txt" in done.stderr
    )
    assert machine.boot == first
    assert machine.line == LINE
