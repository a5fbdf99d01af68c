"""A key that would do nothing beside what else a spec says is refused where it stands."""

import copy
import json

import pytest

from runner.errors import SpecError
from runner.specfile import parse_text

SERVER = {
    "schema": "experiment/1",
    "workload": {"argv": ["./srv", "{port}"]},
    "load": {"generator": "wrk", "connections": 8, "measure": "20s"},
}
IDLE = {"schema": "experiment/1", "workload": {"argv": ["./srv", "{port}"]}}
ONCE = {"schema": "experiment/1", "workload": {"argv": ["./prog"], "run": "once"}}
COMMAND = {**SERVER, "load": {"generator": "command", "argv": ["x"], "measure": "9s"}}
FAULT = [{"at": "2s", "for": "1s", "process": {"pause": "workload"}}]
RSS = {"from": "procfs.rss"}
PAGE = {"name": "a", "url": "http://127.0.0.1:{port}/"}
SAID = {"from": "stdout.json.a"}
TWO = [{"connections": 4}, {"connections": 8}]


def read(base, more):
    spec = copy.deepcopy(base)
    for key, value in more.items():
        spec[key] = {**spec.get(key, {}), **value} if isinstance(value, dict) else value
    return parse_text(json.dumps(spec)).experiment


@pytest.mark.parametrize(
    ("base", "more", "why"),
    [
        (SERVER, {"metrics": {"m": {**RSS, "after": "3s"}}}, "counts where there is no load"),
        (IDLE, {"metrics": {"m": {**RSS, "after": "3s"}, "k": RSS}}, "from one moment on"),
        (ONCE, {"metrics": {"m": {**RSS, "at": "8"}}}, "there are no steps"),
        (SERVER, {"metrics": {"m": {**RSS, "as": "rate/min"}}}, "does not count up"),
        (SERVER, {"metrics": {"m": {"from": "load.rps", "as": "rate/s"}}}, "does not count up"),
        (ONCE, {"faults": FAULT}, "a fault comes after the load began, so never"),
        (ONCE, {"hosts": {"server": "a", "load": "b"}}, "nothing would come from there"),
        (ONCE, {"workload": {"fetch": [{**PAGE, "when": "during_step"}]}}, "there are no steps"),
        (ONCE, {"workload": {"fetch": [{**PAGE, "when": "after_step"}]}}, "there are no steps"),
        (
            SERVER,
            {"workload": {"fetch": [{**PAGE, "when": "during_step", "after": "20s"}]}},
            "this is never fetched",
        ),
        (SERVER, {"workload": {"fetch": [PAGE, PAGE]}}, "two pages are called `a`"),
        (
            ONCE,
            {"repeat": {"between": [6, 6], "stop_when": {"half_width": "2%"}}},
            "always 6 repetitions: it could stop nothing",
        ),
        (COMMAND, {"load": {"expect": {"status": [200]}}}, "judges its own answers"),
        (SERVER, {"load": {"insecure": True}}, "is of https, and nothing is asked by it"),
        (
            SERVER,
            {
                "load": {
                    "url": "http://127.0.0.1:{port}/a",
                    "urls": [{"url": "http://127.0.0.1:{port}/b"}],
                }
            },
            "`urls` are asked instead",
        ),
        (SERVER, {"load": {"steps": [*TWO, {"connections": 4}]}}, "two steps are called `4`"),
        (COMMAND, {"load": {"steps": TWO}}, "not told its connections"),
        (SERVER, {"metrics": {"m": {**RSS, "statistic": "count"}}}, "has no count"),
        (SERVER, {"metrics": {"m": {**RSS, "statistic": "sum"}}}, "has no sum"),
        (SERVER, {"metrics": {"m": {**RSS, "statistic": "first"}}}, "has no first"),
        (ONCE, {"metrics": {"m": {"from": "workload.wall", "statistic": "count"}}}, "no count"),
        (
            SERVER,
            {"load": {"steps": TWO}, "metrics": {"m": {**SAID, "per": "step"}}},
            "runs all steps",
        ),
        (SERVER, {"load": {"steps": TWO}, "metrics": {"m": {**SAID, "at": "4"}}}, "leave out `at`"),
        (
            SERVER,
            {"load": {"steps": TWO}, "metrics": {"m": {"from": "workload.wall", "per": "step"}}},
            "it has one `workload.wall`",
        ),
        (
            SERVER,
            {
                "load": {"steps": TWO, "between_steps": "fresh"},
                "metrics": {"m": {**SAID, "statistic": "median"}},
            },
            "say `per: step`",
        ),
        (COMMAND, {"load": {"connections": 4, "rate": "9/s"}}, "not told its rate"),
    ],
)
def test_what_would_do_nothing_is_refused_with_its_place(base, more, why):
    with pytest.raises(SpecError, match=r":1:\d+: ") as caught:
        read(base, more)
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("base", "more"),
    [
        (IDLE, {"metrics": {"m": {**RSS, "after": "3s"}, "k": {**RSS, "after": "3s"}}}),
        (IDLE, {"metrics": {"m": {**RSS, "after": "3s"}, "k": {"from": "stdout.json.a"}}}),
        (SERVER, {"metrics": {"m": {"from": "load.requests", "as": "rate/min"}}}),
        (SERVER, {"metrics": {"m": {"from": "procfs.minor_faults", "as": "rate/s"}}}),
        (SERVER, {"faults": FAULT}),
        (SERVER, {"hosts": {"server": "a", "load": "b"}}),
        (
            SERVER,
            {"workload": {"fetch": [{**PAGE, "when": "before"}, {**PAGE, "when": "after"}]}},
        ),
        (SERVER, {"workload": {"fetch": [{**PAGE, "when": "during_step", "after": "19s"}]}}),
        (COMMAND, {"load": {"argv": ["x", "{connections}"], "steps": TWO}}),
        (COMMAND, {"load": {"connections": 4}}),
        (SERVER, {"metrics": {"m": {**SAID, "per": "step", "statistic": "sum"}}}),
        (SERVER, {"load": {"steps": TWO}, "metrics": {"m": {**SAID, "statistic": "sum"}}}),
        (
            SERVER,
            {
                "load": {"steps": TWO, "between_steps": "fresh"},
                "metrics": {"m": {**SAID, "per": "step", "statistic": "median"}, "k": SAID},
            },
        ),
        (
            SERVER,
            {
                "load": {"steps": TWO},
                "metrics": {
                    "m": {"from": "load.requests", "statistic": "sum"},
                    "k": {"from": "procfs.minor_faults", "per": "step"},
                },
            },
        ),
        (
            {**SERVER, "load": {**SERVER["load"], "generator": "vegeta", "rate": "9/s"}},
            {"load": {"steps": {"from": 4, "to": 8, "times": 2}}},
        ),
        (SERVER, {"load": {"steps": [*TWO, {"connections": 4, "name": "down"}]}}),
    ],
)
def test_what_does_something_is_taken(base, more):
    read(base, more)


@pytest.mark.parametrize(
    "key", [{"at": "8"}, {"after": "3s"}, {"statistic": "max"}, {"as": "rate/min"}]
)
def test_a_computed_metric_is_of_what_is_measured(key):
    metrics = {"m": RSS, "k": {"compute": "m + m", **key}}
    with pytest.raises(SpecError, match="is of what is measured"):
        read(SERVER, {"metrics": metrics})
