"""A generator's output is read or is its failure; it never ends a run."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.kinds import generators
from runner.kinds.generators.interface import Output
from runner.records.steps import LoadStep

STEP = LoadStep("http://127.0.0.1/", 10, 1.0, 2, rate=100.0)
NAMES = generators.names()
values = (
    st.none()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.lists(st.integers(), max_size=2)
)
objects = st.dictionaries(
    st.sampled_from(
        [
            "rate",
            "planned",
            "sent",
            "answered",
            "errors",
            "attack_s",
            "last_answer_s",
            "bytes",
            "service",
            "duration_us",
            "requests",
            "connect",
            "read",
            "write",
            "status",
            "timeout",
            "mean_us",
            "rps",
        ]
    ),
    values,
).map(json.dumps)
stdouts = st.one_of(
    st.text(max_size=100),
    objects,
    objects.map(lambda text: f"RUNNER_JSON {text}\n"),
    objects.map(lambda text: '{"rate":1,' + text[1:]),
    st.just("requests: 1 total, 1 started, 1 done, 1 succeeded, 0 failed, 0 errored, 0 timeout\n"
            "status codes: 1 2xx, 0 3xx, 0 4xx, 0 5xx\nfinished in 1.1.1s, 1 req/s\n"),
    st.just('{"a":' * 5000),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(NAMES), stdouts, st.text(max_size=20), st.sampled_from([0, 1, None]))
def test_whatever_a_generator_prints(name, stdout, stderr, code):
    found = generators.read(name, Output(stdout, stderr, code), STEP)
    for key, value in found.numbers.items():
        assert value is None or math.isfinite(value), key


@pytest.mark.parametrize("name", NAMES)
def test_what_cannot_be_read_is_the_generators_failure(name):
    said = {"wrk": 'RUNNER_JSON {"duration_us": "x"}\n', "vegeta": '{"rate": 1}\n'}.get(name)
    if said is None:
        return
    found = generators.read(name, Output(said, "", 0), STEP)
    assert f"what {name} printed could not be read" in found.error
