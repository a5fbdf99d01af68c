"""Verdicts at the n that people use: dependence, missing units, bounds, universal claims.

Each test is an experiment with the number that a right judge gives for it.
"""

import random
import statistics

import pytest
from msgspec import convert

from runner.analysis.claims.case import (
    CONTRADICTED,
    INCONCLUSIVE,
    NOT_MEASURED,
    REPRODUCED,
    Case,
)
from runner.analysis.claims.verdict import judge
from runner.analysis.model import Step, Trial
from runner.records.manifest import Searches
from tests.analysis.claims.judged import judged, trial

ORDER = {
    "factors": {"m": {"a": {}, "b": {}}},
    "metrics": {"m1": {"from": "procfs.rss"}},
    "claims": [{"id": "1", "quote": "less", "expect": "m1[m=a] < m1[m=b]"}],
}


@pytest.mark.parametrize("gone", range(1, 11))
@pytest.mark.parametrize("side", ["a", "b"])
def test_blocks_are_paired_by_key_whichever_trial_is_missing(gone, side):
    """The two differ by 1 within a block; blocks differ by 10: by position it fails in nine."""
    blocks = [3, 7, 1, 9, 4, 10, 2, 8, 5, 6]
    trials = [
        trial("t", level, at, {"procfs.rss": 100.0 - 10 * blocks[at - 1] + (level == "b")},
              outcome="invalid" if (level, at) == (side, gone) else "healthy")
        for at in range(1, 11)
        for level in "ab"
    ]  # fmt: skip
    (found,), _ = judged(ORDER, trials)
    assert (found.verdict, found.n) == (REPRODUCED, 9)
    assert "it holds in 9 of 9 blocks" in found.reason


def test_boards_are_blocks_of_their_own():
    """Repetition 1 of one board is not repetition 1 of another."""
    trials = [
        trial("t", level, at, {"procfs.rss": 100.0 * board + at + (level == "b")}, host=f"b{board}",
              start=at * 7 % 5 + board * 3 % 4)
        for board in (1, 2, 3)
        for at in (1, 2, 3)
        for level in "ab"
        if (board, at, level) != (2, 2, "a")
    ]  # fmt: skip
    (found,), measured = judged(ORDER, trials)
    assert [one.n for one in measured] == [8, 9]
    assert (found.verdict, found.n) == (REPRODUCED, 8)


def searches(levels, high):
    """Give a run's record of searches, those beyond the range ended at its bound."""
    runs = [
        {
            "repetition": at, "treatment": {}, "level": None if level >= high else level,
            "last_passing": min(level, high), "first_failing": None, "trials": 9,
            "at_bound": "high" if level >= high else "", "table": [[8, 1, 1], [high, 5, 5]],
            "why": f"the search ended at its bound: {high} is still healthy" if level >= high else "",
            "p_healthy": None,
        }
        for at, level in enumerate(levels, 1)
    ]  # fmt: skip
    return convert({"what": "connections", "runs": runs}, Searches)


def capacity(published, **metric):
    return {
        "load": {"generator": "wrk", "url": "http://127.0.0.1:1/"},
        "search": {"between": [8, 256]},
        "repeat": {"unit": "search", "between": [12, 12]},
        "metrics": {"top": {"from": "search.level", **metric}},
        "claims": [{"id": "1", "quote": "q", "metric": "top", "published": published}],
    }


def test_a_search_at_its_bound_counts_by_rank():
    """12 searches, capacity N(250, 25), range to 256: a true claim is contradicted in <= 2.5 %."""
    dice = random.Random(1)
    wrong = 0
    for _ in range(300):
        levels = [round(dice.gauss(250, 25)) for _ in range(12)]
        (found,), _ = judged(capacity({"low": 245, "high": 255}), [], searches(levels, 256))
        wrong += found.verdict == CONTRADICTED
    assert wrong / 300 <= 0.025


def test_only_a_verdict_that_hangs_on_the_unknown_is_not_measured():
    low = [200, 205, 199, 210, 202, 207, 203, 300, 300, 208, 201, 204]
    (found,), measured = judged(capacity({"low": 190, "high": 215}), [], searches(low, 256))
    assert found.verdict == REPRODUCED
    assert "2 of them only as bounds" in found.reason
    assert measured[0].median == 204.5
    # all but two lie beyond 256: a range below it is contradicted, whatever they are
    most = [300] * 5 + [210] + [300] * 6
    (found,), _ = judged(capacity({"low": 100, "high": 220}), [], searches(most, 256))
    assert found.verdict == CONTRADICTED
    # a range above it hangs on where they are
    (found,), measured = judged(capacity({"low": 290, "high": 310}), [], searches(most, 256))
    assert found.verdict == NOT_MEASURED
    assert "11 of 12 repetitions ended at the bound 256: widen the range" in found.reason
    assert measured[0].median is None
    assert "at least 256" in measured[0].why
    # at least 150 is shown by bounds alone
    (found,), _ = judged(capacity({"low": 150}), [], searches(most, 256))
    assert found.verdict == REPRODUCED


