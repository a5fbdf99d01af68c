"""All that a spec decides, as data: what is sent, built, ordered, judged and reported."""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path
from typing import Any

import msgspec

from runner.analysis.judge import judge
from runner.apply import building
from runner.apply.checks import requirements
from runner.compile.program import LoadRequest, TrialRequest, load_program, trial_program
from runner.errors import RunnerError
from runner.kinds.resources.interface import UNSET
from runner.lint import lint
from runner.planning.layers import Declared, declared_of, groups_of, plan_layers, reads
from runner.planning.order import whole
from runner.planning.state import sources, with_sources
from runner.records.manifest import Manifest
from runner.report.pages.render import render
from runner.spec.expand import expand
from runner.spec.experiment import Experiment
from runner.spec.treatments import treatments, with_levels
from tests.events import typed

FACTS: dict[str, Any] = {
    "arch": "x86_64", "boot_id": "b", "cgroup.version": 2, "cgroup.own": "/", "host.root": True,
    "cgroup.mounts": {"unified": "/sys/fs/cgroup"},
    "cgroup.controllers": ["cpu", "cpuset", "io", "memory", "pids"], "kernel.cmdline": "a psi=0",
    "cpu.policies": ["policy0"], "cpu.governors": {"policy0": "performance powersave"},
    "cpu.hardware_max_khz": {"policy0": 1500000}, "tools": {"wrk": "/usr/bin/wrk"},
    "packages.manager": "apt", "systemd.version": 252, "net.interfaces": ["lo", "eth0"],
    "swap.devices": [{"path": "/swap", "priority": -2}], "memory.hugepage_bytes": 2097152,
    "clock.source": "tsc", "thp": "madvise", "page_bytes": 4096, "init": "systemd",
}  # fmt: skip


CLOCKS = {"scaling_min_freq": "700000", "scaling_max_freq": "1400000",
          "cpuinfo_min_freq": "600000", "cpuinfo_max_freq": "1500000"}  # fmt: skip
"""Of a policy, in kHz."""


class Record:
    """Twelve trials of a program that prints numbers, by the treatments of the spec."""

    def __init__(self, experiment: Experiment) -> None:
        self.facts = {"local": FACTS}
        self.changes: list[dict[str, Any]] = []
        self._events: dict[str, list[Any]] = {}
        trials = {}
        for at, levels in enumerate(treatments(experiment)[:4]):
            for repetition in range(1, 7):
                name = f"t{at}-r{repetition}-a1"
                text = json.dumps({"x": 10 + at + repetition / 8, "y": repetition})
                trials[name] = {
                    "host": "local", "treatment": dict(levels), "repetition": repetition,
                    "attempt": 1, "connections": None, "steps": [], "loads": [],
                    "extra": {"build.size": 5000 + at},
                }  # fmt: skip
                self._events[name] = typed([
                    {"event": "trial_started", "monotonic": 1.0, "t": 0.0},
                    {"event": "workload_started", "pid": 2, "t": 0.1},
                    {"event": "columns", "names": ["procfs.status.VmRSS"], "t": 0.1},
                    {"event": "idle_started", "t": 0.1},
                    *({"event": "sample", "t": 0.12 + n / 50, "v": [1000 + 10 * n]} for n in range(9)),
                    {"event": "output", "stream": "stdout", "text": text, "t": 0.2},
                    {"event": "workload_exited", "pid": 2, "code": 0, "signal": None, "t": 0.4,
                     "oom_killed": False, "oom_kills": 0, "expected": True, "left": [],
                     "cpu_s": 0.1, "max_rss_bytes": 1000},
                    {"event": "idle_ended", "t": 0.5, "at_start": {}, "at_end": {}},
                    {"event": "end", "ok": True, "error": None},
                ])  # fmt: skip
        said = {
            "id": "20260101T000000Z-000000", "experiment": experiment.name, "state": "done",
            "started_at": 1.0, "ended_at": 9.0, "why": "", "trials": trials,
            "environment": {"local": {"before": {}, "treatments": {}, "after": {}}},
        }  # fmt: skip
        self.manifest = msgspec.convert(said, Manifest)

    def samples(self, trial: str) -> None:
        return None

    def iter_events(self, trial: str) -> list[Any]:
        return self._events[trial]


