"""The workload of a spec → what the agent starts, and the group that holds it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.errors import SpecError
from runner.kinds.resources.actions import WRITES
from runner.kinds.resources.cgroup import base, limits_to_cells, mounted
from runner.kinds.sources.syscalls import FILE, traced
from runner.records.secrets import text_of
from runner.spec.sections.workload import InputFile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.records import program
    from runner.spec.sections.workload import Fetch, Ready, Workload


@dataclass(frozen=True)
class Binary:
    """What was built, as the host knows it."""

    sha256: str
    size: int


def workload_part(
    workload: Workload,
    facts: Mapping[str, object],
    trial_id: str,
    binary: Binary | None,
    run: str,
    limits: Mapping[str, list[int]],
    listen: program.Listen | None,
    more: Mapping[str, str],
) -> program.Workload:
    """Give the `workload` of a program; SpecError where the host has no cgroups.

    `more` is of its environment beside what the spec says.
    """
    if workload.argv is None:
        argv = ["{binary}", *_go_test(workload)]
    else:
        argv = [text_of(word) for word in workload.argv]
    if workload.trace:
        argv = traced(argv, workload.trace)
    ready: program.Ready | None = None
    once = workload.once
    within = 10.0
    if workload.ready is not None:
        within = workload.ready.within.seconds
        ready = _ready(workload.ready)
    return {
        "argv": argv,
        "traced": {"path": f"{{dir}}/{FILE}", "calls": list(workload.trace)}
        if workload.trace
        else None,
        "env": {**{key: text_of(value) for key, value in workload.env.items()}, **more},
        "cwd": workload.cwd,
        "limits": dict(limits),
        "cpus": cpu_list(workload.cpus),
        "aslr": True if workload.aslr is None else workload.aslr,
        "user": workload.user,
        "umask": None if workload.umask is None else int(workload.umask, 8),
        "stdin": stdin_part(workload),
        "run": "once" if once else "server",
        "within_s": workload.within.seconds if once else within,
        "timeout_s": None if workload.timeout is None else workload.timeout.seconds,
        "cgroup": _cgroup(workload, facts, trial_id, run),
        "warm": ["{binary}"] if binary else [],
        "listen": listen,
        "ready": ready,
        "prepare": prepare_part(workload),
    }


def prepare_part(workload: Workload) -> list[program.Prepare]:
    """Give what is done before it is measured: an entry for each command and each action."""
    found: list[program.Prepare] = []
    for item in workload.prepare:
        if item.run is not None:
            argv = [text_of(word) for word in item.run]
            found.append(
                {
                    "index": len(found),
                    "when": item.when,
                    "argv": argv,
                    "within_s": item.within.seconds,
                }
            )
        for action in item.actions:
            path, text = WRITES.get(action, (None, ""))
            found.append(
                {
                    "index": len(found),
                    "when": item.when,
                    "action": action,
                    "path": path,
                    "text": text,
                }
            )
    return found


def stdin_part(workload: Workload) -> dict[str, str] | None:
    """Give what the program reads on stdin: a text, or a file of the host."""
    if workload.stdin is None:
        return None
    if isinstance(workload.stdin, InputFile):
        return {"path": workload.stdin.path}
    return {"text": text_of(workload.stdin)}


def _ready(asked: Ready) -> program.Ready:
    if asked.http is not None:
        return {"http": text_of(asked.http), "insecure": asked.insecure, "ca": asked.ca}
    if asked.tcp is not None:
        return {"tcp": asked.tcp}
    if asked.stderr is not None:
        return {"stderr": asked.stderr}
    if asked.listening:
        return {"listening": "{port}"}
    return {} if asked.stdout is None else {"stdout": asked.stdout}


def _go_test(workload: Workload) -> list[str]:
    test = workload.go_test
    assert test is not None  # noqa: S101 - the model has exactly one of argv and go_test
    words = ["-test.run=^$", f"-test.bench={test.bench}", f"-test.count={test.count}"]
    if test.benchmem:
        words.append("-test.benchmem")
    if test.benchtime:
        words.append(f"-test.benchtime={test.benchtime}")
    if test.cpu:
        words.append("-test.cpu=" + ",".join(test.cpu))
    words.append(f"-test.timeout={test.timeout.seconds:g}s")
    return words


def _cgroup(
    workload: Workload, facts: Mapping[str, object], trial_id: str, run: str
) -> program.Groups | None:
    if workload.cgroup is None:
        return None
    limits = workload.cgroup.knobs()
    needed = list(dict.fromkeys(name.partition(".")[0] for name in limits))
    version, mounts = mounted(facts, needed or ["memory"])
    if version is None:
        raise SpecError("the host has no cgroups", fix="leave workload.cgroup out for this host")
    # a fresh group per trial: its peak and its counters begin at zero
    name = re.sub(r"[^A-Za-z0-9_-]", "-", trial_id)
    # and a folder per run: undoing one run must not end what another has in its groups
    parent = base(facts) + (f"-{run[-6:]}" if run else "")
    join, cells = limits_to_cells(version, mounts, f"{parent}/{name}", limits, facts=facts)
    return {"version": version, "join": join, "cells": [cell.to_json() for cell in cells]}


def fetch_part(asked: Fetch) -> program.Fetch:
    """Give one page or file to fetch."""
    after_s = asked.after.seconds if asked.after else None
    return {
        "name": asked.name,
        "url": None if asked.url is None else text_of(asked.url),
        "path": asked.path,
        "binary": asked.binary,
        "when": asked.when,
        "after_s": after_s,
    }


def cpu_list(text: str | None) -> list[int] | None:
    """`0-1,3` → [0, 1, 3]."""
    if text is None:
        return None
    if not re.fullmatch(r"[\d,-]+", text):
        raise SpecError(f"`{text}` is not a list of CPUs", fix="write for instance 0-1,3")
    found: list[int] = []
    for part in text.split(","):
        low, _, high = part.partition("-")
        found += range(int(low), int(high or low) + 1)
    return found