def test_a_step_that_was_never_reached_ranks_behind():
    """The server was dead before 10,000 connections in 9 of 10: p99 there is not under 500 ms."""
    spec = {
        "load": {"generator": "wrk", "url": "http://127.0.0.1:1/", "steps": [
            {"connections": 100, "duration": "1s"}, {"connections": 10000, "duration": "1s"}]},
        "metrics": {"p99": {"from": "load.latency_p99", "per": "step", "better": "lower", "unit": "ms"}},
        "claims": [{"id": "1", "quote": "q", "metric": "p99", "where": {"step": "10000"},
                    "published": {"high": "500ms"}}],
    }  # fmt: skip
    trials = []
    for at in range(1, 11):
        names = ["100", "10000"] if at == 4 else ["100"]
        steps = tuple(
            Step(i, name, int(name), 0.0, 1.0, "healthy", numbers={"load.latency_p99": 0.2 + at % 3 / 100})
            for i, name in enumerate(names)
        )  # fmt: skip
        trials.append(Trial(f"t{at}", "h", {}, at, 1, "unhealthy", "the workload died", at, steps))
    (found,), measured = judged(spec, trials)
    assert found.verdict == CONTRADICTED
    assert found.n == 10
    assert "never reached" in next(one.why for one in measured if one.step == "10000")
    # without a direction it could be anything
    del spec["metrics"]["p99"]["better"]
    (found,), _ = judged(spec, trials)
    assert found.verdict == NOT_MEASURED
    assert "9 of 10" in found.reason


def test_a_value_at_the_end_of_its_instrument_is_a_bound():
    spec = {
        "metrics": {"t": {"from": "procfs.rss", "unit": "KiB", "range": [None, 100]}},
        "claims": [{"id": "1", "quote": "q", "metric": "t", "published": {"low": 80, "high": 120}}],
    }
    values = [90, 100, 95, 100, 92, 100, 100, 100]
    trials = [trial("t", "", at, {"procfs.rss": v * 1024.0}) for at, v in enumerate(values, 1)]
    (found,), _ = judged(spec, trials)
    assert found.verdict == NOT_MEASURED
    assert "bound 100 KiB" in found.reason
    spec["claims"][0]["published"] = {"low": 80}
    assert judged(spec, trials)[0][0].verdict == REPRODUCED


LOSES = {
    "metrics": {"lost": {"from": "stdout.json.lost", "kind": "exact"}},
    "claims": [
        {"id": "1", "quote": "nothing is lost", "metric": "lost", "estimand": "never", "bound": "1 in 20"}
    ],
}  # fmt: skip


def runs(lost):
    return [trial("t", "", at, {"stdout.json.lost": v}) for at, v in enumerate(lost, 1)]


def test_one_counterexample_contradicts_never():
    (found,), _ = judged(LOSES, runs([3 if at % 4 == 3 else 0 for at in range(30)]))
    assert found.verdict == CONTRADICTED
    assert "7 of 30" in found.reason
    (found,), _ = judged(LOSES, runs([0] * 58 + [1]))
    assert found.verdict == CONTRADICTED


def test_never_is_shown_up_to_its_bound():
    (found,), _ = judged(LOSES, runs([0] * 59))
    assert (found.verdict, found.n) == (REPRODUCED, 59)
    assert found.interval == pytest.approx((0.0, 1 - 0.05 ** (1 / 59)))
    (found,), _ = judged(LOSES, runs([0] * 58))
    assert found.verdict == INCONCLUSIVE
    assert "1 more without one would show it" in found.reason


def test_repetitions_without_a_value_are_said_and_counted_in():
    """What could not be measured may be what was claimed never to be."""
    (found,), _ = judged(LOSES, runs([0] * 59 + [None]))
    assert found.verdict == REPRODUCED
    assert "1 of 60 valid repetitions have no value" in found.reason
    assert "its share is between 0% and 8%" in found.reason
    near = {
        "metrics": {"m": {"from": "stdout.json.lost"}},
        "claims": [{"id": "1", "quote": "q", "metric": "m", "published": {"low": 9, "high": 11}}],
    }
    (found,), _ = judged(near, runs([10] * 9 + [None] * 5))
    assert found.verdict == REPRODUCED
    assert "5 of 14 valid repetitions have no value (stdout.json.lost was" in found.reason
    assert "they could have moved the interval anywhere" in found.reason
    (found,), _ = judged(near, runs([10] * 9 + [None]))
    assert "no value" not in found.reason


