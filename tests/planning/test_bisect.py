"""The search for the commit that made a metric worse: right, sparing, and honest where it cannot be."""

import random
import statistics

import pytest

from runner.planning.bisect import MOST_OF_AN_END, Answer, Bisection


def found(rng, first, *, last=64, effect=0.05, spread=0.03, broken=(), **more):
    """Bisect commits of which `first` and all later ones are worse by `effect`."""
    search = Bisection(last, **more)
    while not isinstance(step := search.next(), Answer):
        if step in broken:
            search.skip(step)
        else:
            search.record(step, 100 * (1 + effect * (step >= first)) * (1 + rng.gauss(0, spread)))
    return step, search


def test_a_regression_of_5_percent_among_64_commits_at_a_spread_of_3_percent():
    """Right in 95 % and more, in fewer values than nine a step would take (54)."""
    rng = random.Random(7)
    runs, right, taken = 150, 0, []
    for _ in range(runs):
        first = rng.randint(1, 64)
        answer, search = found(rng, first)
        right += answer.first == answer.last == first
        taken.append(search.taken)
    assert right / runs >= 0.95
    assert statistics.fmean(taken) < 54


def test_without_noise_it_is_a_plain_bisection():
    for first in (1, 2, 31, 64):
        answer, search = found(random.Random(1), first, spread=0)
        assert (answer.first, answer.last) == (first, first)
        assert sum(0 < at < 64 for at in search.values) <= 6


def test_the_ends_are_measured_again():
    _, search = found(random.Random(2), 33, spread=0.05)
    between = sum(len(own) for at, own in search.values.items() if 0 < at < 64)
    for end in (0, 64):
        assert len(search.values[end]) >= between // 8


def test_commits_that_do_not_build_are_stepped_over():
    answer, search = found(random.Random(3), 20, broken=(31, 32, 33, 16))
    assert (answer.first, answer.last) == (20, 20)
    assert not {31, 32, 33} & set(search.values)


def test_where_the_first_bad_one_cannot_be_built_the_answer_is_a_range():
    answer, _ = found(random.Random(4), 20, broken=range(18, 23))
    assert (answer.first, answer.last) == (18, 23)
    assert answer.why == "commits between them do not build"
    assert answer.confidence >= 0.95


def test_where_nothing_between_builds_the_answer_is_all_of_them():
    answer, _ = found(random.Random(4), 3, last=6, broken=range(1, 6))
    assert (answer.first, answer.last) == (1, 6)


def test_ends_that_are_alike_have_nothing_between_them():
    answer, search = found(random.Random(5), 65)
    assert not answer.found
    assert "cannot be told apart" in answer.why
    assert set(search.values) == {0, 64}
    assert search.taken <= 2 * MOST_OF_AN_END


def test_with_too_few_values_the_answer_is_the_shortest_range_that_has_it():
    answer, search = found(random.Random(6), 40, most=20)
    assert search.taken == 20
    assert answer.first <= 40 <= answer.last
    assert answer.last - answer.first < 63
    assert "20 values were taken" in answer.why


def test_two_neighbours_need_nothing_between():
    answer, search = found(random.Random(8), 1, last=1)
    assert (answer.first, answer.last) == (1, 1)
    assert set(search.values) == {0, 1}


@pytest.mark.parametrize("offset", [-5.0, 1e9])
def test_the_size_of_the_values_does_not_matter(offset):
    search = Bisection(8)
    rng = random.Random(9)
    while not isinstance(step := search.next(), Answer):
        search.record(step, offset + (step >= 5) + rng.gauss(0, 0.2))
    assert (step.first, step.last) == (5, 5)
