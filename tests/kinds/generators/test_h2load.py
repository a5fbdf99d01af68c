"""h2load: its argv, what it prints, and its log, from the real tool."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from msgspec import convert

from runner.host.sample import request_log
from runner.kinds.generators import generator
from runner.kinds.generators.interface import Output
from runner.records.steps import LoadStep
from runner.records.trial_events import RequestLog
from tests.kinds.generators.lacks import declared, lacking

pytestmark = pytest.mark.skipif(shutil.which("h2load") is None, reason="h2load is not installed")
H2LOAD = generator("h2load")


def step(url: str = "http://127.0.0.1:9/", connections: int = 4) -> LoadStep:
    return LoadStep(url=url, connections=connections, duration_s=1, threads=2, timeout_s=1)


def run(asked: LoadStep, folder):
    log = folder / str(H2LOAD.log()).replace("{step}", "0")
    words = {"{dir}": str(folder), "{step}": "0"}
    argv = H2LOAD.argv(asked)
    for name, word in words.items():
        argv = [text.replace(name, word) for text in argv]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    summed = request_log.summarise(str(log), lambda: None)
    return H2LOAD.parse(
        Output(done.stdout, done.stderr, done.returncode, convert(summed, RequestLog)), asked
    )


def test_numbers_of_a_good_server(serve, tmp_path):
    found = run(step(serve(200)), tmp_path)
    assert found.error == ""
    assert lacking(found) == declared(H2LOAD)
    numbers = found.numbers
    assert numbers["requests"] > 20
    assert numbers["errors"] == 0
    assert found.histogram.n == pytest.approx(numbers["requests"], abs=8)
    assert (
        0 < numbers["latency_raw_min"] <= numbers["latency_raw_p50"] <= numbers["latency_raw_p99"]
    )
    assert numbers["latency_corrected_p99"] >= numbers["latency_raw_p99"] * 0.999
    assert numbers["littles_law"] == pytest.approx(1.0, abs=0.15)


def test_errors_are_seen(serve, tmp_path):
    numbers = run(step(serve(503)), tmp_path).numbers
    assert numbers["error_ratio"] == 1.0
    assert numbers["errors.status"] == pytest.approx(numbers["requests"], abs=8)


@pytest.mark.parametrize("silent", [True, False])
def test_silence_and_nobody_are_all_errors(serve, tmp_path, silent):
    """No answer ever, or no listener at all: ratio 1, and latency is null with a reason."""
    found = run(step(serve(None)) if silent else step(), tmp_path)
    assert found.numbers["error_ratio"] == 1.0
    assert found.numbers["latency_raw_p99"] is None
    assert found.why["latency_raw_p99"] == "no request was answered"


def test_no_log_and_no_output():
    found = H2LOAD.parse(Output("", "h2load: bad option", 1), step())
    assert "bad option" in found.error
