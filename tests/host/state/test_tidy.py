"""What is kept on a host between runs."""

from __future__ import annotations

import hashlib
import os
import time
from typing import TYPE_CHECKING

from runner.host import boot

if TYPE_CHECKING:
    from tests.host.agent import Host

DATA = b"an executable"
SHA = hashlib.sha256(DATA).hexdigest()


def test_the_newest_agents_and_executables_stay_when_a_run_has_ended(host: Host) -> None:
    """By the restore that ends it; what another controller is sending just now stays too."""
    host.probe()
    for kind, kept in (("agent", 3), ("blobs", 8)):
        folder = host.state / kind
        folder.mkdir(exist_ok=True)
        for age in range(12):
            path = folder / hashlib.sha256(f"{kind} {age}".encode()).hexdigest()
            path.mkdir() if kind == "agent" else path.write_bytes(b"x")
            os.utime(path, (time.time() - 60 * age - 60,) * 2)
        for age in (10, 7200):
            part = folder / f"{SHA}.{age}.part"
            part.write_text("half")
            os.utime(part, (time.time() - age,) * 2)
        assert host.restore().end["ok"]
        left = sorted(path.name for path in folder.iterdir())
        ages = kept - 1 if kind == "agent" else kept
        named = [hashlib.sha256(f"{kind} {age}".encode()).hexdigest() for age in range(ages)]
        this = [boot.agent_sha()] if kind == "agent" else []
        assert left == sorted([*named, *this, f"{SHA}.10.part"])
    assert [event["event"] for event in host.probe().events] == ["host", "end"]


def test_an_executable_that_is_used_again_counts_as_new(host: Host) -> None:
    host.ask({"program": "put", "sha256": SHA, "size": len(DATA)}, boot.frame(DATA))
    path = host.state / "blobs" / SHA
    os.utime(path, (0, 0))
    host.ask({"program": "put", "sha256": SHA, "size": len(DATA)})
    assert time.time() - path.stat().st_mtime < 60
