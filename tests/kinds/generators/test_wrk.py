"""wrk: the argv, what it opens, and its output, from the real tool."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import threading
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from runner.host.sample import sockets
from runner.kinds.generators import generator
from runner.kinds.generators.interface import Output, fitted
from runner.kinds.generators.request import Request
from runner.kinds.generators.wrk import LUA
from runner.records.steps import LoadStep
from tests.kinds.generators.lacks import declared, lacking

pytestmark = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
WRK = generator("wrk")


def step(url: str = "http://127.0.0.1:9/", connections: int = 4, threads: int = 2) -> LoadStep:
    return LoadStep(url=url, connections=connections, duration_s=1, threads=threads, timeout_s=1)


def run(tmp_path, load: LoadStep):
    for file in WRK.files():
        (tmp_path / file["name"]).write_text(file["text"])
    argv = [word.replace("{dir}", str(tmp_path)) for word in WRK.argv(load)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    return WRK.parse(Output(done.stdout, done.stderr, done.returncode), load)


def test_numbers_of_a_healthy_server(tmp_path, serve):
    """All numbers are there and agree with one another."""
    found = run(tmp_path, step(serve(200)))
    numbers = found.numbers
    assert found.error == ""
    assert lacking(found) == declared(WRK)
    assert numbers["requests"] > 0
    assert numbers["errors"] == 0
    assert numbers["error_ratio"] == 0
    assert numbers["rps"] == pytest.approx(numbers["requests"] / numbers["duration_s"])
    assert 0 < numbers["latency_min"] <= numbers["latency_p50"] <= numbers["latency_p99"]
    assert numbers["latency_p99"] <= numbers["latency_max"]


def test_every_reply_503_is_all_errors(tmp_path, serve):
    """Great throughput of refusals is an error ratio of 1."""
    numbers = run(tmp_path, step(serve(503))).numbers
    assert numbers["requests"] > 0
    assert numbers["errors.status"] == numbers["requests"]
    assert numbers["error_ratio"] == 1
    assert numbers["good_rps"] == 0


def test_server_that_never_answers_is_no_success(tmp_path, serve):
    """wrk says 0 requests, 0 timeouts, exit 0: that is an error ratio of 1 and no latency."""
    found = run(tmp_path, step(serve(None)))
    assert found.numbers["requests"] == 0
    assert found.numbers["error_ratio"] == 1.0
    assert found.numbers["latency_p99"] is None
    assert found.why["latency_p99"] == "no request was answered"


def test_nothing_listens(tmp_path):
    """A refused connection is the server's fault or the tool's error, never health."""
    found = run(tmp_path, step())
    assert found.error or found.numbers["error_ratio"] == 1.0


@pytest.mark.parametrize(
    ("connections", "asked", "used"),
    [(87, 4, 3), (100, 4, 4), (97, 4, 1), (3, 4, 3), (1, 2, 1), (92, 8, 4)],
)
def test_threads_divide_the_connections(connections, asked, used):
    """wrk -tT -cN opens T·⌊N/T⌋: only a divisor opens them all."""
    assert WRK.threads(step(connections=connections, threads=asked)) == used


@pytest.mark.parametrize("connections", [7, 8, 9, 13, 30])
def test_every_connection_is_really_opened(tmp_path, serve, connections):
    """Counted by the kernel while the real wrk runs, whatever its threads could divide."""
    url = serve(200)
    asked = fitted(WRK, step(url, connections=connections, threads=4))
    counted, done = [], threading.Event()

    def count():
        with contextlib.closing(sockets.Diag()) as diag:
            while not done.wait(0.05):
                counted.append(diag.established(urlsplit(url).port))

    watcher = threading.Thread(target=count)
    watcher.start()
    try:
        numbers = run(tmp_path, asked).numbers
    finally:
        done.set()
        watcher.join()
    assert max(counted) == connections == numbers["opened"]
    assert numbers["latency_p90"] <= numbers["latency_p95"] <= numbers["latency_p99"]


def test_no_summary_is_the_generators_failure():
    """Output without the JSON line means that the tool failed, not the server."""
    found = WRK.parse(Output("", "unable to create thread\n", 1), step())
    assert found.error == "wrk exited 1: unable to create thread"
    assert found.numbers == {}


def test_answers_without_a_header_have_no_status_that_wrk_tells():
    """A bare `204 No Content`: the script saw 7 of 70; errors are unknown, and not 90 %."""
    seen = {"duration_us": 1e6, "requests": 70, "bytes": 0, "statuses": {"204": 7}, "connect": 0,
            "read": 0, "write": 0, "status": 0, "timeout": 0, "stdev_us": 1.0,
            **{f"{name}_us": 9.0 for name in ("mean", "min", "max", "p50", "p99")}}  # fmt: skip
    found = WRK.parse(Output("RUNNER_JSON " + json.dumps(seen), "", 0), step())
    for name in ("good", "good_rps", "errors", "error_ratio", "errors.status"):
        assert found.numbers[name] is None
        assert found.why[name].startswith("63 of 70 answers had no header at all")
    assert found.numbers["rps"] == 70


def test_lua_reads_maximum_directly():
    """latency:percentile(100) is 0 in wrk."""
    assert "latency.max" in LUA
    assert "percentile(100)" not in LUA


@pytest.mark.parametrize("think_s", [(0.1, 0.1), (0.05, 0.15)])
def test_connections_pause_before_they_ask(tmp_path, serve, think_s):
    """4 connections that pause 100 ms can ask 40 times a second; the pause is no latency."""
    load = replace(step(serve(200)), think_s=think_s)
    for file in WRK.files(Request(think_s=think_s)):
        (tmp_path / file["name"]).write_text(file["text"])
    argv = [word.replace("{dir}", str(tmp_path)) for word in WRK.argv(load)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    found = WRK.parse(Output(done.stdout, done.stderr, done.returncode), load)
    assert found.error == ""
    assert 0 < found.numbers["requests"] <= 4 * (found.numbers["duration_s"] / think_s[0] + 1)
    assert found.numbers["latency_p50"] < think_s[0]
    assert found.numbers["unanswered"] == found.numbers["errors"] == 0
