"""The capacity search against simulated servers, and against asking every level."""

import random
import statistics
from functools import partial
from itertools import chain, repeat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.search.run import Server, brute_force
from benchmarks.search.run import search as run
from runner.planning.search import Done, Params, Search, State
from runner.planning.search_fit import fit, inversions


def drive(params, healthy):
    machine, state = Search(params), State()
    while not isinstance(step := machine.next(state), Done):
        state = machine.record(state, step, healthy=healthy(step))
    return step


@given(st.integers(1, 50), st.integers(2, 300), st.data())
def test_sharp_edge_is_found_exactly(low, more, data):
    """Without noise and at the finest resolution it is the level that brute force finds."""
    high = low + more
    edge = data.draw(st.integers(low, high - 1))
    found = drive(Params(low, high, resolution=1), lambda level: level <= edge)
    assert found.last_passing == edge
    assert found.first_failing == edge + 1
    assert found.level == edge == max(x for x in range(low, high + 1) if x <= edge)
    assert found.monotone
    assert found.at_bound == ""


@given(st.integers(1, 50), st.integers(2, 300), st.data())
def test_lowest_is_the_mirror(low, more, data):
    high = low + more
    edge = data.draw(st.integers(low + 1, high))
    found = drive(Params(low, high, resolution=1, lowest=True), lambda level: level >= edge)
    assert (found.level, found.last_passing, found.first_failing) == (edge, edge, edge - 1)


@given(st.floats(17, 4000), st.floats(0, 0.2), st.floats(0, 0.1), st.integers(0, 2**32))
@settings(max_examples=60)
def test_every_search_ends_and_stays_in_range(capacity, transition, spurious, seed):
    params = Params(8, 4096)
    tried = []
    server = Server(capacity, transition, spurious, random.Random(seed))

    def healthy(level):
        tried.append(level)
        return server.healthy(level)

    found = drive(params, healthy)
    assert all(8 <= level <= 4096 for level in tried)
    assert found.trials == len(tried) == sum(of for _, _, of in found.table)
    assert len(tried) < params.max_trials
    if not found.at_bound:
        assert found.last_passing < found.first_failing
        width = found.first_failing - found.last_passing
        assert width <= max(1, params.step_at(found.last_passing))


@pytest.mark.parametrize("seed", [1, 2])
def test_criteria(seed):
    """Transition 5 %, 2 % spurious failures: bias, spread and cost over the whole range."""
    rng = random.Random(seed)
    errors, trials, near = [], [], 0
    for _ in range(300):
        server = Server(2 ** rng.uniform(3.2, 11.95), 0.05, 0.02, rng)
        found = run(Params(8, 4096), server)
        best = brute_force(server, 8, 4096)
        near += abs(found.level - best) <= max(1, 0.03 * best)
        errors.append(found.fitted.half / server.half() - 1)
        trials.append(found.trials)
    assert abs(statistics.fmean(errors)) <= 0.01
    assert sum(abs(error) <= 0.03 for error in errors) >= 0.9 * len(errors)
    assert near >= 0.95 * len(errors)
    assert statistics.median(trials) <= 25


def test_high_capacities_cost_no_more():
    """Also by themselves, and however far below the search begins."""
    rng = random.Random(5)
    trials = [
        run(Params(8, 4096), Server(2 ** rng.uniform(10, 11.95), 0.05, 0.02, rng)).trials
        for _ in range(150)
    ]
    assert statistics.median(trials) <= 25


def test_bracket_doubles_twice_at_a_time():
    seen = []

    def healthy(level):
        seen.append(level)
        return level <= 1000

    drive(Params(8, 4096), healthy)
    assert seen[:7] == [8, 32, 128, 512, 2048, 2048, 1024]


def at_most_777(fails, level):
    return not next(fails) and level <= 777


def test_one_failure_does_not_count():
    """A single spurious failure anywhere leaves the result as it is."""
    plain = drive(Params(8, 4096), lambda level: level <= 777)
    for nth in range(plain.trials):
        fails = chain([False] * nth, [True], repeat(False))
        found = drive(Params(8, 4096), partial(at_most_777, fails))
        assert abs(found.last_passing - plain.last_passing) <= 15
        assert found.trials <= plain.trials + 6


