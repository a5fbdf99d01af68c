"""A job that its queue has given up does not write on: the host knows the one that took over."""

import pytest

from runner.errors import HostBusy
from runner.executor.agent import Agent
from runner.executor.converge import converge
from runner.executor.host import status
from runner.executor.probe import probe
from runner.executor.restore import restore
from runner.transports.local import LocalTransport


@pytest.fixture
def job(tmp_path):
    def agent(number, run="run-1"):
        return Agent(LocalTransport(name="board"), run_id=run, state_dir=str(tmp_path / "state"),
                     job=number)  # fmt: skip

    return agent


def held(agent):
    return {"controller": "gateway:1", "lease_s": None, "job": agent.job}


def test_the_job_is_in_the_hold(job, tmp_path):
    seven = job(7)
    converge(seven, [], held=held(seven))
    said, _ = status(seven)
    assert said.hold.job == 7
    restore(seven)


@pytest.mark.parametrize("ended", [False, True], ids=["while it runs", "when it is done"])
def test_an_earlier_job_of_the_same_run_is_shut_out(job, ended):
    early, later = job(7), job(9)
    converge(early, [], held=held(early))
    converge(later, [], held=held(later))
    if ended:
        restore(later)
    for write in (lambda: converge(early, [], held=held(early)), lambda: restore(early)):
        with pytest.raises(HostBusy, match="job 9 has taken this host over from job 7"):
            write()
    probe(early)  # it may look
    restore(later)


def test_another_run_and_no_job_at_all_are_let_in(job):
    nine = job(9)
    converge(nine, [], held=held(nine))
    restore(nine)
    for agent in (job(3, "run-2"), job(None, "run-3")):
        converge(agent, [], held=held(agent))
        restore(agent)
