"""A number that nothing in the spec can give is refused where it is named."""

import copy
import json

import pytest

from runner.errors import SpecError
from runner.kinds.sources import names
from runner.kinds.sources.interface import SECTIONS
from runner.kinds.units import CLOSED, OPEN, needs_of
from runner.lint import lint
from runner.specfile import parse_text
from runner.specfile.cross_checks.given import OFFERS

SERVER = {
    "schema": "experiment/1",
    "workload": {"argv": ["./srv", "{port}"]},
    "load": {"generator": "wrk", "connections": 8, "measure": "20s"},
}
ONCE = {"schema": "experiment/1", "workload": {"argv": ["./prog"], "run": "once"}}


def read(base, **more):
    spec = copy.deepcopy(base)
    for key, value in more.items():
        spec[key] = {**spec.get(key, {}), **value} if isinstance(value, dict) else value
    return parse_text(json.dumps(spec)).experiment


def metric(name, **more):
    return {"z": {"from": name, **more}}


@pytest.mark.parametrize(
    ("base", "name", "why"),
    [
        (ONCE, "load.rps", "there is no `load`"),
        (ONCE, "net.established", "nothing says its port"),
        (ONCE, "energy.per_good", "there is no `load`"),
        (SERVER, "cgroup.peak", "cgroup: {memory.max: max}"),
        (SERVER, "build.size", "there is no `build`"),
        (SERVER, "prometheus.x", "nothing is fetched"),
        (SERVER, "maps.count", "nothing is fetched"),
        (SERVER, "prepare.wall", "nothing is prepared"),
        (SERVER, "fault.injected", "there are no `faults`"),
        (SERVER, "command.x", "no load of the generator `command`"),
        (SERVER, "load.dropped", "wrk gives no dropped; vegeta would"),
        (SERVER, "load.latency_raw_p99", "h2load"),
        (SERVER, "load.rate", "wrk gives no rate"),
    ],
)
def test_what_nothing_gives_is_refused_with_its_place(base, name, why):
    with pytest.raises(SpecError, match=r":1:\d+: `.*` would never be measured: ") as caught:
        read(base, metrics=metric(name))
    assert why in str(caught.value)
    rule = f"{name} == 3" if "." in name else name
    for section in ("healthy", "guards"):
        with pytest.raises(SpecError, match="would never be measured"):
            read(base, **{section: [rule]})


@pytest.mark.parametrize(
    ("base", "name", "more"),
    [
        (SERVER, "cgroup.peak", {"workload": {"cgroup": {"memory.max": "9MiB"}}}),
        (SERVER, "load.established", {}),
        (SERVER, "load.errors.local", {}),
        (SERVER, "load.latency_p99", {}),
        (SERVER, "fetched.a.b", {"workload": {"fetch": [{"name": "a", "url": "http://a/"}]}}),
        (SERVER, "load.dropped", {"load": {"generator": "vegeta", "rate": 9}}),
        (SERVER, "command.x", {"load": {"generator": "command", "argv": ["x"]}}),
        (ONCE, "stdout.json.a", {}),
        (ONCE, "host.load1", {}),
        (ONCE, "board.temperature", {}),
    ],
)
def test_what_something_gives_is_taken(base, name, more):
    read(base, metrics=metric(name), **more)


def test_a_benchmark_may_have_one_letter():
    read(ONCE, metrics=metric("gobench.X.ns_per_op"))
    with pytest.raises(SpecError, match="did you mean `ns_per_op`"):
        read(ONCE, metrics=metric("gobench.ns_per_opp"))


def test_one_level_that_gives_it_is_enough():
    over = {"workload": {"cgroup": {"memory.max": "9MiB"}}}
    factors = {"a": {"no": {}, "yes": over}, "b": {"x": {}, "y": {}}}
    read(SERVER, metrics=metric("cgroup.peak"), factors=factors)
    with pytest.raises(SpecError, match="would never"):
        read(SERVER, metrics=metric("cgroup.peak"), factors={"a": {"no": {}, "yes": {}}})


def test_a_group_that_the_search_makes_counts():
    search = {"find": "lowest healthy memory.max", "between": ["8MiB", "64MiB"]}
    read(SERVER, search=search, healthy=["cgroup.oom_kills == 0"])


def test_pages_and_numbers_have_names():
    fetch = {"fetch": [{"name": "stats", "url": "http://127.0.0.1:{port}/"}]}
    with pytest.raises(SpecError, match="no page of that name is fetched; fetched: stats"):
        read(SERVER, workload=fetch, metrics=metric("fetched.status.a"))
    load = {"generator": "command", "argv": ["x"], "numbers": {"rps": "rps (.*)"}}
    read(SERVER, load=load, metrics=metric("load.rps"))
    for name in ("load.latency_p99", "command.other", "load.error_ratio"):
        with pytest.raises(SpecError, match="`numbers` of the load has no"):
            read(SERVER, load=load, metrics=metric(name))


def test_a_fragment_and_a_spec_that_is_never_run_may_name_anything():
    read({key: value for key, value in ONCE.items() if key != "schema"}, metrics=metric("load.rps"))
    read(ONCE, metrics=metric("load.rps"), lint={"only": "to be read"})


def test_every_word_of_a_need_is_known():
    assert set(OFFERS) == SECTIONS
    families = (*names(), *CLOSED, *OPEN)
    words = {word for family in families for word in needs_of(f"{family}.x")}
    assert words - SECTIONS == {"pages", "gctrace=", "scavtrace=", "fio", "iperf3", "sysbench"}


@pytest.mark.parametrize(
    ("name", "env", "found"),
    [
        ("gctrace.count", {}, True),
        ("gctrace.count", {"GODEBUG": "gctrace=1"}, False),
        ("scavtrace.count", {"GODEBUG": "gctrace=1"}, True),
        ("memstats.pause_mean", {}, True),
        ("fio.read.iops", {}, True),
        ("iperf3.received", {}, True),
        ("load.rps", {}, False),
    ],
)
def test_lint_says_what_no_program_is_asked_to_print(name, env, found):
    said = lint(read(SERVER, workload={"env": env}, metrics=metric(name)))
    assert any(one.rule == "source-unfed" for one in said) == found
