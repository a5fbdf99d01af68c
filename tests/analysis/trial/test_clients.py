"""A server that leaves clients unanswered has errors, however many requests the others make."""

import pytest

from runner.analysis.trial.clients import count_unserved


@pytest.mark.parametrize(
    ("waiting", "opened", "ratio", "expected"),
    [
        (9, 10, 9 / 48902, 0.9),  # one connection of ten is answered
        (1, 1000, 0.0, 0.001),
        (0, 10, 0.0002, 0.0002),
        (1, 10, 0.5, 0.5),  # the requests say more
        (20, 10, 0.1, 1.0),
        (3, 10, None, 0.3),  # a share of the clients is known where that of the requests is not
        (4.2, 10, 0.0002, 0.0002),  # an estimate condemns nothing
        (None, 10, 0.0, 0.0),
        (3, None, 0.0, 0.0),
        (3, 0, 0.0, 0.0),
    ],
)
def test_the_greater_of_two_shares(waiting, opened, ratio, expected):
    numbers = {"load.unanswered": waiting, "load.opened": opened, "load.error_ratio": ratio}
    why = {}
    count_unserved(numbers, why, 1.0)
    assert numbers["load.error_ratio"] == expected
    assert bool(why) == (numbers["load.error_ratio"] != ratio)


def test_it_says_of_how_many():
    numbers, why = {"load.unanswered": 9, "load.opened": 10, "load.error_ratio": 0.0}, {}
    count_unserved(numbers, why, 2.0)
    assert why["load.error_ratio"] == (
        "9 of 10 connections were left without an answer for longer than 2 s"
    )
