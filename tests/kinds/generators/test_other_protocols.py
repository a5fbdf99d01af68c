"""redis-benchmark, iperf3 and sysbench as loads: the real ones, against real servers."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from runner.kinds.generators import generator
from runner.kinds.generators.interface import Output
from runner.kinds.generators.merge import merged
from runner.kinds.generators.request import Request
from runner.records.steps import LoadStep
from tests.kinds.generators.lacks import declared, lacking
from tests.waiting import until
from tests.workers import free_port

REDIS, IPERF, SYSBENCH = (generator(name) for name in ("redis_benchmark", "iperf3", "sysbench"))


def needs(*tools: str) -> None:
    for tool in tools:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")


def step(port: int, *argv: str, connections: int = 4, threads: int = 1) -> LoadStep:
    url = f"tcp://127.0.0.1:{port}"
    return LoadStep(url, connections, 1.0, threads=threads, timeout_s=1.0, argv=argv)


@contextmanager
def running(*argv: str):
    server = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        server.kill()
        server.wait()


@contextmanager
def redis(port: int, *more: str):
    needs("redis-server", "redis-benchmark", "redis-cli")
    with running("redis-server", "--port", str(port), "--save", "", *more):
        until(lambda: cli(port, "ping") == "PONG")
        yield


def cli(port: int, *words: str) -> str:
    argv = ["redis-cli", "-p", str(port), *words]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()


def run(kind, asked: LoadStep, within_s: float = 30.0):
    """Run one step as the host does: what does not end is stopped, and that is said."""
    assert not kind.refuses(Request(), asked)
    argv = kind.argv(asked)
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=within_s, check=False)
    except subprocess.TimeoutExpired as late:
        said = [(text or b"").decode() for text in (late.stdout, late.stderr)]
        return kind.parse(Output(*said, None, signal=9, timed_out_s=within_s), asked)
    return kind.parse(Output(done.stdout, done.stderr, done.returncode), asked)


def test_sets_of_redis():
    port = free_port()
    with redis(port):
        found = run(REDIS, step(port, "-t", "set", "-n", "2000", threads=2))
        assert cli(port, "dbsize") == "1"
    numbers = found.numbers
    assert not found.error
    assert numbers["requests"] == numbers["good"] == 2000
    assert numbers["errors"] == numbers["error_ratio"] == 0
    assert numbers["duration_s"] == pytest.approx(2000 / numbers["rps"])
    latency = [numbers[f"latency_{name}"] for name in ("min", "p50", "p99", "max")]
    assert 0 < latency[0] == min(latency) <= latency[-1] == max(latency) < 1
    assert numbers["latency_corrected_p99"] is None


def test_little_holds_for_redis_also_where_requests_are_pipelined():
    port = free_port()
    with redis(port):
        alone = run(REDIS, step(port, "-t", "get", "-n", "20000"))
        deep = run(REDIS, step(port, "-t", "get", "-n", "40000", "-P", "8"))
    for found in (alone, deep):
        assert 0.4 < found.numbers["littles_law"] < 1.6


def test_several_tests_of_redis_have_a_mean_and_no_percentile():
    port = free_port()
    with redis(port):
        found = run(REDIS, step(port, "-t", "set,get", "-n", "500"))
    assert found.numbers["requests"] == 1000
    assert found.numbers["latency_mean"] > 0
    assert found.numbers["latency_p99"] is None
    assert found.why["latency_p99"].startswith("2 tests ran (SET, GET)")


def test_an_error_answer_of_redis_is_the_servers():
    port = free_port()
    with redis(port, "--maxmemory", "1"):
        found = run(REDIS, step(port, "-t", "set", "-n", "500"))
    assert not found.error
    assert found.numbers["good"] == 0
    assert found.numbers["error_ratio"] == 1
    assert "OOM command not allowed" in found.why["errors"]


def test_redis_benchmark_that_never_ends_is_named():
    needs("redis-benchmark")
    found = run(REDIS, step(free_port(), "-t", "set", "-n", "10"), within_s=2.0)
    assert found.error.startswith("redis-benchmark did not end: stopped after 2.0 s")
    assert "Connection refused" in found.error


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("-t", "set"), "number of requests: say -n"),
        (("-n", "9"), "would run all its tests"),
        (("-n", "9", "-t", "set", "-c20"), "`-c20`, which runner says itself: load.connections"),
        (("-n", "9", "-t", "set", "--csv"), "`--csv`, which runner says itself"),
        (("-n", "9", "-t", "set", "-l"), "it would never end"),
        (("-n", "9", "incr", "key"), ""),
        (("-n", "9", "--precision", "incr", "key"), ""),
    ],
)
def test_what_redis_benchmark_is_not_told(argv, said):
    refused = REDIS.refuses(Request(), step(1, *argv))
    assert said in refused
    assert bool(refused) == bool(said)


@pytest.mark.parametrize("kind", [REDIS, IPERF, SYSBENCH], ids=lambda kind: kind.name)
def test_http_says_nothing_to_them(kind):
    argv = {"redis_benchmark": ("-n", "9", "-t", "set"), "sysbench": ("cpu", "run")}
    asked = step(1, *argv.get(kind.name, ()))
    if kind is SYSBENCH:
        assert "leave out url" in kind.refuses(Request(), asked)
        asked = replace(asked, url="http://127.0.0.1:{port}/")
    assert kind.refuses(Request(), asked) == ""
    assert "sends no HTTP" in kind.refuses(Request(method="POST"), asked)
    assert "sees no HTTP status" in kind.refuses(Request(), replace(asked, expect=((201, 201),)))
    assert "not told `rate`" in kind.refuses(Request(), replace(asked, rate=9.0))


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "http://127.0.0.1:1/x", "rediss://h:1"])
def test_an_url_is_a_host_and_a_port_to_them(url):
    asked = replace(step(1, "-n", "9", "-t", "set"), url=url)
    assert "is told host and port" in REDIS.refuses(Request(), asked)


def test_bytes_of_iperf3():
    needs("iperf3")
    port = free_port()
    with running("iperf3", "-s", "-p", str(port)):
        until(lambda: listens(port))
        found = run(IPERF, step(port, connections=2))
    assert not found.error
    errors = {"errors.connect", "errors.read"}
    assert lacking(found, errors=errors) == declared(IPERF)
    assert found.numbers["bytes"] > 1_000_000
    assert found.numbers["error_ratio"] == 0
    assert found.own["received"] == pytest.approx(
        found.numbers["bytes"] / found.numbers["duration_s"], rel=0.05
    )
    assert found.own["retransmits"] is not None


def listens(port: int) -> bool:
    """Whether something listens, without being a client of it."""
    tables = [Path("/proc/net", name).read_text() for name in ("tcp", "tcp6")]
    rows = [line.split() for table in tables for line in table.splitlines()[1:]]
    return any(row[1].endswith(f":{port:04X}") and row[3] == "0A" for row in rows)


def test_nobody_behind_iperf3s_port_is_an_error_and_not_exit_0():
    needs("iperf3")
    found = run(IPERF, step(free_port()))
    assert not found.error
    assert found.numbers["errors.connect"] == 1
    assert found.numbers["error_ratio"] == 1
    assert "Connection refused" in found.why["error_ratio"]


def test_a_wrong_argument_is_iperf3s_own_failure():
    needs("iperf3")
    found = run(IPERF, step(free_port(), "-R", "--bidir"))
    assert "cannot be both reverse and bidirectional" in found.error
    assert "at most 128" in IPERF.refuses(Request(), step(1, connections=200))


def test_a_board_loaded_by_sysbench():
    needs("sysbench")
    asked = replace(step(0, "cpu", "run", connections=2), url="http://127.0.0.1:{port}/")
    assert SYSBENCH.threads(asked) == 2
    found = run(SYSBENCH, asked)
    assert not found.error
    assert lacking(found, errors={"latency_p99"}) == declared(SYSBENCH)  # --percentile=99
    assert found.numbers["requests"] > 10
    assert found.numbers["duration_s"] == pytest.approx(1.0, abs=0.3)
    assert found.own["events_per_s"] == found.numbers["rps"]
    assert found.numbers["latency_min"] <= found.numbers["latency_p95"]
    wrong = run(SYSBENCH, replace(asked, argv=("nosuch", "run")))
    assert "Cannot find benchmark 'nosuch'" in wrong.error
    assert "and `run`" in SYSBENCH.refuses(Request(), replace(asked, argv=("cpu",)))


def test_errors_that_a_database_test_ignored_are_errors():
    text = (
        "sysbench 1.0.20\n\nSQL statistics:\n"
        "    transactions:                        90   (9.00 per sec.)\n"
        "    queries:                             1800 (180.00 per sec.)\n"
        "    ignored errors:                      9    (0.90 per sec.)\n"
        "    reconnects:                          1    (0.10 per sec.)\n\n"
        "General statistics:\n    total time:                          10.0s\n"
        "    total number of events:              90\n"
    )
    found = SYSBENCH.parse(Output(text, "", 0), step(0))
    assert found.numbers["errors"] == 10
    assert found.numbers["error_ratio"] == pytest.approx(0.1)
    assert found.own["queries"] == 1800


def test_own_numbers_of_several_hosts_are_not_merged():
    one = IPERF.parse(Output('{"end": {"sum_received": {"bits_per_second": 8, "bytes": 1, '
                             '"seconds": 1}}}', "", 0), step(1))  # fmt: skip
    both = merged([one, one], 8)
    assert both.numbers["bytes"] == 2
    assert both.own["received"] is None
    assert "cannot be merged" in both.why["received"]
