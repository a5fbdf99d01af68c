"""The spread of every level: recomputed by hand, exact in its coverage, honest about what merges."""

import math

import numpy as np
import pytest

from runner.analysis.stats.nested import components


def test_a_balanced_design_by_hand():
    """Two boots of two: mean squares 8 and 1/2, so a boot is worth sqrt((8 - 1/2) / 2)."""
    values = [(("x",), 1.0), (("x",), 2.0), (("y",), 5.0), (("y",), 6.0)]
    boot, repetition = components(values, ("boot",))
    assert (boot.level, boot.units) == ("boot", 2)
    assert (repetition.level, repetition.units) == ("repetition", 4)
    assert repetition.spread == pytest.approx(math.sqrt(0.5))
    # the means are 1.5 and 5.5: their variance is 8, of which 0.5 / 2 is the repetitions'
    assert boot.spread == pytest.approx(math.sqrt(8 - 0.25))
    assert repetition.interval == pytest.approx(
        (math.sqrt(1.0 / 5.9914645), math.sqrt(1.0 / 0.1025866))
    )


def test_levels_that_varied_together_are_one():
    """One block per boot, and one layout per block: nobody can tell them apart."""
    values = [((str(at), str(at)), float(at % 5)) for at in range(8)]
    (only,) = components(values, ("boot", "layout"))
    assert only.level == "boot, layout and repetition"
    assert only.units == 8


def test_a_level_with_one_unit_is_left_out():
    """It did not vary, so nothing is known of it."""
    values = [(("a", "x"), 1.0), (("a", "x"), 2.0), (("a", "y"), 5.0), (("a", "y"), 7.0)]
    assert [one.level for one in components(values, ("board", "boot"))] == ["boot", "repetition"]


@pytest.mark.parametrize("shares", [(1, 1), (0, 1), (3, 1), (0.3, 1)])
def test_intervals_cover_what_they_say(shares):
    """At 90 %, of four to ten boots with two to four repetitions each."""
    rng = np.random.default_rng(20261123)
    of_boot, own = shares
    held = {"boot": 0, "repetition": 0}
    count = 2400
    for at in range(count):
        boots, each = ((4, 4), (6, 2), (10, 3))[at % 3]
        values = [
            ((str(boot),), value + shift)
            for boot, shift in enumerate(
                rng.normal(0, of_boot, boots) if of_boot else [0.0] * boots
            )
            for value in rng.normal(0, own, each)
        ]
        for one in components(values, ("boot",)):
            low, high = one.interval
            true = of_boot if one.level == "boot" else own
            held[one.level] += low - 1e-9 <= true <= high + 1e-9
    for level, hits in held.items():
        assert hits / count >= 0.88, level
