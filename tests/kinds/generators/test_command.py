"""A load program of the user's own, started for real."""

from __future__ import annotations

import json
import subprocess
import sys

from runner.kinds.generators import generator
from runner.kinds.generators.interface import LoadStep, Output
from tests.apply.specs import spec

COMMAND = generator("command")
CODE = "import json,sys; print('note'); print(json.dumps({'rps': float(sys.argv[1]), 'misses': 3}))"


def step(*argv: str, rate: float | None = 40.0) -> LoadStep:
    return LoadStep("", 7, 1.5, threads=1, rate=rate, argv=argv)


def test_the_steps_numbers_are_filled_in():
    words = COMMAND.argv(step("x", "-c{connections}", "-d", "{duration}s", "-r{rate}", "{port}"))
    assert words == ["x", "-c7", "-d", "1.5s", "-r40", "{port}"]


def test_numbers_of_the_last_object_and_its_own_failure():
    argv = COMMAND.argv(step(sys.executable, "-c", CODE, "{rate}"))
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    found = COMMAND.parse(Output(done.stdout, done.stderr, done.returncode), step())
    assert found.numbers == {"opened": 7, "rps": 40.0, "misses": 3}
    failed = COMMAND.parse(Output("", "cannot connect\n", 2), step())
    assert failed.error == "exit 2: cannot connect"


def test_a_key_of_its_own_is_a_metric(local, unchanged):
    argv = json.dumps([sys.executable, "-c", CODE, "{connections}"])
    more = "metrics: {rate: load.rps, misses: command.misses}\n"
    text = spec(more=more).replace("threads: 1", f"generator: command\n  argv: {argv}")
    local.apply(local.spec(text))
    (folder,) = (local.reports / "small").glob("2*")
    analysis = json.loads((folder / "artifacts" / "analysis.json").read_text())
    assert {item["metric"]: item["median"] for item in analysis["estimates"]} == {
        "rate": 4.0,
        "misses": 3.0,
    }