def test_bracket_moves_back_up():
    """Two spurious failures in a row at 64 are found out when that end is confirmed."""
    seen = []

    def healthy(level):
        seen.append(level)
        return level <= 1000 and not (level == 64 and seen.count(64) <= 2)

    assert abs(drive(Params(8, 4096), healthy).level - 1000) <= 20


@pytest.mark.parametrize(
    ("edge", "lowest", "bound"),
    [(4096, False, "high"), (7, False, "low"), (8, True, "low"), (4097, True, "high")],
)
def test_ends_at_a_bound_are_said(edge, lowest, bound):
    def healthy(level):
        return level >= edge if lowest else level <= edge

    found = drive(Params(8, 4096, lowest=lowest), healthy)
    assert (found.at_bound, found.level) == (bound, None)
    assert "ended at its bound" in found.why
    at = 8 if bound == "low" else 4096
    assert {level: of for level, _, of in found.table}[at] >= 3


def test_health_that_returns_is_reported():
    """Unhealthy at 100-180 and healthy again above: no capacity in the usual sense."""
    found = drive(Params(8, 4096), lambda level: not 100 <= level <= 180)
    assert not found.monotone
    assert found.last_passing < 100
    assert all(failing < passing for failing, passing in found.inversions)


def test_ends_at_most_after_max_trials():
    rng = random.Random(1)
    found = drive(Params(8, 4096, max_trials=12), lambda level: rng.random() < 0.5)
    assert found.trials == 12
    assert "12 trials" in found.why


def test_start_is_tried_first_and_left_downwards():
    machine = Search(Params(8, 4096, start=256))
    assert machine.next(State()) == 256
    found = drive(Params(8, 4096, start=256), lambda level: level <= 30)
    assert found.last_passing == 30


def test_n_of_n_gives_the_last_passing_level():
    found = drive(Params(8, 4096, trials=3, healthy=3), lambda level: level <= 500)
    assert found.level == found.last_passing
    assert {level: good for level, good, _ in found.table}[found.level] == 3


def test_state_is_the_record_and_its_order_does_not_matter():
    """Resuming: the next level follows from the trials on record alone."""
    machine, state = Search(Params(8, 4096)), State()
    rng = random.Random(4)
    server = Server(700, 0.05, 0.02, rng)
    while not isinstance(step := machine.next(state), Done):
        shuffled = list(state.trials)
        rng.shuffle(shuffled)
        assert Search(Params(8, 4096)).next(State(tuple(shuffled))) == step
        state = machine.record(state, step, healthy=server.healthy(step))


@pytest.mark.parametrize(
    "params",
    [Params(0, 5), Params(5, 5), Params(1, 9, trials=3, healthy=4), Params(1, 9, healthy=0)],
)
def test_impossible_parameters(params):
    with pytest.raises(ValueError, match=r"has to rise|cannot be healthy"):
        Search(params)


def test_fit_recovers_a_curve():
    """With many trials the curve is the one that they were drawn from."""
    server = Server(500, 0.06, 0.02, random.Random(0))
    counts = {}
    for level in range(440, 560, 4):
        counts[level] = (sum(server.healthy(level) for _ in range(200)), 200)
    found = fit(counts, (480, 520), 0.02)
    assert found.half == pytest.approx(server.half(), rel=0.004)
    assert found.width() == pytest.approx(0.06, rel=0.15)
    assert found.p(found.half) == pytest.approx(0.5)
    assert found.p(400) == pytest.approx(0.98, abs=0.001)


def test_fit_of_a_rising_curve():
    found = fit({90: (0, 5), 95: (0, 5), 100: (5, 5), 110: (5, 5)}, (100, 95), 0.02, lowest=True)
    assert 95 < found.half < 100
    assert found.p(found.half) == pytest.approx(0.5)
    assert found.p(120) > 0.9
    assert found.p(80) < 0.1


def test_inversions_need_more_than_chance():
    assert inversions({10: (0, 2), 20: (2, 2)}) == ()
    assert inversions({10: (0, 3), 20: (3, 3)}) == ((10, 20),)
    assert inversions({10: (3, 3), 20: (0, 3)}) == ()
    assert inversions({10: (3, 3), 20: (0, 3)}, lowest=True) == ((20, 10),)
