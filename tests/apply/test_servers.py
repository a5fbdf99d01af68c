"""Servers and hosts that misbehave: each has its own outcome, and nothing is left behind."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.apply.conftest import MEMORY
from tests.apply.specs import HEALTHY, recorded, spec
from tests.waiting import until

pytestmark = [
    pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed"),
    pytest.mark.timeout(180),
]


@pytest.mark.parametrize("how", ["slow", "fork"])
def test_slow_start_and_a_forking_server_are_healthy(local, unchanged, how):
    """Ready within its time; and a child that serves counts as the workload."""
    (trial,) = local.apply(local.spec(spec(how)))["trials"]
    assert trial["outcome"] == "healthy", trial["why"]


def test_too_slow_a_start_is_an_error(local, unchanged):
    text = spec("slow").replace("within: 5s", "within: 500ms")
    (trial,) = local.apply(local.spec(text), code=2)["trials"]
    assert trial["outcome"] == "error"
    assert trial["why"].startswith("not ready within 0.5 s")


def test_dead_at_once_is_an_error_with_what_it_said(local, unchanged):
    (trial,) = local.apply(local.spec(spec("exit")), code=2)["trials"]
    assert trial["outcome"] == "error"
    assert "cannot start: no such thing" in trial["why"]


def test_forked_child_that_leaks_into_the_limit_is_unhealthy(local, unchanged):
    """The parent lives on; the kill in its group is seen all the same."""
    (trial,) = local.apply(local.spec(spec("fork-leak", seconds=3)), code=None)["trials"]
    assert trial["outcome"] == "unhealthy"
    assert "cgroup.oom_kills == 0" in trial["steps"][0]["failed"]


def oom_of_somebody_else() -> None:
    """A process in a group of its own is killed for its memory."""
    group = MEMORY / f"other-test-{os.getpid()}"
    group.mkdir()
    try:
        (group / "memory.limit_in_bytes").write_text("8M")
        code = f"open('{group}/cgroup.procs','w').write('0'); b = b'x' * (64 << 20); b[0]"
        done = subprocess.run([sys.executable, "-c", code], check=False)
        assert done.returncode == -9
    finally:
        group.rmdir()


@pytest.mark.skipif(not MEMORY.is_dir(), reason="needs a v1 memory group")
def test_oom_kill_of_somebody_else_makes_the_trial_invalid_and_run_again(local, unchanged):
    """The first attempt is kept, and says why; the second one counts."""
    more = HEALTHY + "guards: [host.oom_kills_outside_cgroup == 0]\nrepeat: {attempts: 5}\n"
    process = local.start("apply", str(local.spec(spec(seconds=3, more=more))), "--json")
    recorded(local, "all-r1-a1", "measure_started")
    oom_of_somebody_else()
    said, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    trials = json.loads(said)["trials"]
    assert next(trial["outcome"] for trial in trials) == "invalid"
    # another test's may be among them
    assert re.search(r"host\.oom_kills_outside_cgroup == 0 \(was [1-9]", trials[0]["why"])
    assert len(trials) >= 2
    # others may be killed on this machine meanwhile: attempts go on until none was
    assert trials[-1]["outcome"] in ("healthy", "invalid")


def test_saturated_generator_is_invalid_every_time(local, unchanged):
    """A load program that spins above the bound: all attempts are kept, none says anything."""
    spin = "import time\\nt = time.monotonic()\\nwhile time.monotonic() < t + 1: pass\\nprint('{}')"
    text = spec(more="guards: [load.cpu <= 5%]\nrepeat: {attempts: 2}\n").replace(
        "\nload:\n",
        f'\nload:\n  generator: command\n  argv: ["{sys.executable}", -c, "{spin}"]\n',
    )
    trials = local.apply(local.spec(text), code=None)["trials"]
    assert [trial["outcome"] for trial in trials] == ["invalid", "invalid"]
    assert "load.cpu <= 5%" in trials[0]["why"]


def test_fault_of_the_spec_is_injected_and_undone(local, unchanged):
    """`faults:` from the spec to the record: the link of the workload's network is down a while."""
    more = "faults:\n  - {at: 500ms, for: 1s, network: {down: lo}}\n"
    more += "  - {at: 100ms, for: 1s, network: {delay: 20ms, link: nosuch}}\n"
    (trial,) = local.apply(local.spec(spec(seconds=4, more=more)), code=None)["trials"]
    (step,) = trial["steps"]
    assert step["numbers"]["fault.injected"] == 1
    assert step["numbers"]["fault.skipped"] == 1


@pytest.fixture
def link(ssh, sshd, tmp_path):
    """The way to the host, through a proxy that can be cut."""
    from tests.sshd import Proxy

    proxy = Proxy(sshd.port)
    hosts = (tmp_path / "hosts.yaml").read_text()
    (tmp_path / "hosts.yaml").write_text(hosts.replace(str(sshd.port), str(proxy.port)))
    with (tmp_path / "known_hosts").open("a") as file:
        file.write(f"[127.0.0.1]:{proxy.port} {sshd.host_key}\n")
    yield proxy
    proxy.close()


def record(cli) -> tuple[list[float], list[str]]:
    """Times of the samples, and the report's lines without their numbers."""
    from runner.store.record import RunFolder

    (run,) = (cli.reports / "small").iterdir()
    folder = RunFolder.open(run)
    (trial,) = folder.trials()
    times = [event.t for event in folder.iter_events(trial) if event.kind == "sample"]
    report = (run / "artifacts" / "report.md").read_text()
    return times, [line for line in report.splitlines() if line.startswith("#")]


def test_link_cut_for_seconds_loses_no_sample(ssh, link, unchanged, tmp_path):
    """Down in the middle of the step: the grid has no gap, and the report the same parts."""
    file = ssh.spec(spec(seconds=6))
    process = ssh.start("apply", str(file))
    recorded(ssh, "all-r1-a1", "measure_started")
    link.down = True
    link.cut()
    until(lambda: link.refused >= 3)
    link.down = False
    _, said = process.communicate(timeout=90)
    assert process.returncode == 0, said
    assert link.cuts >= 1
    times, parts = record(ssh)
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert max(gaps) < 0.35, max(gaps)
    assert len(times) >= 55
    shutil.rmtree(ssh.reports)
    ssh("apply", str(file))
    assert record(ssh)[1] == parts


def test_controller_killed_and_attached_again(ssh, unchanged, tmp_path):
    """kill -9 in the middle; `runner attach` brings the record to its end and the host back."""
    process = ssh.start("apply", str(ssh.spec(spec(seconds=4))))
    recorded(ssh, "all-r1-a1", "measure_started")
    process.kill()
    process.communicate()
    (run,) = (ssh.reports / "small").iterdir()
    words = [word for word in ssh.words if word not in ("-H", "board")]
    done = subprocess.run(
        [sys.executable, "-m", "runner", "attach", str(run), *words],
        cwd=Path(__file__).resolve().parents[2], env=ssh.env(), capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    times, _ = record(ssh)
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert max(gaps) < 0.35, max(gaps)
