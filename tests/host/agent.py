"""The agent as a controller starts it: BOOT in a process of its own, frames on stdin."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.host import boot

if TYPE_CHECKING:
    from collections.abc import Sequence


def python(version: str) -> str | None:
    """Find another Python, on PATH or of pyenv; None where there is none."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for path in [shutil.which(f"python{version}"), *root.glob(f"versions/{version}.*/bin/python3")]:
        done = path and subprocess.run([path, "-V"], capture_output=True, check=False)
        if done and done.returncode == 0:  # a shim may be there without its Python
            return str(path)
    return None


@dataclass(frozen=True)
class Answer:
    events: list[dict[str, Any]]
    code: int
    stderr: str

    @property
    def end(self) -> dict[str, Any]:
        assert self.events, self.stderr
        assert self.events[-1]["event"] == "end", self.events
        return self.events[-1]

    @property
    def error(self) -> str | None:
        error = self.end["error"]
        return error and error["code"]

    @property
    def results(self) -> dict[str, dict[str, Any]]:
        return {event["id"]: event for event in self.events if event["event"] == "result"}

    @property
    def outcomes(self) -> dict[str, str]:
        return {name: event["outcome"] for name, event in self.results.items()}

    def only(self, kind: str) -> dict[str, Any]:
        (event,) = [event for event in self.events if event["event"] == kind]
        return event


@dataclass(frozen=True)
class Host:
    """A state folder, and what is put before the agent's command, such as `ip netns exec`."""

    state: Path
    prefix: Sequence[str] = ()
    python: str = sys.executable
    run: str = "20260101T000000Z-abcdef"

    def ask(self, program: dict[str, Any], *more: bytes, fault: int = 0, run: str = "") -> Answer:
        full = {"version": 1, "run": run or self.run, **program}
        present = self.has_agent()
        part = self.state / f"agent-{boot.agent_sha()[:16]}.part"
        have = part.stat().st_size if part.exists() else 0
        agent = [] if present else [boot.frame(boot.agent_zip()[have:])]
        frames = [boot.frame(json.dumps(full).encode()), *agent, *more]
        return self.send(b"".join(frames), fault=fault)

    def has_agent(self) -> bool:
        """Whether this version is there, with all its files."""
        home = self.state / "agent" / boot.agent_sha()
        try:
            sizes = json.loads((home / "files.json").read_text())
            return all((home / name).stat().st_size == size for name, size in sizes.items())
        except (OSError, ValueError):
            return False

    def send(self, data: bytes, *, fault: int = 0) -> Answer:
        done = subprocess.run(
            [*self.prefix, *boot.command(str(self.state), self.python)],
            input=data,
            capture_output=True,
            env={**os.environ, "RUNNER_FAULT": str(fault)},
            check=False,
            timeout=60,
        )
        events = [json.loads(line) for line in done.stdout.splitlines() if line]
        return Answer(events, done.returncode, done.stderr.decode())

    def converge(self, *cells: dict[str, Any], fault: int = 0, **more: Any) -> Answer:
        program = {"program": "converge", "cells": list(cells), **more}
        return self.ask({"hold": {"controller": "test", "lease_s": None}, **program}, fault=fault)

    def restore(self, *, fault: int = 0, **more: Any) -> Answer:
        return self.ask({"program": "restore", **more}, fault=fault)

    def probe(self, *cells: dict[str, Any], facts: bool = False) -> Answer:
        return self.ask({"program": "probe", "facts": facts, "cells": list(cells)})


def pseudo(path: str, want: Any = ..., **more: Any) -> dict[str, Any]:
    wanted = {} if want is ... else {"want": want}
    return {"id": path, "via": "pseudo", "path": path, "form": "words", **wanted, **more}
