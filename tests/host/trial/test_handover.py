"""A workload that is kept from one trial to the next: one process, every trial's record whole."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
from pathlib import Path

import pytest

from runner.cli.status import lines
from runner.host.trial import handover
from runner.host.trial.spool import Spool
from tests.events import typed
from tests.host import trials
from tests.host.trials import (
    alive,
    kinds,
    load,
    memory_group,
    needs_v1,
    needs_wrk,
    of,
    only,
    ping,
    program,
    step,
)
from tests.waiting import until

pytestmark = [
    pytest.mark.skipif(not trials.is_root(), reason="namespaces and cgroups need root"),
    pytest.mark.usefixtures("put_back"),
    needs_wrk,
]


def trial(host, number, *, after=None, for_s=30, workload=None, **more):
    return host.ask(
        program(
            workload or ping(),
            trial=f"t{number}",
            keep={"after": after and f"t{after}", "for_s": for_s},
            **{**load(step()), **more},
        )
    )


def gone(pid):
    return until(lambda: not alive(pid))


def written(pid):
    """How many bytes a process has written."""
    return int(re.search(r"^wchar: (\d+)$", Path(f"/proc/{pid}/io").read_text(), re.MULTILINE)[1])


@needs_v1
def test_three_trials_have_one_workload_and_a_record_each(host):
    """The same process, port and group; samples, step and end in each record."""
    group = memory_group("kept", "64M")
    workload = ping(cgroup=group)
    answers = [trial(host, 1, workload=workload)]
    answers.append(trial(host, 2, after=1, workload=workload))
    answers.append(trial(host, 3, after=2, workload=workload))
    begun = [only(answer.events, "workload_started") for answer in answers]
    assert len({(event["pid"], event["port"], event["cgroup"]) for event in begun}) == 1
    assert [event.get("kept_from") for event in begun] == [None, "t1", "t2"]
    assert begun[2]["up_s"] > begun[1]["up_s"] > 1
    for answer in answers:
        assert answer.end["ok"], answer.end
        assert only(answer.events, "step_ended")["exit"] == 0
        names = only(answer.events, "columns")["names"]
        rss = [row["v"][names.index("procfs.status.VmRSS")] for row in of(answer.events, "sample")]
        assert len(rss) > 15
        assert all(rss[1:])
        assert only(answer.events, "sampler")["missed"] == 0
        assert not of(answer.events, "workload_exited")
    pid = begun[0]["pid"]
    assert alive(pid)
    stopped = host.ask({"program": "stop", "trial": "t3"})
    assert stopped.only("stopped")["was_running"]
    assert not alive(pid)
    assert not Path(group["join"][0]).is_dir()


def test_nobody_comes_for_it(host):
    """After `for_s` the supervisor ends the workload, and itself."""
    answer = trial(host, 1, for_s=0.3)
    assert gone(only(answer.events, "workload_started")["pid"])
    later = trial(host, 2, after=1)
    assert later.end["ok"], later.end
    assert "kept_from" not in only(later.events, "workload_started")
    assert "workload_lost" not in kinds(later.events)


def test_one_that_ended_between_the_trials_is_started_anew_and_that_is_said(host):
    first = trial(host, 1)
    os.kill(only(first.events, "workload_started")["pid"], signal.SIGKILL)
    second = trial(host, 2, after=1)
    assert second.end["ok"], second.end
    lost = only(second.events, "workload_lost")
    assert lost["after"] == "t1"
    assert lost["why"].startswith("the workload was ended by SIGKILL between the trials")
    assert "kept_from" not in only(second.events, "workload_started")
    assert all(event["expected"] for event in of(second.events, "workload_exited"))
    assert only(second.events, "step_ended")["exit"] == 0


def test_one_that_answers_no_more_is_started_anew(host):
    impatient = ping()
    impatient["ready"]["within_s"] = 0.5
    first = trial(host, 1, workload=impatient)
    pid = only(first.events, "workload_started")["pid"]
    os.kill(pid, signal.SIGSTOP)
    second = trial(host, 2, after=1, workload=impatient, stop={"signal": "TERM", "grace_s": 0.2})
    assert second.end["ok"], second.end
    assert only(second.events, "workload_lost")["why"].startswith("not ready within 0.5 s")
    started = of(second.events, "workload_started")
    assert [event["pid"] == pid for event in started] == [True, False]
    assert only(second.events, "step_ended")["exit"] == 0
    assert not alive(pid)


def test_one_that_died_in_its_trial_is_not_kept(host):
    """The trial's record has its death; the next trial begins with a fresh one."""
    first = trial(host, 1, workload=ping("die-under-load"))
    assert only(first.events, "workload_exited")["code"] == 3
    second = trial(host, 2, after=1)
    assert second.end["ok"], second.end
    assert "kept_from" not in only(second.events, "workload_started")


def test_what_it_prints_between_the_trials_is_counted(host):
    """No record gets it: it belongs to no trial. The next one says how much there was."""
    first = trial(host, 1, workload=ping("print-on-usr1"))
    pid = only(first.events, "workload_started")["pid"]
    before = written(pid)
    os.kill(pid, signal.SIGUSR1)
    until(lambda: written(pid) > before)
    second = trial(host, 2, after=1, workload=ping("print-on-usr1"))
    begun = only(second.events, "workload_started")
    assert begun["unheard"] == len("between\n")
    assert "between" not in str(of(second.events, "output"))


def test_restore_ends_a_kept_workload(host):
    answer = trial(host, 1)
    pid = only(answer.events, "workload_started")["pid"]
    assert alive(pid)
    events = host.ask({"program": "status"}).events
    (said,) = typed(event for event in events if event["event"] == "status")
    assert "kept       the workload of trial t1" in "\n".join(lines("board", said, []))
    assert host.restore().only("stopped")["was_running"]
    assert not alive(pid)


def test_a_supervisor_that_was_killed_hands_nothing_on(host):
    """Its workload died with it; the next trial starts its own."""
    answer = trial(host, 1)
    pid = only(answer.events, "workload_started")["pid"]
    supervisor = host.state / "runs" / host.run / "t1" / "supervisor"
    os.kill(int(supervisor.read_text()), signal.SIGKILL)
    assert gone(pid)
    second = trial(host, 2, after=1)
    assert second.end["ok"], second.end
    assert "kept_from" not in only(second.events, "workload_started")


@pytest.mark.parametrize("said", [b"", b"\0\0", b"\0\0\0\4null"])
def test_a_visitor_with_nothing_to_hand_over_is_shown_out(host, said, tmp_path):
    """Cut short, or without descriptors: the next one is let in all the same."""
    answer = trial(host, 1)
    door = host.state / "runs" / host.run / "t1" / handover.NAME
    with socket.socket(socket.AF_UNIX) as visitor:
        with contextlib.chdir(door.parent):  # a socket's path is short
            visitor.connect(handover.NAME)
        visitor.sendall(said)
    second = trial(host, 2, after=1)
    assert only(second.events, "workload_started")["kept_from"] == "t1"
    assert (
        only(answer.events, "workload_started")["pid"]
        == only(second.events, "workload_started")["pid"]
    )


def test_nobody_waits_there(tmp_path):
    spool = Spool(str(tmp_path))
    assert not handover.hand_over(str(tmp_path), {}, spool.fd, spool.fd)
    spool.close()