def decided(experiment: Experiment, requests: list[Any], *, strict: bool = False) -> str:
    """Give everything that a spec decides; `requests` hears what would be built.

    What cannot be carried out is part of it as its message; with `strict` it is raised.
    """
    return repr([
        _sent(experiment, requests, strict=strict), _state(experiment, strict=strict),
        _order(experiment), _said(experiment),
    ])  # fmt: skip


def _sent(experiment: Experiment, requests: list[Any], *, strict: bool) -> list[Any]:
    found: list[Any] = [experiment.hosts.names(), experiment.lint]
    for levels in treatments(experiment):
        treated = with_levels(experiment, levels)
        made: list[Any] = [levels]
        for part in (_trial, _load):
            try:
                made.append(part(treated))
            except (RunnerError, AssertionError, AttributeError) as error:
                if strict and part is _trial:  # a load there need not be
                    raise
                made.append(str(error))
        requests.clear()
        try:
            building.Builder(Path("/none"), Path("/none")).build(treated, FACTS)
        except (RunnerError, StopIteration) as error:
            made.append(str(error))
        found.append([made, repr(requests)])
    found.append(requirements.unmet(experiment, dict.fromkeys(experiment.hosts.names(), FACTS)))
    return found


def _trial(treated: Experiment) -> Any:
    level = treated.search.low if treated.search else None
    made = trial_program(treated, FACTS, TrialRequest(trial="t", connections=level, settle=True))
    return made.program, made.steps  # what was asked of each step goes into the record


def _load(treated: Experiment) -> Any:
    level = treated.search.low if treated.search else None
    return load_program(
        treated,
        FACTS,
        LoadRequest(trial="t", share=(0, 1), server="s", port=1, at=0.0, connections=level),
    ).program


def _with_files(system: Any) -> Any:
    return with_sources(system, {name: name.encode() for name in sources(system)})


def _state(experiment: Experiment, *, strict: bool) -> Any:
    found = declared_of(experiment)
    declared = Declared(
        _with_files(found.base), {name: _with_files(one) for name, one in found.own.items()},
        found.levels,
    )  # fmt: skip
    values: dict[str, Any] = {}
    for cell in reads(declared):
        clock = CLOCKS.get(cell["id"].rpartition("/")[2], "1")
        values[cell["id"]] = None if cell["via"] in ("file", "swap", "cgroup") else clock
        if cell["id"] == "kernel_cmdline:/boot/cmdline.txt":
            line = base64.b64encode(b"a psi=0\n").decode()
            values[cell["id"]] = {"type": "file", "bytes_b64": line}
        if cell["id"] == "kernel_cmdline:now":
            values[cell["id"]] = "a psi=0"
    try:
        plan, layers = plan_layers(declared, FACTS, values)
    except RunnerError as error:
        if strict:
            raise
        return str(error)
    cells = [c.to_json() for c in (*plan.packages, *plan.cells, *plan.actions)]
    if strict and plan.refused:
        raise RunnerError(f"refused: {plan.refused}")
    own = {
        name: [(c.id, c.want is UNSET or c.want) for c in one.cells] for name, one in layers.items()
    }
    return [cells, own, plan.skipped, plan.unknown, plan.refused,
            groups_of(layers, treatments(experiment))]  # fmt: skip


def _order(experiment: Experiment) -> Any:
    repeat, search = experiment.repeat, experiment.search
    rng = random.Random(repeat.order.seed or 1)
    cells = treatments(experiment)
    slots = whole(len(cells), (repeat.minimum, repeat.maximum), repeat.order.by, rng)
    # schedule.py hands these on to the stop rule, the attempts and the search as they are
    return [slots, repeat, search]


def _said(experiment: Experiment) -> Any:
    record = Record(experiment)
    found: list[Any] = [lint(experiment)]
    analysis = judge(record, experiment)
    # what the record holds is read back, as `runner report` does
    recorded = Experiment.model_validate(json.loads(json.dumps(expand(experiment))))
    report = render(record.manifest, recorded, record.facts, record.changes, analysis)
    return [*found, analysis, report.markdown if hasattr(report, "markdown") else repr(report)]
