"""A governor that is set is not a clock that is held: what was measured decides."""

from __future__ import annotations

import pytest

from runner.analysis.model import Step, Trial
from runner.analysis.trial.clock import declared, remarks

# what a Raspberry Pi 4B says of its one policy
PI4 = {"cpu.policies": ["policy0"], "cpu.max_khz": {"policy0": 1_500_000}}


def trial(*clocks: float | None) -> Trial:
    steps = tuple(
        Step(i, str(i), 10, 0.0, 1.0, "healthy", numbers={"board.frequency.median": clock})
        for i, clock in enumerate(clocks)
    )
    return Trial("all-r1-a1", "pi4", {}, 1, 1, "healthy", "", 0.0, steps)


def test_performance_that_holds_the_clock_is_no_remark():
    asked = declared("performance", None, PI4)
    assert remarks(asked, [trial(1.5e9, 1.4996e9)]) == []


def test_a_board_that_is_held_back_is_said():
    """Firmware that throttles shows in the clock alone."""
    (said,) = remarks(declared("performance", None, PI4), [trial(1.5e9, 6e8)])
    assert "600 MHz in step 1 of all-r1-a1" in said
    assert "1,500 MHz was declared" in said


@pytest.mark.parametrize(
    ("bounds", "clock", "fine"),
    [
        ((600_000, 600_000), 6e8, True),
        ((600_000, 600_000), 1.5e9, False),
        ((None, 1_000_000), 1.2e9, False),
        ((1_000_000, None), 6e8, False),
        ((600_000, 1_500_000), 9e8, True),
    ],
)
def test_bounds(bounds, clock, fine):
    assert (remarks(declared(None, bounds, PI4), [trial(clock)]) == []) is fine


def test_performance_below_a_bound_means_that_bound():
    asked = declared({"policy0": "performance"}, (None, 1_000_000), PI4)
    assert remarks(asked, [trial(1e9)]) == []
    assert remarks(asked, [trial(1.5e9)])


def test_what_was_not_measured_is_unknown():
    (said,) = remarks(declared("performance", None, PI4), [trial(None, 1.5e9)])
    assert "not measured in 1 of 2 steps" in said


@pytest.mark.parametrize("governor", ["ondemand", None, {"policy4": "performance"}])
def test_other_governors_promise_no_clock(governor):
    assert declared(governor, None, PI4) is None


def test_without_cpufreq_nothing_was_applied():
    assert declared("performance", None, {"cpu.policies": None}) is None