def test_always_falls_on_one_block():
    spec = {
        **ORDER,
        "claims": [{"id": "1", "quote": "q", "expect": "m1[m=a] < m1[m=b]", "estimand": "always", "bound": "30%"}],
    }  # fmt: skip
    rows = [(at, "ab"[i], 10.0 + i) for at in range(1, 10) for i in (0, 1)]
    trials = [trial("t", level, at, {"procfs.rss": v}) for at, level, v in rows]
    assert judged(spec, trials)[0][0].verdict == REPRODUCED
    trials[0] = trial("t", "a", 1, {"procfs.rss": 12.0})
    found = judged(spec, trials)[0][0]
    assert (found.verdict, found.n) == (CONTRADICTED, 9)


def test_what_a_program_prints_is_never_exact():
    """A rule that fails in a fifth of the runs looks exact in two of them more often than not."""
    spec = {
        "metrics": {"failed": {"from": "stdout.json.failed", "kind": "exact"}},
        "claims": [{"id": "1", "quote": "q", "metric": "failed", "published": {"value": 0, "rounded_to": 1}}],
    }  # fmt: skip
    for printed in ([0, 0], [0]):
        trials = [trial("t", "", at, {"stdout.json.failed": v}) for at, v in enumerate(printed, 1)]
        (found,), _ = judged(spec, trials)
        assert found.verdict == NOT_MEASURED
    built = {
        "metrics": {"size": {"from": "build.size", "kind": "exact"}, "half": {"compute": "size / 2", "kind": "exact"}},
        "claims": [{"id": "1", "quote": "q", "metric": "half", "published": {"value": 5, "rounded_to": 1}}],
    }  # fmt: skip
    (found,), _ = judged(built, [trial("t", "", 1, {"build.size": 10.0})])
    assert found.verdict == REPRODUCED


CLIMB = [125.0 + 25 * at for at in range(10)]


@pytest.mark.parametrize("values", [CLIMB, CLIMB[::-1]])
def test_values_that_climb_in_run_order_are_not_reproduced(values):
    found = judge(Case("1", (100, 400), values=values))
    assert found.verdict == INCONCLUSIVE
    assert f"values {'rise' if values is CLIMB else 'fall'} in run order" in found.reason
    assert judge(Case("1", (None, 110), values=CLIMB)).verdict == INCONCLUSIVE
    told = judge(Case("1", (100, 400), values=values, order_effect="the cache fills"))
    assert told.verdict == REPRODUCED
    assert "for a stated cause: the cache fills" in told.reason
    shuffled = random.Random(3).sample(values, 10)
    assert judge(Case("1", (100, 400), values=shuffled)).verdict == REPRODUCED


def test_the_order_is_that_of_measuring_and_not_of_repetitions():
    spec = {
        "metrics": {"m1": {"from": "procfs.rss"}},
        "claims": [
            {"id": "1", "quote": "q", "metric": "m1", "published": {"low": 100, "high": 400}}
        ],
    }
    starts = [4, 9, 1, 7, 2, 10, 5, 3, 8, 6]
    trials = [
        trial("t", "", at, {"procfs.rss": CLIMB[s - 1]}, start=s) for at, s in enumerate(starts, 1)
    ]
    (found,), _ = judged(spec, trials)
    assert found.verdict == INCONCLUSIVE
    assert "values rise in run order" in found.run_order


def test_a_drift_that_both_sides_share_cancels_in_blocks():
    trials = [
        trial("t", level, at, {"procfs.rss": CLIMB[at] + (level == "b") * (1 + at * 7 % 5)}, start=2 * at)
        for at in range(10)
        for level in "ab"
    ]  # fmt: skip
    (found,), _ = judged(ORDER, trials)
    assert found.verdict == REPRODUCED


def test_autocorrelated_values_seldom_mislead():
    """AR(1), rho = 0.7, n = 20, true median on the edge: wrong in at most 5 % of all."""
    dice = random.Random(7)
    wrong = {REPRODUCED: 0, CONTRADICTED: 0}
    count = 1500
    for _ in range(count):
        x = [dice.gauss(0, 1)]
        while len(x) < 20:
            x.append(0.7 * x[-1] + dice.gauss(0, (1 - 0.49) ** 0.5))
        found = judge(Case("1", (None, 0.0), values=x)).verdict
        if found in wrong:
            wrong[found] += 1
    assert all(times / count <= 0.05 for times in wrong.values()), wrong


