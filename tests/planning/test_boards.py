"""Boards for blocks: balanced, repeatable, and a dead board's blocks go to the least loaded."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.planning.boards import assigned, moved

names = st.lists(st.text(min_size=1, max_size=3), min_size=1, max_size=9, unique=True)


@given(names, st.integers(0, 60), st.integers(0, 2**32))
def test_boards_have_as_many_blocks_up_to_one(boards, blocks, seed):
    found = assigned(boards, blocks, random.Random(seed))
    assert len(found) == blocks
    counts = Counter(found)
    assert max(counts.values(), default=0) - min((counts[b] for b in boards), default=0) <= 1


@given(names, st.integers(0, 60), st.integers(0, 2**32))
def test_the_same_seed_gives_the_same_boards_however_far_it_is_followed(boards, blocks, seed):
    whole = assigned(boards, blocks, random.Random(seed))
    part = assigned(boards, blocks // 2, random.Random(seed))
    assert whole[: blocks // 2] == part


def test_a_board_does_not_always_come_first():
    firsts = {assigned(["a", "b", "c"], 3, random.Random(seed))[0] for seed in range(30)}
    assert firsts == {"a", "b", "c"}


def test_a_block_goes_to_the_board_with_the_fewest_left():
    assert moved(1, ["a", "b", "c"], {"a": 2, "b": 0, "c": 1}) == "b"
    assert [moved(n, ["a", "b"], {}) for n in (0, 1, 2)] == ["a", "b", "a"]
    with pytest.raises(ValueError, match="no board"):
        moved(1, [], {})
