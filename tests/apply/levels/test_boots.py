"""`repeat.levels: {boot: block}`: each block has a boot of its own, and the command line may vary.

The host is `machine` of tests/apply/conftest.py.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from runner.store.record import RunFolder
from tests.apply.conftest import LINE, Machine

if TYPE_CHECKING:
    from collections.abc import Callable

SPEC = """\
schema: experiment/1
name: boots
hosts: {server: board}
system:
  sysctl: {vm.stat_interval: 2}
workload: {argv: [sh, -c, PRINT], run: once}
factors:
  kernel:
    plain: {}
    enabled: {system: {kernel_cmdline: {present: [cgroup_enable=memory], reboot: allowed}}}
repeat: {between: [2, 2], levels: {boot: block}}
metrics:
  wall: {from: workload.wall, unit: ms}
  memory: {from: stdout.json.memory}
  interval: {from: stdout.json.interval}
"""
PRINT = (
    'printf \'{"memory": %s, "interval": %s}\' "$(grep -c cgroup_enable=memory /proc/cmdline)" '
    '"$(cat /proc/sys/vm/stat_interval)"'
)


def test_each_block_and_each_command_line_has_a_boot_of_its_own(machine: Callable[..., object]):
    """What is declared is in force after every boot; nothing is left of it at the end."""
    assert isinstance(machine, Machine)
    machine("apply", str(machine.spec(SPEC.replace("PRINT", json.dumps(PRINT)))), "-v")
    (run,) = (machine.reports / "boots").iterdir()
    folder = RunFolder.open(run)
    trials = folder.manifest.trials.values()
    assert len({trial.boot for trial in trials}) == 4
    assert {(trial.repetition, trial.boot_of_block) for trial in trials} == {(1, "1"), (2, "2")}
    analysis = json.loads((run / "artifacts/analysis.json").read_text())
    told = {(e["metric"], e["treatment"]["kernel"]): e["values"] for e in analysis["estimates"]}
    assert told["memory", "enabled"] == [1.0, 1.0]
    assert told["memory", "plain"] == [0.0, 0.0]
    assert told["interval", "plain"] == told["interval", "enabled"] == [2.0, 2.0]
    assert machine.line == LINE
    report = (run / "artifacts/report.md").read_text()
    assert "Between repetitions varied: 2 boots." in report
