"""What a host lacks for a load is said before a trial, each with its fix."""

from __future__ import annotations

import pytest

from runner.apply.checks import preflight
from runner.errors import HostError
from runner.kinds.resources.interface import Cell
from runner.planning.facts import counts_ports
from runner.spec.experiment import Experiment

FACTS = {
    "tools": {"wrk": "/usr/bin/wrk"},
    "limits.nofile_soft": 1024,
    "limits.nofile_hard": 100_000,
    "sysctl.net.core.somaxconn": "4096",
    "sysctl.net.ipv4.ip_local_port_range": "32768 60999",
}


def experiment(connections: int = 100, *, network="host", **workload) -> Experiment:
    return Experiment.model_validate(
        {
            "workload": {"argv": ["x"], "network": network, **workload},
            "load": {"connections": connections, "threads": 4, "measure": "1s"},
        }
    )


def said(exp, facts=FACTS, cells=(), loads=None, tried=None) -> tuple[str, str]:
    server = ("board", {**FACTS, **facts})
    try:
        preflight.check(exp, server, loads or [server], cells, tried)
    except HostError as error:
        return error.message, error.fix
    return "", ""


def test_a_host_that_has_it_all():
    assert said(experiment()) == ("", "")


@pytest.mark.parametrize(
    ("exp", "facts", "message", "fix"),
    [
        (experiment(), {"tools": {"wrk": None}}, "board has no wrk", "packages: [wrk]"),
        (experiment(500), {"limits.nofile_hard": 1000}, "the hard limit is 1000", "hard nofile 1112"),
        (experiment(900, limits={"nofile": 1000}), {}, "its limit is 1000", "{nofile: 1592}"),
        (experiment(2000), {}, "would have 1024 open files", "{nofile: 2912}"),
        (
            experiment(30000, limits={"nofile": 90000}), {"sysctl.net.core.somaxconn": "65535"},
            "28232 ports", 'ip_local_port_range: "1024 65535"',
        ),
        (
            experiment(70000, limits={"nofile": 90000}), {"sysctl.net.core.somaxconn": "131072"},
            "28232 ports", "add load hosts",
        ),
        (
            experiment(5000, limits={"nofile": 20000}), {}, "queue of 4096",
            "net.core.somaxconn: 8192",
        ),
        (
            experiment(5000, limits={"nofile": 20000}, network="isolated"),
            {"sysctl.net.core.somaxconn": "65535"}, "queue of 4096", "net.core.somaxconn: 8192",
        ),
    ],
)  # fmt: skip
def test_each_lack_with_its_fix(exp, facts, message, fix):
    found = said(exp, facts)
    assert message in found[0]
    assert fix in found[1]


def test_what_the_run_sets_itself_counts():
    exp = experiment(5000, limits={"nofile": 20000}, network="isolated")
    cell = Cell(id="sysctl:x", via="pseudo", path="/proc/sys/net/core/somaxconn", want="8192")
    assert said(exp, cells=[cell]) == ("", "")


def test_all_lacks_at_once():
    message, _ = said(experiment(5000), {"tools": {}, "limits.nofile_hard": 1000})
    assert len(message.splitlines()) == 4


def test_several_load_hosts_share_the_connections():
    exp = experiment(30000, limits={"nofile": 90000})
    facts = {**FACTS, "sysctl.net.core.somaxconn": "65535"}
    loads = [("a", FACTS), ("b", FACTS)]
    assert said(exp, facts, loads=loads) == ("", "")


def test_fewer_threads_than_asked_are_said():
    (told,) = preflight.fewer_threads(experiment(87))
    assert "uses 3 of 4 threads" in told
    assert preflight.fewer_threads(experiment(88)) == []


@pytest.mark.parametrize(
    ("tried", "wanted", "lacks"),
    [
        ({"low": 32768, "high": 33767, "tried": 1000, "taken": 900}, 400, True),
        ({"low": 32768, "high": 33767, "tried": 1000, "taken": 900}, 100, False),
        ({"low": 32768, "high": 33767, "tried": 1000, "taken": 0}, 1000, False),
        # of a range tried in part: taken for sure are 28,232 x (0.5 - 3 x 0.0156)
        ({"low": 32768, "high": 60999, "tried": 1024, "taken": 512}, 15_000, False),
        ({"low": 32768, "high": 60999, "tried": 1024, "taken": 512}, 15_500, True),
    ],
)
def test_ports_that_others_have_do_not_count(tried, wanted, lacks):
    facts = {**FACTS, "sysctl.net.core.somaxconn": "65535",
             "sysctl.net.ipv4.ip_local_port_range": f"{tried['low']} {tried['high']}"}  # fmt: skip
    exp = experiment(wanted, limits={"nofile": 90_000})
    message, fix = said(exp, facts, tried={"board": tried})
    there = tried["high"] - tried["low"] + 1
    assert bool(message) == lacks, message
    if lacks:
        assert f"{wanted} connections, and {there} ports" in message
        assert "of which others have" in message
        assert 'ip_local_port_range: "1024 65535"' in fix


def test_ports_are_counted_where_others_may_have_them():
    assert counts_ports(experiment())
    assert not counts_ports(experiment(network="isolated"))
