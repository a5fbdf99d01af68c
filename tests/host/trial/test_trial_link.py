"""What becomes of a trial when its link, its supervisor or its disk goes away."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from runner.host import boot
from tests.host import trials
from tests.host.agent import Host
from tests.host.trials import (
    alive,
    memory_group,
    of,
    only,
    program,
    said,
    server,
    spool,
)
from tests.waiting import until

pytestmark = pytest.mark.skipif(not trials.is_root(), reason="namespaces and cgroups need root")
needs_v1 = pytest.mark.skipif(
    not (trials.MEMORY_V1 / "memory.limit_in_bytes").exists(), reason="no memory cgroup v1"
)
FOR_EVER_S = 100000


def told(stdout: bytes) -> bytes:
    """What an agent wrote without its signs of life, which are empty lines."""
    return b"".join(line for line in stdout.splitlines(keepends=True) if line != b"\n")


class Running:
    """A trial whose link is a process of ours, to be cut at will."""

    def __init__(self, host, **more):
        assert not host.ask(
            {"program": "status"}
        ).error  # the agent is there, so one frame is enough
        asked = {"version": 1, "run": host.run, **program(**{"idle_s": FOR_EVER_S, **more})}
        self.path = spool(host.state, host.run)
        self.link = subprocess.Popen(
            boot.command(str(host.state), host.python),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        self.link.stdin.write(boot.frame(json.dumps(asked).encode()))
        self.link.stdin.flush()

    def seen(self, kind):
        return until(lambda: of(said(self.path), kind))[0]

    @property
    def supervisor(self):
        return int((self.path.parent / "supervisor").read_text())

    def cut(self):
        self.link.stdout.close()
        self.link.stdin.close()
        self.link.kill()
        self.link.wait()


@pytest.fixture(autouse=True)
def nobody_left(tmp_path, put_back):
    yield
    for path in tmp_path.glob("state/runs/*/*/supervisor"):
        with contextlib.suppress(ProcessLookupError, ValueError):
            os.kill(int(path.read_text()), signal.SIGKILL)


@pytest.fixture
def running(host):
    made = []

    def start(**more):
        made.append(Running(host, **more))
        return made[-1]

    yield start
    for one in made:
        if one.link.poll() is None:
            one.cut()


def ping(**more):
    return server("ping", "", env={"PORT": "{port}"}, **more)


def test_the_stream_is_the_spool_byte_for_byte(host):
    """Nothing is sent that is not in the spool, and no second `end`."""
    asked = {"version": 1, "run": host.run, **program(ping(), idle_s=0.1)}
    host.ask({"program": "status"})
    done = subprocess.run(
        boot.command(str(host.state), host.python),
        input=boot.frame(json.dumps(asked).encode()), capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert told(done.stdout) == spool(host.state, host.run).read_bytes()
    assert done.stdout.count(b'"event":"end"') == 1


def test_a_trial_outlives_its_link(host, running):
    """The link is killed; the workload runs on, is sampled on, and attach gets the rest."""
    one = running(workload=ping())
    pid = one.seen("workload_started")["pid"]
    one.seen("ready")
    one.cut()
    before = len(of(said(one.path), "sample"))
    until(lambda: len(of(said(one.path), "sample")) > before + 3)
    assert alive(pid)
    answer = host.ask({"program": "stop", "trial": "t1"})
    assert only(answer.events, "stopped")["was_running"]
    assert answer.end["ok"]
    assert not alive(pid)


def test_attach_goes_on_at_the_byte(host, running):
    """Two halves are the whole; every offset between lines and within them is answered."""
    one = running(workload=ping())
    one.seen("ready")
    one.cut()
    host.ask({"program": "stop", "trial": "t1"})
    whole = one.path.read_bytes()
    lines = whole.splitlines(keepends=True)
    middle = sum(map(len, lines[: len(lines) // 2]))
    command = boot.command(str(host.state), host.python)
    for offset in (0, middle):
        asked = {
            "version": 1,
            "run": host.run,
            "program": "attach",
            "trial": "t1",
            "offset": offset,
        }
        frame = boot.frame(json.dumps(asked).encode())
        done = subprocess.run(command, input=frame, capture_output=True, check=False)
        assert told(done.stdout) == whole[offset:]
        assert done.returncode == 1  # stopped: its `end` says so


def test_attach_behind_the_end_says_the_end_again(host, running):
    """A controller that lost sight of what it has is told that it is over."""
    host.ask(program(None, network="host"))
    size = spool(host.state, host.run).stat().st_size
    answer = host.ask({"program": "attach", "trial": "t1", "offset": size})
    assert [event["event"] for event in answer.events] == ["end"]
    assert answer.end["ok"]
    assert host.ask({"program": "attach", "trial": "t1", "offset": size + 1}).error == "bad_program"


def test_attach_follows_a_running_trial_to_its_end(host, running):
    """A second reader beside the first sees `end` when it comes."""
    one = running(workload=ping())
    one.seen("ready")
    asked = {"version": 1, "run": host.run, "program": "attach", "trial": "t1", "offset": 0}
    second = subprocess.Popen(
        boot.command(str(host.state), host.python), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    second.stdin.write(boot.frame(json.dumps(asked).encode()))
    second.stdin.flush()
    assert second.stdout.readline() == b"\n"  # a sign of life
    assert json.loads(second.stdout.readline())["event"] == "trial_started"
    host.ask({"program": "stop", "trial": "t1"})
    rest = second.communicate(timeout=60)[0].splitlines()
    assert json.loads(rest[-1])["event"] == "end"
    one.link.communicate(timeout=60)


@needs_v1
def test_stop_is_clean(host, running):
    """The workload ends by SIGTERM, its group goes, the record says `stopped`."""
    one = running(workload=ping(cgroup=memory_group("stop", "64M")))
    one.seen("ready")
    host.ask({"program": "stop", "trial": "t1"})
    events = said(one.path)
    assert events[-1]["error"]["code"] == "stopped"
    exited = only(events, "workload_exited")
    assert (exited["signal"], exited["expected"]) == (15, True)
    assert only(events, "sampler")["ticks"] > 0
    assert not (trials.GROUPS / "stop").exists()
    again = host.ask({"program": "stop", "trial": "t1"})
    assert again.end["ok"]
    assert not only(again.events, "stopped")["was_running"]
    one.link.communicate(timeout=60)


def test_stop_ends_the_load_too(host, running):
    """A generator in the middle of a step is ended, and the step's record is kept."""
    step = {"index": 0, "name": "x", "connections": 1, "warmup": None, "argv": ["sleep", "100000"],
            "measure_s": 100000, "timeout_s": 100000, "cooldown": None}  # fmt: skip
    one = running(
        workload=ping(),
        load={"steps": [step], "between": "keep"},
        idle_s=0,
    )
    one.seen("measure_started")
    host.ask({"program": "stop", "trial": "t1"})
    one.link.communicate(timeout=60)
    events = said(one.path)
    assert events[-1]["error"]["code"] == "stopped"
    ended = only(events, "step_ended")
    assert (ended["cut"], ended["signal"]) == ("stopped", 2)