def test_few_repetitions_are_assumed_to_be_independent_and_it_is_said():
    values = [88.0, 91.0, 89.5, 90.0, 89.0, 90.2, 89.7, 89.9, 90.4, 89.2]
    reason = judge(Case("1", (80, 100), values=values)).reason
    assert "assuming independent repetitions" in reason
    assert "drift of 3.4 spreads" in reason
    more = judge(Case("1", (80, 100), values=[values[at * 7 % 10] for at in range(20)]))
    assert "a correlation of neighbours from 0.65 on" in more.reason or more.verdict == INCONCLUSIVE


def test_a_printed_step_widens_region_and_interval():
    """12.30 printed in whole units is 12, and published as 12.3 ± 0.05."""
    case = Case("1", (12.25, 12.35), values=[12.0] * 12, resolution=1.0)
    found = judge(case)
    assert found.verdict == INCONCLUSIVE
    assert "printed in steps of 1" in found.reason
    assert judge(Case("1", (12.25, 12.35), values=[12.0] * 12)).verdict == CONTRADICTED
    assert (
        judge(Case("1", (12.25, 12.35), values=[14.0] * 12, resolution=1.0)).verdict == CONTRADICTED
    )
    assert judge(Case("1", (11, 13), values=[12.0] * 12, resolution=1.0)).verdict == REPRODUCED
    assert judge(Case("1", (11.6, 13), values=[12.0] * 12, resolution=1.0)).verdict == INCONCLUSIVE


def test_quantile_rate_and_mean_have_their_own_intervals():
    dice = random.Random(5)
    values = [dice.gauss(10, 1) for _ in range(60)]
    high = judge(Case("1", (None, 13.0), values=values, estimand="quantile", quantile=0.9))
    assert high.verdict == REPRODUCED
    assert high.estimate == sorted(values)[53]
    low = judge(Case("1", (None, 10.0), values=values, estimand="quantile", quantile=0.9))
    assert low.verdict == CONTRADICTED
    few = judge(Case("1", (None, 13.0), values=values[:20], estimand="quantile", quantile=0.9))
    assert few.verdict == NOT_MEASURED
    assert "at least 29" in few.reason
    mean = judge(Case("1", (9.5, 10.5), values=values, estimand="mean"))
    assert (mean.verdict, mean.estimate) == (REPRODUCED, statistics.fmean(values))
    assert judge(Case("1", (None, 9.0), values=values, estimand="mean")).verdict == CONTRADICTED
    failed = [float(at % 5 == 0) for at in dice.sample(range(50), 50)]
    rate = judge(Case("1", (0.1, 0.4), values=failed, estimand="rate"))
    assert (rate.verdict, rate.estimate) == (REPRODUCED, 0.2)
    assert judge(Case("1", (0.6, 0.9), values=failed, estimand="rate")).verdict == CONTRADICTED


def test_much_that_guards_threw_away_is_counted_in():
    spec = {
        "metrics": {"m1": {"from": "procfs.rss"}},
        "claims": [{"id": "1", "quote": "q", "metric": "m1", "published": {"low": 1, "high": 9}}],
    }
    values = [4.0, 6.0, 5.0, 4.5, 5.5, 5.2, 4.8, 5.1, 4.9, 5.3, 4.6, 5.4, 4.4, 5.6, 4.7, 5.7]
    kept = [trial("t", "", at, {"procfs.rss": v}, attempt=2) for at, v in enumerate(values, 1)]
    thrown = [trial("t", "", at, {"procfs.rss": 99.0}, outcome="invalid") for at in (1, 2)]
    (found,), _ = judged(spec, [*thrown, *kept])
    assert "guards threw away 2 of 18 attempts" in found.reason
    assert "counted in as unknown, the interval is [4.6, 5.5]" in found.reason
    (found,), _ = judged(spec, kept)
    assert "threw away" not in found.reason


def test_a_metric_says_in_which_step_its_program_prints():
    """End to end: `resolution: 1` of a program that prints 12 of a true 12.30."""
    spec = {
        "metrics": {"ms": {"from": "stdout.json.ms", "unit": "ms", "resolution": 1}},
        "claims": [
            {"id": "1", "quote": "q", "metric": "ms", "published": {"value": 12.3, "plus_minus": 0.05}}
        ],
    }  # fmt: skip
    trials = [trial("t", "", at, {"stdout.json.ms": 12.0}) for at in range(1, 13)]
    (found,), measured = judged(spec, trials)
    assert measured[0].resolution == pytest.approx(0.001)
    assert found.verdict == INCONCLUSIVE
    assert "printed in steps of 1 ms" in found.reason
    del spec["metrics"]["ms"]["resolution"]
    assert judged(spec, trials)[0][0].verdict == CONTRADICTED
