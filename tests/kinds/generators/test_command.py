"""A load program of the user's own, started for real."""

from __future__ import annotations

import json
import subprocess
import sys

from runner.kinds.generators import generator
from runner.kinds.generators.interface import Output
from runner.records.steps import LoadStep
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
    unknown = {"errors": None, "error_ratio": None}
    assert found.numbers == {"opened": 7, "rps": 40.0, "misses": 3, **unknown}
    assert found.why["error_ratio"] == "the load program printed no `error_ratio`"
    failed = COMMAND.parse(Output("", "cannot connect\n", 2), step())
    assert failed.error == "command exited 2: cannot connect"


def test_no_json_is_the_programs_failure_with_what_it_printed():
    found = COMMAND.parse(Output("usage: bench URL\n[1, 2]\n", "", 0), step())
    assert "printed no JSON object" in found.error
    assert "usage: bench URL" in found.error


def test_json_over_several_lines_is_read():
    text = json.dumps({"rps": 5, "error_ratio": 0}, indent=2)
    assert COMMAND.parse(Output(text, "", 0), step()).numbers["rps"] == 5


def test_a_long_failure_keeps_its_first_and_last_lines():
    text = "cannot create a thread\n" + "".join(f"frame {n}\n" for n in range(99)) + "exit\n"
    error = COMMAND.parse(Output("", text, 3), step()).error
    assert "cannot create a thread" in error
    assert error.endswith("exit")
    assert "frame 50" not in error


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
