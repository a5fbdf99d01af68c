"""The order of verdicts, each with the case that it is for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.analysis.claims.case import (
    CONTRADICTED,
    DIFFERS,
    INCONCLUSIVE,
    NOT_COMPARABLE,
    NOT_MEASURED,
    NOT_TESTABLE,
    REPRODUCED,
    Case,
)
from runner.analysis.claims.verdict import judge, judge_all
from runner.analysis.stats.intervals import median_interval
from runner.analysis.stats.power import MANY, Truth, inside, more_blocks, needed

INSIDE = [89.5, 88.0, 91.0, 89.0, 90.0, 89.2]
OUTSIDE = [108.0, 109.0, 120.0, 99.5, 101.0, 105.0, 103.0]
ACROSS = [90.0, 92.0, 93.0, 94.0, 95.0, 91.0]


def case(values=INSIDE, **more):
    given_ = {"published": (87, 92), "region": (86, 93), "values": values}
    return Case("1.1", **{**given_, **more})


def test_not_testable_comes_first():
    found = judge(case(testable=False, why="no program published", unmeasured="guards"))
    assert (found.verdict, found.reason) == (NOT_TESTABLE, "no program published")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"values": INSIDE[:4]}, "4 valid repetitions"),
        ({"values": []}, "0 valid repetitions"),
        ({"values": [None] * 6, "why": "0 GCs: no mean pause"}, "0 GCs"),
        ({"unmeasured": "board.throttled gained in every attempt"}, "throttled"),
        (
            {"values": [90, 90, 90, 91, 91, 91], "censored": ["above"] * 6},
            "hangs on what is unknown",
        ),
        ({"region": None, "published": None}, "nothing published"),
        ({"values": [], "kind": "exact"}, "no value"),
    ],
)
def test_not_measured(more, said):
    differing = {"must": ["cgroup.version"], "declared": {"cgroup.version": 1}}
    found = judge(case(**{**differing, "observed": {"cgroup.version": 2}, **more}))
    assert found.verdict == NOT_MEASURED
    assert said in found.reason


def test_missing_values_say_how_many_more():
    assert judge(case(values=INSIDE[:3])).more == 2


def test_not_comparable_shows_the_number_and_the_facts():
    found = judge(
        case(
            must=["board.model", "build.go"],
            declared={"board.model": "Raspberry Pi 4 Model B", "build.go": "1.22"},
            observed={"board.model": "Raspberry Pi 5 Model B Rev 1.0", "build.go": "go1.22.10"},
        )
    )
    assert found.verdict == NOT_COMPARABLE
    assert found.estimate == median_interval(INSIDE).estimate
    assert found.interval == (88.0, 91.0)
    assert [fact.equal for fact in found.facts] == [False, True]
    assert "Raspberry Pi 5" in found.reason


def test_unobserved_fact_is_not_comparable():
    found = judge(case(must=["board.model"], declared={"board.model": "Raspberry Pi 4 Model B"}))
    assert found.verdict == NOT_COMPARABLE
    assert found.facts[0].observed == "not observed"


def test_reproduced_needs_five():
    assert judge(case(values=INSIDE[:5])).verdict == REPRODUCED
    found = judge(case())
    assert (found.verdict, found.n, found.region) == (REPRODUCED, 6, (86, 93))
    assert found.level == pytest.approx(0.96875)


def test_margin_decides():
    values = [92.4, 91.5, 92.9, 92.2, 92.6]
    assert judge(case(values=values)).verdict == REPRODUCED
    assert judge(case(values=values, region=None)).verdict != REPRODUCED


def test_a_range_with_two_ends_is_contradicted_by_seven():
    """Half of a distribution above and half below would be six on one side in 3.1 %."""
    found = judge(case(values=OUTSIDE))
    assert (found.verdict, found.p) == (CONTRADICTED, 2 / 2**7)
    assert judge(case(values=OUTSIDE[:6])).verdict == INCONCLUSIVE


def test_a_range_with_one_end_is_contradicted_by_six():
    found = judge(case(values=OUTSIDE[:6], region=(None, 93)))
    assert (found.verdict, found.p) == (CONTRADICTED, 1 / 2**6)
    assert judge(case(values=OUTSIDE[:5], region=(None, 93))).verdict == INCONCLUSIVE


def test_silence_of_the_source_is_not_contradicted():
    found = judge(case(values=OUTSIDE, must=["board.cooling"], observed={"board.cooling": "fan"}))
    assert found.verdict == DIFFERS
    assert "does not declare board.cooling" in found.reason
    assert found.facts[0].equal is None


def test_silence_of_the_source_keeps_an_agreement_from_being_said_too():
    """Softening is symmetric: an unknown environment may agree by chance as well as differ."""
    found = judge(case(must=["board.cooling"]))
    assert (found.verdict, found.lean) == (INCONCLUSIVE, REPRODUCED)
    assert "it holds here" in found.reason
    assert "does not declare board.cooling" in found.reason


def test_inconclusive_leans_and_says_how_many_more():
    found = judge(case(values=ACROSS))
    assert found.verdict == INCONCLUSIVE
    assert found.lean == REPRODUCED
    assert found.more > 10
    assert f"about {found.more} more" in found.reason
    other = judge(case(values=[90.0, *OUTSIDE[:5]]))
    assert (other.verdict, other.lean) == (INCONCLUSIVE, CONTRADICTED)
    assert other.more > 0


def test_reasons_are_in_the_unit_of_the_claim():
    """118784 bytes are 116 KiB."""
    values = [153600.0 + i for i in range(7)]
    found = judge(Case("1", (118784, 135168), values=values, unit="KiB"))
    assert "outside [116, 132] KiB" in found.reason
    assert "(…, 132] KiB" in judge(Case("1", (None, 135168), values=values, unit="KiB")).reason


def test_number_without_width_cannot_be_reproduced():
    found = judge(
        case(values=[31.9, 32.0, 32.1, 32.0, 31.8, 32.2], published=(32, 32), region=None)
    )
    assert found.verdict == INCONCLUSIVE
    assert "has no width" in found.reason
    assert found.more is None


def test_open_range():
    assert judge(case(values=OUTSIDE, region=(90, None))).verdict == REPRODUCED
    assert judge(case(values=OUTSIDE, region=(None, 90))).verdict == CONTRADICTED


def test_values_on_both_sides_of_a_narrow_range_contradict_nothing():
    """Every value is off the range, and the median may still be in it."""
    values = [80.0, 81.0, 82.0, 98.0, 99.0, 100.0]
    assert judge(case(values=values)).verdict == INCONCLUSIVE


def test_exact_metric_goes_by_rounding_alone():
    region = (12.35e6, 12.45e6)
    exact = {"kind": "exact", "published": region, "region": None}
    assert judge(case(values=[12_436_512.0], **exact)).verdict == REPRODUCED
    found = judge(case(values=[6_912_044.0], **exact))
    assert (found.verdict, found.interval) == (CONTRADICTED, (6_912_044.0, 6_912_044.0))
    assert judge(case(values=[1.0], must=["x"], **exact)).verdict == DIFFERS


def test_exact_metric_that_varies_is_judged_as_sampled():
    assert judge(case(values=[88.0, 89.0], kind="exact")).verdict == NOT_MEASURED
    assert judge(case(kind="exact")).verdict == REPRODUCED


def test_holm_spans_the_experiment():
    """Seven values far off are p = 0.016: enough alone, not beside another claim."""
    alone = judge_all([case(values=OUTSIDE)])
    both = judge_all([case(values=OUTSIDE), case()])
    assert alone[0].verdict == CONTRADICTED
    assert both[0].verdict == INCONCLUSIVE
    assert both[0].p_holm == pytest.approx(0.03125)
    assert both[0].more >= 1
    assert "lies outside [86, 93], by chance more often" in both[0].reason
    assert "p = 0.031, Holm over 2 claims" in both[0].reason
    assert judge_all([case(values=[*OUTSIDE, 103.0]), case()])[0].verdict == CONTRADICTED


def test_untested_claims_do_not_count_for_holm():
    others = [
        case(testable=False, why="x"),
        case(values=[]),
        case(values=[90.0], kind="exact"),
        case(must=["a"], declared={"a": 1}, observed={"a": 2}),
    ]
    assert judge_all([case(values=OUTSIDE), *others])[0].verdict == CONTRADICTED


def statement(*truths, **more):
    return Case("4.x", truths=truths, **more)


def test_statements_are_sign_tests_on_blocks():
    assert judge(statement(*[True] * 5)).verdict == REPRODUCED
    assert judge(statement(*[True] * 4)).verdict == NOT_MEASURED
    assert judge(statement(*[False] * 5)).verdict == INCONCLUSIVE
    assert judge(statement(*[False] * 6)).verdict == CONTRADICTED
    assert judge(statement(*[False] * 6, must=["x"])).verdict == DIFFERS
    found = judge(statement(*[True] * 6, False))
    assert (found.verdict, found.lean) == (INCONCLUSIVE, REPRODUCED)
    assert judge(statement(True, False, True, False, True, False)).more is None


def test_statement_about_exact_metrics_needs_one_block():
    assert judge(statement(True, kind="exact")).verdict == REPRODUCED
    assert judge(statement(False, False, kind="exact")).verdict == CONTRADICTED


def test_unknown_blocks_do_not_count():
    found = judge(statement(*[True] * 4, None, None))
    assert (found.verdict, found.n) == (NOT_MEASURED, 4)


def test_statement_shows_the_paired_difference():
    found = judge(statement(*[True] * 5, values=[-2, -1, -5, -3, -4], region=(None, 0.0)))
    assert (found.estimate, found.interval) == (-3, (-5, -1))


@given(
    st.lists(st.floats(-100, 100), max_size=25),
    st.tuples(st.floats(-50, 0), st.floats(0, 50)),
    st.integers(0, 4),
)
def test_reproduced_and_contradicted_are_what_the_intervals_say(values, region, others):
    """Verdict 4 is the 90 % interval inside, verdict 5 the 97.5 % (Holm) one outside."""
    given_ = Case("a", region, values=values, order_effect="drawn in any order")
    cases = [given_, *[case() for _ in range(others)]]
    found = judge_all(cases)[0]
    inner = median_interval(values, 0.90)
    outer = median_interval(values, 1 - 0.025 / (others + 1))
    if inner is None:
        assert found.verdict == NOT_MEASURED
    elif inner.inside(*region):
        assert found.verdict == REPRODUCED
    elif outer is not None and outer.outside(*region):
        assert found.verdict == CONTRADICTED
    else:
        assert found.verdict == INCONCLUSIVE


def test_needed_is_the_first_size_with_the_chance():
    def chance(n):
        return inside(n, (-1, 1), Truth(0, 1))

    n = needed(chance)
    assert chance(n) >= 0.8 > max(chance(k) for k in range(2, n))
    assert needed(lambda n: inside(n, (-1, 1), Truth(0, 0))) == 5
    assert needed(lambda n: inside(n, (-1, 1), Truth(5, 1))) is None
    assert inside(4, (-1, 1), Truth(0, 0)) == 0


def test_more_blocks_gives_up():
    assert more_blocks(51, 100, (0.05, 0.025)) == MANY + 1
    assert more_blocks(5, 5, (0.05, 0.025)) == 1


@pytest.mark.parametrize("n", [5, 6, 10])
def test_values_that_climb_keep_reproduced_from_being_said_at_every_n(n):
    found = judge(case(values=[88 + 0.5 * k for k in range(n)]))
    assert found.verdict == INCONCLUSIVE
    assert "values rise in run order" in found.reason
    assert found.lean == REPRODUCED


def test_an_exact_value_that_is_only_a_bound_is_not_known_exactly():
    found = judge(case(values=[90.0], censored=["above"], kind="exact"))
    assert found.verdict == "not measured"


@pytest.mark.parametrize(
    ("happened", "n", "region", "more"),
    [(0, 5, (0.0, 0.05), 54), (0, 58, (0.0, 0.05), 1), (10, 10, (0.9, 1.0), 19)],
)
def test_a_share_at_the_end_of_all_shares_says_how_many_more(happened, n, region, more):
    """0 of 59 shows at most 5 %, and 29 of 29 at least 90 %: 0 and 1 are no edge to miss."""
    values = [1.0] * happened + [0.0] * (n - happened)
    found = judge(case(values=values, region=region, published=region, estimand="rate"))
    assert (found.verdict, found.more, found.lean) == (INCONCLUSIVE, more, REPRODUCED)
