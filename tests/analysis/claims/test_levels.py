"""Boards as units: what is said of these boards, and of boards of their kind."""

import pytest

from runner.analysis.claims.case import CONTRADICTED, REPRODUCED
from runner.analysis.claims.estimates import estimates
from runner.analysis.claims.levels import boards, of_kind, on_board, spread
from runner.spec import Experiment
from tests.analysis.claims.judged import judged, trial

OFFSETS = {"a": 0.0, "b": 4.0, "c": 8.0, "d": 12.0, "e": 16.0, "f": 20.0}
METRICS = {"m1": {"from": "procfs.rss"}}


def values(per_board, names="abcdef"):
    """Boards 4 apart, blocks of one board 0.1 apart."""
    return [
        trial("t", "", at, {"procfs.rss": 100.0 + OFFSETS[name] + at / 10}, host=name,
              start=10 * at + ord(name))
        for name in names
        for at in range(1, per_board + 1)
    ]  # fmt: skip


def claim(low, high, **more):
    return {
        "metrics": METRICS,
        "claims": [{"id": "1", "quote": "q", "metric": "m1", "order_effect": "laid out so",
                    "published": {"low": low, "high": high}, **more}],
    }  # fmt: skip


def measured(trials):
    experiment = Experiment.model_validate({"workload": {"argv": ["./x"]}, "metrics": METRICS})
    return estimates(experiment.metrics, trials, None)


def test_a_board_has_its_own_median_and_n():
    (found,) = measured(values(5))
    assert boards([found]) == tuple("abcdef")
    own = on_board(found, "b")
    assert (own.n, own.median) == (5, pytest.approx(104.3))


def test_of_their_kind_a_board_is_one_unit_however_many_blocks_it_had():
    (found,) = of_kind(measured(values(5)))
    assert found.n == 6
    assert found.values == pytest.approx([100.3, 104.3, 108.3, 112.3, 116.3, 120.3])
    assert found.interval == pytest.approx((100.3, 120.3))
    (more,) = of_kind(measured(values(50, names="ab")))
    assert more.n == 2, "more blocks make no more boards"


def test_a_claim_of_these_boards_holds_where_one_of_their_kind_is_open():
    """40 blocks on two boards are many of these two, and two of their kind."""
    trials = values(20, names="ab")
    (these,), _ = judged(claim(95, 110), trials)
    (kind,), _ = judged(claim(95, 110, scope="kind"), trials)
    assert these.verdict == REPRODUCED
    assert "of these 2 boards" in these.reason
    assert kind.verdict not in (REPRODUCED, CONTRADICTED)
    assert (these.n, kind.n) == (40, 2)


def test_six_boards_decide_of_their_kind():
    (found,), _ = judged(claim(90, 130, scope="kind"), values(3))
    assert found.verdict == REPRODUCED
    assert "of boards of this kind: 6 units" in found.reason
    (off,), _ = judged(claim(200, None, scope="kind"), values(3))
    assert off.verdict == CONTRADICTED


def test_a_statement_is_paired_by_board():
    spec = {
        "factors": {"m": {"a": {}, "b": {}}},
        "metrics": METRICS,
        "claims": [{"id": "1", "quote": "less", "expect": "m1[m=a] < m1[m=b]", "scope": "kind",
                    "order_effect": "laid out so"}],
    }  # fmt: skip
    trials = [
        trial("t", level, at, {"procfs.rss": 100.0 + OFFSETS[name] + at / 10 + (level == "b")},
              host=name, start=10 * at + ord(name))
        for name in "abcdef" for at in (1, 2, 3) for level in "ab"
    ]  # fmt: skip
    (found,), _ = judged(spec, trials)
    assert (found.verdict, found.n) == (REPRODUCED, 6)


def test_spread_is_told_apart_by_its_level():
    (found,) = measured(values(5))
    said = spread(found)
    assert said.between == pytest.approx(7.48, rel=0.01)  # of 0, 4, … 20
    assert said.within == pytest.approx(0.158, rel=0.01)  # of 0.1, … 0.5
    assert spread(measured(values(5, names="a"))[0]) is None
