"""What a search looks for after it has found its level."""

import math
import random

import pytest

from benchmarks.search.run import Dip, Drift, History, Server
from runner.planning.search import Done, Params, Search, State

USUAL = Params(8, 4096, sentinels=True)


def search(server, params=USUAL):
    machine, state = Search(params), State()
    while not isinstance(step := machine.next(state), Done):
        state = machine.record(state, step, healthy=server.healthy(step))
    return step, state


def flagged(kind, count, **more):
    dice = random.Random(5)
    found = 0
    for _ in range(count):
        capacity = math.exp(dice.uniform(math.log(20), math.log(3800)))
        done, _ = search(kind(capacity, 0.05, 0.02, dice, **more))
        found += bool(done.dips or done.effects)
    return found / count


def test_a_search_without_an_effect_is_seldom_flagged():
    assert flagged(Server, 40) <= 0.2


@pytest.mark.parametrize(("kind", "share"), [(Dip, 0.8), (History, 0.85), (Drift, 0.6)])
def test_what_health_depends_on_beside_the_level_is_mostly_said(kind, share):
    assert flagged(kind, 40) >= share


def test_the_level_is_what_it_was_without_sentinels():
    for seed in range(10):
        one, _ = search(Server(300, 0.05, 0.02, random.Random(seed)))
        other, _ = search(Server(300, 0.05, 0.02, random.Random(seed)), Params(8, 4096))
        assert (one.level, one.fitted) == (other.level, other.fitted)
        assert one.trials > other.trials


def test_an_early_passing_level_is_tried_again_last():
    done, state = search(Server(300, 0.0, 0.0, random.Random(1)))
    assert [level for level, _ in state.trials[state.settled :]].count(8) == 1
    assert 300 <= done.level < 304
    assert (done.dips, done.effects) == ((), ())


def test_a_dip_is_named():
    dice = random.Random(2)
    done, _ = search(Dip(1000, 0.0, 0.0, dice, at=0.7))
    assert done.dips
    assert not done.monotone


def test_a_search_at_its_bound_has_no_bracket_to_try_again():
    done, _ = search(Server(10_000, 0.05, 0.0, random.Random(1)))
    assert done.at_bound == "high"
    assert done.effects == ()


def test_a_search_ends_at_its_most_trials():
    done, _ = search(
        Server(300, 0.05, 0.02, random.Random(1)), Params(8, 4096, max_trials=30, sentinels=True)
    )
    assert done.trials == 30