def test_a_killed_supervisor_leaves_a_record_that_ends(host, running):
    """kill -9: its workload dies with it, and whoever reads is told so."""
    one = running(workload=ping())
    pid = one.seen("workload_started")["pid"]
    one.seen("ready")
    os.kill(one.supervisor, signal.SIGKILL)
    out = one.link.communicate(timeout=60)[0].splitlines()
    assert json.loads(out[-1])["error"]["message"] == "the trial's supervisor was killed"
    until(lambda: not alive(pid))
    assert said(one.path)[-1]["event"] == "end"
    answer = host.ask({"program": "attach", "trial": "t1", "offset": 0})
    assert answer.error == "internal"
    assert len(of(answer.events, "end")) == 1


@needs_v1
def test_what_a_killed_supervisor_leaves_is_restored(host, running):
    """Its group was journalled before it was made: restore removes it."""
    one = running(workload=ping(cgroup=memory_group("killed", "64M")))
    one.seen("ready")
    os.kill(one.supervisor, signal.SIGKILL)
    one.link.communicate(timeout=60)
    folder = trials.GROUPS / "killed"
    assert folder.is_dir()
    answer = host.restore()
    assert answer.outcomes[f"cgroup:{folder}"] == "restored"
    assert not folder.exists()


@needs_v1
def test_the_next_attempt_clears_a_killed_ones_group(host, running):
    """A group that a trial of ours left is made anew, not joined."""
    group = memory_group("again", "64M")
    one = running(workload=ping(cgroup=group))
    one.seen("ready")
    os.kill(one.supervisor, signal.SIGKILL)
    one.link.communicate(timeout=60)
    answer = host.ask(program(ping(cgroup=group), trial="t2"))
    assert answer.end["ok"], answer.end


def test_a_torn_last_line_is_dropped(host):
    """A record that a power cut tore ends in whole lines."""
    host.ask(program(None, network="host"))
    path = spool(host.state, host.run)
    whole = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(whole[:-1]) + whole[-1][:7])
    answer = host.ask({"program": "attach", "trial": "t1", "offset": 0})
    assert answer.error == "internal"
    assert path.read_bytes().startswith(b"".join(whole[:-1]) + b'{"event":"error"')


