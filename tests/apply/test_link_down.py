"""The network goes down in the middle of a trial, for real: a veth into a namespace, and sshd.

The controller runs in the namespace, the host is this machine. What the host has in its
spool is what an undisturbed controller would have read.
"""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from runner.store.record import RunFolder
from tests.apply.conftest import Cli, needs_root_and_memory_group
from tests.apply.specs import spec
from tests.sshd import start_sshd, stop_sshd
from tests.waiting import until

pytestmark = [
    pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed"),
    pytest.mark.skipif(shutil.which("ip") is None, reason="iproute2 is not installed"),
    pytest.mark.slow,
    pytest.mark.timeout(300),
]
HERE, THERE = "198.51.100.1", "198.51.100.2"
DOWN_S = 20.0


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@dataclass
class Away(Cli):
    """`runner` in a namespace that reaches the host over one link."""

    pid: int = 0
    link: str = ""

    def argv(self, command: str, *words: str) -> list[str]:
        inside = ["nsenter", f"--net=/proc/{self.pid}/ns/net"]
        return [*inside, *super().argv(command, *words)]

    def down(self) -> None:
        ip("link", "set", self.link, "down")

    def up(self) -> None:
        ip("link", "set", self.link, "up")


@pytest.fixture
def away(tmp_path, netns):
    needs_root_and_memory_group()
    link, peer = f"rv{os.getpid() % 100000}", f"rw{os.getpid() % 100000}"
    try:
        ip("link", "add", link, "type", "veth", "peer", "name", peer, "netns", str(netns))
    except subprocess.CalledProcessError:
        pytest.skip("no veth here")
    inside = ("nsenter", f"--net=/proc/{netns}/ns/net", "ip")
    ip("address", "add", f"{HERE}/24", "dev", link)
    ip("link", "set", link, "up")
    for words in (f"address add {THERE}/24 dev {peer}", f"link set {peer} up", "link set lo up"):
        subprocess.run([*inside, *words.split()], check=True)
    (tmp_path / "sshd").mkdir()
    server = start_sshd(tmp_path / "sshd", f"ListenAddress {HERE}")
    (tmp_path / "known_hosts").write_text(f"[{HERE}]:{server.port} {server.host_key}\n")
    (tmp_path / "ssh_config").write_text("")
    board = {"address": HERE, "port": server.port, "user": "root", "key": str(server.key),
             "python": sys.executable}  # fmt: skip
    (tmp_path / "hosts.yaml").write_text(json.dumps({"hosts": {"board": board}}))
    words = [
        "-H", "board", "-i", str(tmp_path / "hosts.yaml"),
        "--known-hosts", str(tmp_path / "known_hosts"),
        "--ssh-config", str(tmp_path / "ssh_config"), "--state-dir", str(tmp_path / "state"),
    ]  # fmt: skip
    yield Away(tmp_path, words, netns, link)
    stop_sshd(server)
    with contextlib.suppress(subprocess.CalledProcessError):
        ip("link", "del", link)


def kept_spool(cli: Away) -> Path:
    """Wait until the trial measures; give a name of the host's spool that outlasts the run."""

    def measuring() -> Path | None:
        for spool in cli.folder.glob("state/runs/*/*/spool.jsonl"):
            if b'"event":"measure_started"' in spool.read_bytes():
                kept = cli.folder / "kept.jsonl"
                os.link(spool, kept)
                return kept
        return None

    return until(measuring)


def goes_on(kept: Path, seconds: float) -> None:
    """Wait until the host has sampled for so long, whatever becomes of its link."""

    def last() -> float:
        return samples(kept.read_bytes().rpartition(b"\n")[0])[-1]

    begun = last()
    until(lambda: last() > begun + seconds)


def samples(spool: bytes) -> list[float]:
    events = [json.loads(line) for line in spool.splitlines()]
    return [event["t"] for event in events if event["event"] == "sample"]


def whole(cli: Away, kept: Path) -> list[str]:
    """See that nothing was lost; give the report's lines without their numbers."""
    (run,) = (cli.reports / "small").iterdir()
    said = kept.read_bytes()
    (file,) = (run / "events").iterdir()
    recorded = file.read_bytes()
    assert (gzip.decompress(recorded) if file.suffix == ".gz" else recorded) == said
    times = samples(said)
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert max(gaps) < 0.35, max(gaps)
    assert times[-1] - times[0] > DOWN_S + 4
    (sampler,) = [json.loads(one) for one in said.splitlines() if b'"event":"sampler"' in one]
    assert sampler["ticks"] == len(times)
    # from the host's own bytes: the report is the same to the last one
    before = {path: path.read_bytes() for path in (run / "artifacts").rglob("*") if path.is_file()}
    shutil.rmtree(run / "artifacts")
    cli("report", str(run))
    assert {path: path.read_bytes() for path in before} == before
    (trial,) = RunFolder.open(run).trials()
    assert trial == "all-r1-a1"
    report = (run / "artifacts" / "report.md").read_text()
    return parts(report)


def parts(report: str) -> list[str]:
    """Headings, and the heads of the tables without the width of what is below."""
    kept = [one for one in report.splitlines() if one.startswith("#") or "outcome" in one]
    return [" ".join(line.split()) for line in kept]


def undisturbed(cli: Away) -> list[str]:
    """The same experiment, with nothing in its way; shorter, which its report's parts are not."""
    other = replace(cli, folder=cli.folder / "undisturbed")
    other.folder.mkdir()
    return parts(Path(other.apply(other.spec(spec(seconds=2)))["report"]).read_text())


def test_link_down_for_20_s(away, unchanged):
    """No sample is lost, the record is the spool to the byte, the report has the same content."""
    process = away.start("apply", str(away.spec(spec(seconds=30))))
    kept = kept_spool(away)
    away.down()
    goes_on(kept, DOWN_S)
    away.up()
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert whole(away, kept) == undisturbed(away)


def test_controller_killed_while_the_link_is_down(away, unchanged):
    """kill -9 in the middle, attached again once there is a way: the same."""
    process = away.start("apply", str(away.spec(spec(seconds=30))))
    kept = kept_spool(away)
    away.down()
    goes_on(kept, 1)
    process.kill()
    process.communicate()
    goes_on(kept, DOWN_S - 1)
    away.up()
    (run,) = (away.reports / "small").iterdir()
    away("attach", run.name)
    assert json.loads((run / "run.json").read_text())["state"] == "done"
    assert whole(away, kept) == undisturbed(away)
