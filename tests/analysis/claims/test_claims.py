"""What a claim's result shows beside its verdict."""

import pytest

from runner.analysis.claims.claims import claim_results
from runner.analysis.claims.estimates import estimates
from runner.analysis.model import Step, Trial
from runner.spec import Experiment
from tests.analysis.claims.judged import judged, trial

BASE = {
    "factors": {"server": {"a": {}, "b": {}}},
    "workload": {"argv": ["./x"]},
    "metrics": {"rss": {"from": "procfs.rss", "unit": "KiB"}, "id": {"from": "build.id"}},
}
A = [100.0, 110.0, 120.0, 130.0, 140.0, 150.0]
B = [value + 20 for value in A]


def results(expect, **facts):
    experiment = Experiment.model_validate(
        {**BASE, "claims": [{"id": "1", "quote": "less", "expect": expect}]}
    )
    trials = [
        Trial(
            f"{level}{at}", "h", {"server": level}, at, 1, "healthy", "", 0.0,
            (Step(0, "idle", None, 0.0, 1.0, "healthy", numbers={"procfs.rss": value * 1024, "build.id": "x"}),),
        )
        for level, values in (("a", A), ("b", B))
        for at, value in enumerate(values, 1)
    ]  # fmt: skip
    (found,) = claim_results(experiment, estimates(experiment.metrics, trials, None), trials, facts)
    return found


def test_an_order_shows_how_far_apart_its_sides_are():
    found = results("rss[server=a] < rss[server=b]")
    assert (found.verdict, found.of, found.unit) == ("reproduced", "left − right", "KiB")
    assert found.estimate == pytest.approx(-20 * 1024)
    assert found.interval == pytest.approx((-20 * 1024, -20 * 1024))
    assert found.region == (None, 0.0)
    assert len(found.values) == found.n == 6
    assert found.trials == tuple(f"{level}{at}" for level in "ab" for at in range(1, 7))


@pytest.mark.parametrize(
    "expect",
    [
        "rss[server=a] < rss[server=b] and rss[server=a] > 0",
        "id[server=a] == id[server=b]",
        "facts.thp == 'always'",
    ],
)
def test_other_statements_have_no_one_number(expect):
    found = results(expect, thp="always")
    assert (found.estimate, found.of, found.values, found.region) == (None, "", (), None)


def test_a_difference_of_ratios_has_no_unit_of_time():
    """How far apart two sides are is in what the sides are, not in what their parts are."""
    spec = {
        "metrics": {"lat": {"from": "workload.wall", "unit": "ms"}},
        "factors": {"m": ["1", "2"]},
        "claims": [
            {"id": "r", "quote": "q", "expect": "lat[m=2] / lat[m=1] < 2.5"},
            {"id": "d", "quote": "q", "expect": "lat[m=1] < lat[m=2]"},
            {"id": "t", "quote": "q", "expect": "3 * lat[m=1] > lat[m=2]"},
        ],
    }
    ran = [
        trial("t", level, n, {"workload.wall": int(level) + n / 100})
        for n in range(1, 8)
        for level in "12"
    ]
    results, _ = judged(spec, ran)
    assert [one.unit for one in results] == ["", "ms", "ms"]
    assert results[0].estimate == pytest.approx(2.04 / 1.04 - 2.5)


def test_a_word_that_a_program_prints_is_sampled():
    """It may be another in the next run: two alike show nothing."""
    spec = {
        "metrics": {"said": {"from": "stdout.regex", "pattern": "x=(.)", "kind": "text"}},
        "claims": [{"id": "w", "quote": "q", "expect": "said == 'GOOD'"}],
    }
    found = {
        count: judged(
            spec, [trial("t", "", n, {"stdout.regex(x=(.))": "GOOD"}) for n in range(1, count + 1)]
        )[0][0]
        for count in (2, 6)
    }
    assert (found[2].verdict, found[2].n) == ("not measured", 2)
    assert found[6].verdict == "reproduced"
    assert "6 of 6" in found[6].reason