def test_a_trial_id_is_used_once(host):
    """A second trial under the same name is refused, the first one's record is whole."""
    host.ask(program(None, network="host"))
    before = spool(host.state, host.run).read_bytes()
    answer = host.ask(program(None, network="host"))
    assert answer.error == "bad_program"
    assert "begun before" in answer.end["error"]["message"]
    assert spool(host.state, host.run).read_bytes() == before


@pytest.mark.parametrize("name", ["attach", "stop"])
def test_what_never_began_is_not_found(host, name):
    """The controller then knows that its program never arrived."""
    assert host.ask({"program": name, "trial": "t9"}).error == "not_found"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"trial": "../../etc"}, "not a name of a run or trial"),
        ({"network": "bridge"}, "host or isolated"),
        ({"network": "host", "network_cells": [{}]}, "need network: isolated"),
        ({"files": [{"name": "../x", "text": ""}]}, "not a plain file name"),
        ({"files": [{"name": "x", "text": "y" * (5 << 20)}]}, "is larger than"),
        ({"sample": {"hz": 0, "reads": []}}, "sample.hz"),
        ({"sample": {"hz": 10, "reads": [{"id": "a", "path": "/x", "pick": {"awk": 1}}]}}, "exactly one of"),
        ({"sample": {"hz": 10, "reads": [{"id": "a", "path": "/x", "pick": {"int": True}}] * 2}}, "read twice"),
        ({"sample": {"hz": 10}}, "malformed"),
        ({"workload": {"argv": []}}, "argv is empty"),
        ({"workload": {"argv": ["x"], "ready": {"stdout": "("}}}, "ready.stdout"),
        ({"workload": {"argv": ["x"], "cgroup": {"join": ["/a"], "cells": []}}}, "joined and not made"),
        ({"load": {"steps": []}}, "load has 0 steps"),
        ({"stop": {"signal": "STOPPED"}}, "stop.signal"),
        ({"fetch": [{"name": "a", "when": "later", "url": "x"}]}, "fetch a needs"),
    ],
)  # fmt: skip
def test_a_program_that_cannot_be_carried_out_is_refused(host, change, says):
    """Before anything is done: there is no spool."""
    answer = host.ask({**program(None), **change})
    assert answer.error == "bad_program"
    assert says in answer.end["error"]["message"]
    assert not spool(host.state, host.run).exists()


def test_a_record_that_cannot_fit_is_refused(host):
    """A year at 1000 Hz does not fit on any disk of a test."""
    reads = [{"id": "v", "path": "/proc/vmstat", "pick": {"keys": [f"k{n}" for n in range(1500)]}}]
    answer = host.ask(program(None, idle_s=3e7, sample={"hz": 1000, "reads": reads}))
    assert answer.error == "disk_full"
    assert not spool(host.state, host.run).exists()


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "state"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "none", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@needs_v1
def test_a_disk_that_fills_up_ends_the_trial_cleanly(small_disk):
    """The record ends in `error` and `end` out of the reserve, and nothing is left running."""
    host = Host(small_disk)
    filler = (
        f"import os, time\nfd = os.open({str(small_disk / 'filler')!r}, os.O_CREAT | os.O_WRONLY)\n"
        "try:\n    while True: os.write(fd, b'x' * 4096)\n"
        "except OSError: time.sleep(600)"
    )
    step = {"index": 0, "name": "x", "connections": 1, "argv": [trials.PYTHON, "-c", filler],
            "measure_s": 1, "timeout_s": 600}  # fmt: skip
    workload = ping(cgroup=memory_group("full", "64M"))
    answer = host.ask(program(workload, idle_s=0, load={"steps": [step], "between": "keep"}))
    assert answer.error == "disk_full", answer.events[-3:]
    kinds = [event["event"] for event in answer.events]
    assert "error" in kinds
    assert kinds.index("workload_exited") > kinds.index("workload_started")
    assert not (trials.GROUPS / "full").exists()
    assert not list(Path(small_disk).glob("runs/*/*/reserve"))
    (small_disk / "filler").unlink()
    assert set(host.restore().outcomes.values()) <= {"ok", "restored"}


def test_another_runs_hold_refuses_a_trial(host):
    """One run at a time on a host."""
    host.ask(program(None, network="host"))
    answer = host.ask(program(None, network="host"), run="20260101T000000Z-ffffff")
    assert answer.error == "busy"
