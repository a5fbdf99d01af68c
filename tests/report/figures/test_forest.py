"""Ratios to the baseline: where they lie, what they say, and of which boards."""

import math
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.analysis.model import Analysis, Estimate, Repetition, Trial
from runner.report.figures import choice, forest
from runner.report.figures.forest import Ratio
from runner.spec.experiment import Experiment

HALF = Ratio("rss", "gc=off", 0.5, (0.25, 1.0), "better", "✓ better")
TWICE = Ratio("cpu", "gc=off", 2.0, (1.0, 4.0), "worse", "✗ worse")
SPEC = Experiment.model_validate({
    "factors": {"level": {"0": {}, "2": {}}},
    "baseline": {"level": "0"},
    "metrics": {"cpu": {"from": "workload.user_cpu", "unit": "ms", "better": "lower"}},
})  # fmt: skip


def marks(data: bytes) -> list[float]:
    """X of every dot."""
    return [float(x) for x in re.findall(r'<circle[^>]*cx="([\d.]+)"', data.decode())]


def one_line(data: bytes) -> float:
    """X of the line at 1."""
    found = re.findall(
        r'<line class="s-ink" x1="([\d.]+)" y1="[\d.]+" x2="([\d.]+)"', data.decode()
    )
    ((first, second),) = found
    assert first == second
    return float(first)


def test_twice_and_half_lie_equally_far_from_the_line_at_one():
    data = forest.draw([HALF, TWICE], "Ratio to the baseline")
    left, right = marks(data)
    assert one_line(data) - left == pytest.approx(right - one_line(data), abs=0.2)
    text = data.decode()
    for said in ("rss · gc=off", "0.500 ✓ better", "2.000 ✗ worse", "log scale", ">baseline<"):
        assert said in text
    assert "90 % interval. rss, gc=off: 0.500 ✓ better; cpu" in text


@given(
    st.lists(
        st.tuples(
            st.floats(1e-11, 1e11),
            st.none() | st.tuples(st.floats(min_value=0), st.floats(min_value=0)),
        ),
        min_size=1,
        max_size=50,
    )
)
def test_any_ratio_is_drawn_on_the_card(found):
    rows = [
        Ratio("m", "x", ratio, interval and (min(interval), max(interval)), "changed", "≠ changed")
        for ratio, interval in found
    ]
    data = forest.draw(rows, "Ratio")
    root = ET.fromstring(data)
    assert len(marks(data)) == min(len(rows), forest.MOST)
    assert all(forest.LEFT <= x <= forest.RIGHT for x in [*marks(data), one_line(data)])
    for element in root.iter():
        for name in ("x", "x1", "x2", "cx"):
            assert 0 <= float(element.get(name) or 0) <= float(root.get("width"))
        for name in ("y", "y1", "y2", "cy"):
            assert 0 <= float(element.get(name) or 0) <= float(root.get("height"))


def test_what_has_no_ratio_is_not_drawn():
    assert forest.draw([], "Ratio") is None
    for ratio in (None, 0.0, -2.0, math.inf, math.nan):
        assert forest.draw([replace(HALF, ratio=ratio)], "Ratio") is None


def test_an_interval_that_goes_on_has_no_end():
    whole = forest.draw([HALF], "Ratio").decode()
    open_ = forest.draw([replace(HALF, interval=(0.25, math.inf))], "Ratio").decode()
    assert whole.count('class="s-c2"') == open_.count('class="s-c2"') + 1


def estimate(level: str, values: list[float], boards: str) -> Estimate:
    repetitions = tuple(Repetition(n // 2 + 1, board=b) for n, b in enumerate(boards))
    return Estimate(
        "cpu", "ms", {"level": level}, None, tuple(values), len(values),
        sorted(values)[len(values) // 2], None, None, repetitions=repetitions,
    )  # fmt: skip


def analysis(boards: str) -> Analysis:
    slow = [0.3 + n / 1000 for n in range(len(boards))]
    fast = [0.1 + n / 1000 for n in range(len(boards))]
    trials = tuple(Trial(f"{b}{n}", b, {}, n, 1, "healthy", "", 0.0) for n, b in enumerate(boards))
    return Analysis(trials, (estimate("0", slow, boards), estimate("2", fast, boards)))


def test_treatments_beside_a_baseline_have_one_and_each_board_has_its_own():
    files, shown = choice.draw(SPEC, analysis("pppppppp"))
    assert [name for name in files if "against" in name] == ["figures/against.svg"]
    assert len(shown["against"]) == 1
    files, shown = choice.draw(SPEC, analysis("pq" * 6))
    assert [name for name in files if "against" in name] == [
        "figures/against.svg", "figures/against-p.svg", "figures/against-q.svg",
    ]  # fmt: skip
    assert "Ratio to the baseline on q" in files["figures/against-q.svg"].decode()


def test_without_a_baseline_there_is_none():
    bare = SPEC.model_copy(update={"baseline": {}})
    files, shown = choice.draw(bare, analysis("pppppppp"))
    assert not shown["against"]
    assert not [name for name in files if "against" in name]


@pytest.mark.parametrize("kind", ["points", "box", "cdf"])
def test_every_kind_of_figure_can_be_drawn_for_each_board(kind):
    figure = {"show": ["cpu"], "over": "level", "kind": kind, "split": "board"}
    asked = Experiment.model_validate(
        {**SPEC.model_dump(by_alias=True, exclude_defaults=True), "report": {"figures": [figure]}}
    )
    _, shown = choice.draw(asked, analysis("pq" * 6))
    assert len(shown["asked"]) == 2
    assert "on p" in str(shown["asked"][0])
    assert "on q" in str(shown["asked"][1])
