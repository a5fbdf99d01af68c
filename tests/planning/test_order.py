"""The order of treatments, and when there have been enough repetitions."""

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.analysis.stats.intervals import median_interval
from runner.planning.order import ORDERS, enough, order, shuffled, whole


@given(
    st.integers(1, 6),
    st.integers(0, 6),
    st.sampled_from(ORDERS),
    st.integers(0, 2**32),
    st.booleans(),
)
def test_every_order_runs_every_trial_once(cells, repetitions, by, seed, use_numpy):
    def rng():
        return np.random.default_rng(seed) if use_numpy else random.Random(seed)

    slots = order(cells, repetitions, by, rng())
    assert slots == order(cells, repetitions, by, rng())
    assert [slot.position for slot in slots] == list(range(cells * repetitions))
    assert Counter((slot.repetition, slot.cell) for slot in slots) == Counter(
        (r, c) for r in range(1, repetitions + 1) for c in range(cells)
    )
    if by != "random":  # whole blocks, one after the other
        assert [slot.repetition for slot in slots] == sorted(slot.repetition for slot in slots)


def test_interleaved_gives_every_treatment_every_place():
    slots = order(3, 3, "interleaved", random.Random(0))
    assert [slot.cell for slot in slots] == [0, 1, 2, 1, 2, 0, 2, 0, 1]


def test_blocks_differ_from_each_other():
    slots = order(5, 20, "blocks", random.Random(1))
    blocks = {tuple(s.cell for s in slots if s.repetition == r) for r in range(1, 21)}
    assert len(blocks) > 10


def test_schedule_goes_on_where_it_stopped():
    rng = random.Random(3)
    together = order(4, 6, "blocks", random.Random(3))
    parts = order(4, 4, "blocks", rng) + order(4, 2, "blocks", rng, first=5)
    assert [(s.repetition, s.cell) for s in parts] == [(s.repetition, s.cell) for s in together]


@given(
    st.integers(1, 5), st.integers(1, 6), st.integers(0, 6), st.sampled_from(ORDERS), st.integers()
)
def test_the_stop_rule_asks_between_whole_repetitions(cells, low, more, by, seed):
    """Before a later repetition begins, every earlier one is whole, in every order."""
    slots = whole(cells, (low, low + more), by, random.Random(seed))
    assert [slot.position for slot in slots] == list(range(cells * (low + more)))
    assert slots == whole(cells, (low, low + more), by, random.Random(seed))
    for at, slot in enumerate(slots):
        if slot.repetition > low:
            before = {(s.repetition, s.cell) for s in slots[:at] if s.repetition < slot.repetition}
            assert len(before) == cells * (slot.repetition - 1)


def test_random_mixes_the_repetitions_that_are_always_run():
    slots = whole(4, (6, 8), "random", random.Random(5))
    repetitions = [slot.repetition for slot in slots]
    assert repetitions[:24] != sorted(repetitions[:24])
    assert repetitions[24:] == [7] * 4 + [8] * 4


@pytest.mark.parametrize("by", ["blocks", "interleaved", "written"])
def test_an_order_of_blocks_does_not_depend_on_how_many_are_certain(by):
    """Runs that were recorded with these orders are repeated in the same one."""
    orders = {whole(4, (low, 9), by, random.Random(3)) for low in range(1, 10)}
    assert orders == {order(4, 9, by, random.Random(3))}


def test_seeded_order_is_fixed_for_ever():
    assert shuffled(range(8), random.Random(7)) == [5, 4, 6, 7, 0, 3, 1, 2]


def test_shuffle_is_fair():
    rng = random.Random(11)
    counts = Counter(tuple(shuffled("abc", rng)) for _ in range(6000))
    assert len(counts) == 6
    assert all(850 < count < 1150 for count in counts.values())


def test_unknown_order_is_refused():
    with pytest.raises(ValueError, match="unknown order"):
        order(2, 2, "sorted", random.Random(0))


@pytest.mark.parametrize(
    ("n", "widths", "target", "stop"),
    [
        (5, [0.001], 0.02, False),  # the minimum is always run
        (6, [0.001, 0.02], 0.02, True),
        (6, [0.001, 0.021], 0.02, False),
        (6, [0.001, None], 0.02, False),
        (6, [], 0.02, False),
        (15, [0.5], 0.02, True),
        (6, [0.5], None, True),
    ],
)
def test_enough(n, widths, target, stop):
    assert enough(n, (6, 15), widths, target).stop is stop


@given(st.lists(st.integers(1, 100), min_size=6, max_size=14), st.floats(0.001, 0.2))
def test_stop_rule_is_blind_to_the_side(values, target):
    """Mirrored about its median the data lies on the other side of any published number."""
    found = median_interval(values)
    mirrored = median_interval([2 * found.estimate - value for value in values])
    one = enough(len(values), (6, 15), [found.half_width], target)
    assert one.stop == enough(len(values), (6, 15), [mirrored.half_width], target).stop
