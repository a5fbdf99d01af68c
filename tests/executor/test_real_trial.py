"""Trials of the real agent: the record over a link that breaks, and after a controller died."""

import os
import signal
import time

import pytest

from runner import errors
from runner.executor.agent import Agent
from runner.executor.host import forget, status
from runner.executor.restore import restore
from runner.executor.trial import Backoff, attach_trial, run_trial, stop_trial
from tests.waiting import until

RUN = "20260101T000000Z-abcdef"
QUICK = Backoff(attempts=8, first_s=0.05, longest_s=0.2)


@pytest.fixture
def agent(transport, state):
    return Agent(transport, run_id=RUN, state_dir=str(state))


@pytest.fixture
def spool(tmp_path):
    return tmp_path / "record" / "t001.jsonl"


def program(**other):
    return {
        "program": "trial",
        "trial": "t001",
        "hold": {"controller": "test", "lease_s": None},
        "network": "host",
        "workload": None,
        "sample": {
            "hz": 50,
            "reads": [
                {"id": "mem", "path": "/proc/meminfo", "hz": 50, "pick": {"keys": ["MemFree"]}}
            ],
        },
        "load": None,
        "idle_s": 0.5,
    } | other


def theirs(state):
    return (state / "runs" / RUN / "t001" / "spool.jsonl").read_bytes()


def test_trial(agent, state, spool, transport):
    kinds = []
    run = run_trial(agent, program(), lambda event: kinds.append(event.kind), spool)
    assert spool.read_bytes() == theirs(state)
    assert kinds[0] == "trial_started"
    assert kinds[-1] == "end"
    assert kinds.count("sample") > 10
    assert run.end.ok is True
    assert transport.execs == 1
    attached = spool.with_name("other.jsonl")
    attach_trial(agent, "t001", lambda _: None, attached)
    assert attached.read_bytes() == spool.read_bytes()
    restore(agent)
    assert status(agent)[0].trials
    forget(agent)
    assert not (state / "runs" / RUN).exists()


def test_trial_is_begun_once(agent, state, spool):
    run_trial(agent, program(), lambda _: None, spool)
    other = spool.with_name("other.jsonl")
    with pytest.raises(errors.ProgramRefused, match="begun before"):
        run_trial(agent, program(), lambda _: None, other)
    assert other.read_bytes() == b""


def test_stop(agent, state, spool):
    class EnoughError(Exception):
        pass

    def leave(event):
        if event.kind == "sample":
            raise EnoughError

    begin = time.monotonic()
    with pytest.raises(EnoughError):
        run_trial(agent, program(idle_s=60), leave, spool)
    stop_trial(agent, "t001")
    with pytest.raises(errors.HostError, match="stopped"):
        attach_trial(agent, "t001", lambda _: None, spool)
    assert time.monotonic() - begin < 15
    assert spool.read_bytes() == theirs(state)
    assert spool.read_bytes().splitlines()[-1].startswith(b'{"event":"end"')


@pytest.mark.parametrize("after", [3000, 9000])
def test_link_cut(sshd, proxy, state, spool, tmp_path, after):
    transport = sshd.transport(tmp_path, port=proxy.port)
    agent = Agent(transport, run_id=RUN, state_dir=str(state))
    status(agent)  # connected, agent sent
    kinds = []
    proxy.cut_after = after
    run = run_trial(
        agent, program(idle_s=3), lambda event: kinds.append(event.kind), spool, backoff=QUICK
    )
    assert proxy.cuts == 1
    assert run.reconnects == 1
    assert spool.read_bytes() == theirs(state)
    assert kinds.count("trial_started") == kinds.count("end") == 1
    transport.close()


def test_controller_died(agent, state, spool, tmp_path):
    """A forked controller is killed in the middle; its record and trial are picked up."""
    pid = os.fork()
    if pid == 0:
        try:
            mine = Agent(type(agent.transport)() if not hasattr(agent.transport, "options")
                         else type(agent.transport)(agent.transport.options),
                         run_id=RUN, state_dir=str(state))  # fmt: skip
            run_trial(mine, program(idle_s=3), lambda _: None, spool)
        finally:
            os._exit(1)
    try:
        until(lambda: spool.exists() and spool.read_bytes().count(b'"sample"') > 5)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    kept = spool.stat().st_size
    attach_trial(agent, "t001", lambda _: None, spool)
    assert 0 < kept < spool.stat().st_size
    assert spool.read_bytes() == theirs(state)


def test_supervisor_killed(agent, state, spool):
    """The record still ends, by an error of the host."""
    killed = []

    def kill(event):
        if event.kind == "sample" and not killed:
            text = (state / "runs" / RUN / "t001" / "supervisor").read_text()
            killed.append(int(text))
            os.kill(int(text), signal.SIGKILL)

    with pytest.raises(errors.RunnerError, match="killed"):
        run_trial(agent, program(idle_s=60), kill, spool, backoff=QUICK)
    assert spool.read_bytes() == theirs(state)
