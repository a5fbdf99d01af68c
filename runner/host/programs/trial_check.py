"""Refusing a trial program that cannot be carried out, before anything is done."""

from __future__ import annotations

import os
import re
import signal

from ..sample import extract
from ..state.state_folder import Refused, State
from ..trial.readiness import STREAMS, pattern_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Sequence

    from runner.records.program import Fault, TrialAsked
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
SHA256 = re.compile(r"[0-9a-f]{64}")
FETCH_WHEN = ("before", "during_step", "after_step", "after")
MOST_HZ = 1000
MOST_COLUMNS = 2000
MOST_STEPS = 1000
MOST_FILE_BYTES = 4 << 20
# a row's `event`, `at`, `t`, and about this much for each value
ROW_BYTES, VALUE_BYTES = 70, 10
SPARE_BYTES = 1 << 20


def check(program: TrialAsked, here: State) -> None:
    """Raise Refused: `bad_program` with every fault, or `disk_full`."""
    try:
        faults = list(_faults(program))
        need = SPARE_BYTES + (0 if faults else _size(program))
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        text = f"{type(fault).__name__}: {fault}"
        raise Refused("bad_program", "the trial program is malformed: " + text) from fault
    if faults:
        raise Refused("bad_program", "; ".join(faults))
    disk = os.statvfs(here.root)
    free = disk.f_bavail * disk.f_frsize
    if free < need:
        raise Refused(
            "disk_full",
            f"the record needs about {need} bytes, {here.root} has {free}",
            "free some space, or sample fewer columns at a lower rate",
        )


def _faults(program: TrialAsked) -> List[str]:
    faults: List[str] = []
    if program.get("network", "host") not in ("host", "isolated"):
        faults.append("network is host or isolated, not {!r}".format(program["network"]))
    if program.get("network_cells") and program.get("network") != "isolated":
        faults.append("network_cells need network: isolated; on the host they belong in converge")
    for item in program.get("files") or []:
        if not FILE_NAME.fullmatch(item["name"]):
            faults.append("{!r} is not a plain file name".format(item["name"]))
        if len(item.get("text") or item.get("base64") or "") > MOST_FILE_BYTES:
            faults.append(f"file {item['name']} is larger than {MOST_FILE_BYTES} bytes")
    for name, blob in (program.get("upload") or {}).items():
        if not SHA256.fullmatch(blob["sha256"]):
            faults.append(f"upload {name} has no sha256")
    keep = program.get("keep")
    if keep and float(keep["for_s"]) <= 0:
        faults.append("keep.for_s is above 0, not {!r}".format(keep["for_s"]))
    faults += _faults_asked(program.get("faults") or [])
    return faults + _end(program) + _sample(program) + _workload(program) + _load(program)


def _faults_asked(asked: Sequence[Fault]) -> List[str]:
    faults = []
    for fault in asked:
        name = "fault {}".format(fault["index"])
        if fault["kind"] not in ("network", "process", "memory"):
            faults.append(f"{name} is of no known kind: {fault['kind']!r}")
        if float(fault["at_s"]) < 0:
            faults.append(f"{name} is before the load")
        if float(fault.get("for_s") or 0) <= 0 and fault.get("do") != "kill":
            faults.append(f"{name} has no end")
    return faults


def _end(program: TrialAsked) -> List[str]:
    faults = []
    name = "SIG" + str((program.get("stop") or {}).get("signal", "TERM"))
    if name not in signal.Signals.__members__:
        faults.append(f"stop.signal is a name like TERM, not {name[3:]!r}")
    faults += [
        f"fetch {item['name']} needs a url or path, and when: {', '.join(FETCH_WHEN)}"
        for item in program.get("fetch") or []
        if item["when"] not in FETCH_WHEN or not (item.get("url") or item.get("path"))
    ]
    return faults


def _sample(program: TrialAsked) -> List[str]:
    sample = program.get("sample")
    if not sample:
        return []
    faults = []
    if not 0 < float(sample["hz"]) <= MOST_HZ:
        faults.append(f"sample.hz is above 0 and at most {MOST_HZ}, not {sample['hz']!r}")
    for read in sample["reads"]:
        try:
            extract.columns(read["id"], read["pick"])
        except ValueError as fault:
            faults.append("read {}: {}".format(read["id"], fault))
        if not 0 < float(read.get("hz") or sample["hz"]) <= MOST_HZ:
            faults.append("read {} has hz {!r}".format(read["id"], read["hz"]))
    names = [name for read in sample["reads"] for name in extract.columns(read["id"], read["pick"])]
    if len(names) > MOST_COLUMNS:
        faults.append(f"{len(names)} columns, at most {MOST_COLUMNS}")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        faults.append("columns read twice: {}".format(", ".join(twice)))
    return faults


def _workload(program: TrialAsked) -> List[str]:
    plan = program.get("workload")
    if not plan:
        return []
    faults = []
    if not plan["argv"]:
        faults.append("workload.argv is empty")
    if plan.get("run", "server") not in ("server", "once"):
        faults.append("workload.run is server or once, not {!r}".format(plan["run"]))
    ready = plan.get("ready")
    if ready and not any(kind in ready for kind in ("http", "tcp", "listening", *STREAMS)):
        faults.append("workload.ready has one of http, tcp, stdout, stderr, listening")
    asked = pattern_of(ready) if ready else None
    if asked is not None:
        try:
            re.compile(asked[1])
        except re.error as fault:
            faults.append(f"workload.ready.{STREAMS[asked[0]]}: {fault}")
    faults += [
        "prepare {} is before or ready, with argv or action".format(item["index"])
        for item in plan.get("prepare") or []
        if item["when"] not in ("before", "ready") or not (item.get("argv") or item.get("action"))
    ]
    group = plan.get("cgroup")
    if group:
        paths = [cell["path"] for cell in group["cells"] if cell["via"] == "cgroup"]
        faults += [f"cgroup {p} is joined and not made" for p in group["join"] if p not in paths]
    return faults


def _load(program: TrialAsked) -> List[str]:
    plan = program.get("load")
    if not plan:
        return []
    faults = []
    if not 0 < len(plan["steps"]) <= MOST_STEPS:
        faults.append(f"load has {len(plan['steps'])} steps, 1 to {MOST_STEPS} are possible")
    if plan.get("between", "keep") not in ("keep", "fresh"):
        faults.append("load.between is keep or fresh, not {!r}".format(plan["between"]))
    for step in plan["steps"]:
        if not step["argv"] and not (step["argv"] is None and plan.get("start")):
            faults.append("step {} has no argv".format(step["index"]))
        asked = step.get("log")
        log = str(asked["name"] if asked else "log").replace("{step}", "0")
        if not FILE_NAME.fullmatch(log):
            faults.append("step {} has a log that is not a plain file name".format(step["index"]))
        if float(step["timeout_s"]) <= 0:
            faults.append("step {} has timeout_s {!r}".format(step["index"], step["timeout_s"]))
    return faults


def _size(program: TrialAsked) -> int:
    """Bytes that the samples will take, roughly; the rest is little beside them."""
    sample = program.get("sample") or {"hz": 0, "reads": []}
    seconds = float(program.get("idle_s") or 0)
    for step in (program.get("load") or {"steps": []})["steps"]:
        seconds += float(step.get("measure_s") or step["timeout_s"])
    columns = sum(len(extract.columns(read["id"], read["pick"])) for read in sample["reads"])
    return int(seconds * float(sample["hz"]) * (ROW_BYTES + VALUE_BYTES * columns))
