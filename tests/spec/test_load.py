"""Loads expand into steps with everything filled in."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from runner.spec.load import Load
from runner.spec.sections.steps import Ladder


def load(**data):
    return Load.model_validate(data)


def test_written_steps_take_from_the_load_what_they_leave_out():
    found = load(
        threads=4,
        warmup="5s",
        measure="20s",
        steps=[{"connections": 10}, {"connections": 50, "duration": "8s", "name": "half"}],
    ).expanded_steps()
    assert [
        (s.index, s.name, s.connections, s.duration_s, s.warmup_s, s.threads) for s in found
    ] == [
        (0, "10", 10, 20.0, 5.0, 4),
        (1, "half", 50, 8.0, 5.0, 4),
    ]


def test_a_constant_load_is_one_step():
    (step,) = load(connections=100, measure="30s").expanded_steps()
    assert (step.name, step.connections, step.duration_s) == ("100", 100, 30.0)


def test_a_search_supplies_the_connections_later():
    (step,) = load(measure="30s").expanded_steps()
    assert step.connections is None


def test_an_open_model_is_named_by_its_rate():
    (step,) = load(generator="vegeta", rate="600/min", measure="30s").expanded_steps()
    assert (step.name, step.rate) == ("10/s", 10.0)


@pytest.mark.parametrize(
    ("rule", "levels"),
    [
        ({"from": 100, "to": 10000, "times": 10}, (100, 1000, 10000)),
        ({"from": 10, "to": 100, "by": 10}, (10, 20, 30, 40, 50, 60, 70, 80, 90, 100)),
        ({"from": 1, "to": 10, "times": 1.5}, (1, 2, 3, 5, 8)),
        ({"from": 8, "to": 4096, "times": 2}, tuple(2**n for n in range(3, 13))),
        ({"from": 7, "to": 7, "times": 2}, (7,)),
    ],
)
def test_ladders(rule, levels):
    ladder = load(steps={**rule, "duration": "60s"})
    assert tuple(s.connections for s in ladder.expanded_steps()) == levels
    assert {s.duration_s for s in ladder.expanded_steps()} == {60.0}


@given(st.integers(1, 5000), st.integers(0, 5000), st.floats(1.0001, 50))
def test_a_geometric_ladder_rises_and_ends_in_its_bounds(start, more, times):
    levels = Ladder.model_validate({"from": start, "to": start + more, "times": times}).levels()
    assert levels[0] == start
    assert all(a < b for a, b in pairwise(levels))
    assert levels[-1] <= start + more


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"steps": {"from": 10, "to": 100}}, "exactly one of times (geometric) and by (linear)"),
        ({"steps": {"from": 100, "to": 10, "by": 5}}, "from (100) is above to (10)"),
        ({"steps": {"from": 1, "to": 10**6, "by": 1}}, "more than 1000 steps"),
        ({"generator": "wrkk"}, "unknown load generator `wrkk`; did you mean `wrk`?"),
        ({"generator": "command"}, "needs argv"),
        ({"measure": "0s"}, "measures for 0s"),
    ],
)
def test_faults(data, message):
    with pytest.raises(ValidationError) as caught:
        load(**data)
    assert message in str(caught.value)


def test_a_cooldown_may_be_a_time_or_a_condition():
    assert load(cooldown="10s").cooldown.at_most.seconds == 10
    found = load(cooldown={"until": {"time_wait_below": 1000}, "at_most": "30s"}).cooldown
    assert (found.until.time_wait_below, found.at_most.seconds) == (1000, 30)
