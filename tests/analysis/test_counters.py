"""Counters with resets, overflows and gaps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.analysis.counters import gain, mean_of, rates


def test_plain_rate():
    found = gain([0, 10, 60], [100, 200, 400])
    assert (found.increase, found.seconds, found.rate, found.resets) == (300, 60, 5.0, 0)


def test_reset_adds_what_came_after():
    found = gain([0, 1, 2, 3], [100, 110, 4, 9])
    assert (found.increase, found.resets) == (19, 1)


def test_overflow_is_no_reset():
    found = gain([0, 1], [2**32 - 6, 10], wraps_at=2**32)
    assert (found.increase, found.resets) == (16, 0)
    assert gain([0, 1], [5, 2], wraps_at=2**32).resets == 1


def test_gaps_are_bridged_and_counted():
    found = gain([0, 1, 2], [5, None, 9])
    assert (found.increase, found.seconds, found.missing) == (4, 2, 1)


@pytest.mark.parametrize("values", [[], [5], [None, None], [None, 3]])
def test_too_little_is_none_with_a_reason(values):
    found = gain(range(len(values)), values)
    assert found.increase is None
    assert found.rate is None
    assert "2 are needed" in found.why


def test_refused():
    with pytest.raises(ValueError, match="have to rise"):
        gain([1, 1], [1, 2])
    with pytest.raises(ValueError, match="2 times"):
        gain([1, 2], [1])


def test_rates_leave_out_what_is_not_known():
    found = rates([0, 1, 2, 3, 5], [0, 10, None, 5, 25])
    assert found == ((1, 10.0), (2, None), (3, None), (5, 10.0))
    assert rates([0, 1], [9, 3]) == ((1, None),)


@given(st.lists(st.tuples(st.integers(0, 1000), st.booleans()), min_size=1, max_size=30))
def test_gain_is_what_was_added_since_the_last_sample(steps):
    """A counter that restarts right after a sample loses nothing."""
    value, added, values = 0, 0, [0]
    for step, restart in steps:
        if restart and step < value:
            value = 0
        value += step
        added += step
        values.append(value)
    found = gain(range(len(values)), values)
    assert found.increase == added


def test_mean_over_nothing_is_not_zero():
    assert mean_of(0.0, 0, "collections") == (None, "0 collections: there is no mean")
    assert mean_of(3.4, 2, "collections") == (1.7, "")
    assert mean_of(None, 2, "collections")[0] is None
