"""Figures that a spec asks for: metrics over steps or factors, sampled sources over time."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest

from runner.kinds import discovery
from runner.report.figure_kinds.interface import Asked, Shown
from runner.report.figures import choice, over_time, points
from tests.report import fixture

ESTIMATES = [
    replace(
        fixture.analysis().estimates[0],
        metric=metric,
        unit=unit,
        treatment={"flags": flags},
        step=None,
        values=values,
    )
    for metric, unit, flags, values in [
        ("size", "MB", "default", (2e6, 2.1e6, 2.2e6)),
        ("size", "MB", "stripped", (1e6, None, 1.2e6)),
        ("rss", "MiB", "default", (2.0**23,)),
        ("rss", "MiB", "stripped", (2.0**22,)),
    ]
]


def test_metrics_over_a_factor():
    """A panel per unit, a mark per repetition that has a value, the levels as places."""
    data = points.draw(Asked(("size", "rss"), "flags", "Sizes"), ESTIMATES)
    assert data is not None
    text = data.decode()
    assert text.count("<circle") == 7 + 2  # repetitions, and a dot of each legend
    assert ">default</text>" in text
    assert ">stripped</text>" in text
    assert "size: default 2.1 MB, stripped 1.1 MB" in text
    assert "(MB)" in text
    assert "(MiB)" in text


def heights(text):
    """Y of every corner of the staircases, per staircase."""
    found = re.findall(r'class="n w s-c\d"[^>]*d="M([^"]+)"', text)
    return [[float(pair.split(",")[1]) for pair in line.split("L")] for line in found]


def test_a_staircase_rises_by_the_share_of_each_repetition():
    """Three values rise by a third each, two by a half; both end at the top."""
    (drawing,) = discovery.module("figures", "cdf").KIND.draw(
        Asked(("size",), "flags", "Sizes"),
        Shown(replace(fixture.analysis(), estimates=ESTIMATES), {}),
    )
    text = drawing.svg.decode()
    three, two = heights(text)
    assert [round(a - b, 1) for a, b in pairwise(three) if a != b] == [56.7, 56.6, 56.7]
    assert [round(a - b, 1) for a, b in pairwise(two) if a != b] == [85.0, 85.0]
    assert "size flags=default: 3 repetitions from 2 MB to 2.2 MB" in text
    assert "share of repetitions" in text


def test_a_box_shows_quartiles_and_every_repetition():
    """Of 1 … 9 and 40 the box is from 3.25 to 7.75, the whisker ends at 9, and 40 is a mark."""
    values = (*map(float, range(1, 10)), 40.0)
    made = [replace(ESTIMATES[0], unit="1", values=values), ESTIMATES[1]]
    made[1] = replace(made[1], unit="1", values=(4.0,))
    data = points.draw(Asked(("size",), "flags", "Sizes"), made, boxes=True)
    assert data is not None
    text = data.decode()
    assert text.count("<circle") == 11 + 1
    (box, *_), (median,) = (
        re.findall(rf'class="n w s-c0" stroke-width="{width}" d="([^"]+)"', text)
        for width in ("1.4", "2.6")
    )
    ticks = {n: y for y, n in re.findall(r'y="([\d.]+)" text-anchor="end">(\d+)<', text)}
    zero, ten = float(ticks["0"]) - 4, float(ticks["10"]) - 4

    def value(y):
        return (zero - float(y)) / (zero - ten) * 10

    ys = [value(pair.split(",")[1]) for pair in re.split("[ML]", box) if pair]
    assert sorted({round(y, 1) for y in ys}) == pytest.approx([1.0, 3.25, 7.75, 9.0], abs=0.1)
    assert value(median.split(",")[1].split("L")[0]) == pytest.approx(5.5, abs=0.1)


def test_more_lines_than_colours_are_said():
    made = [replace(ESTIMATES[0], treatment={"flags": f, "way": str(way)})
            for way in range(6) for f in ("a", "b")]  # fmt: skip
    text = (points.draw(Asked(("size",), "flags", "Sizes"), made) or b"").decode()
    assert "and 2 more, not drawn" in text


def test_one_place_is_no_figure():
    """What has nothing to compare is a number, and stands in the table."""
    asked = Asked(("size",), "flags", "Sizes")
    assert points.draw(asked, ESTIMATES[:1]) is None
    assert points.draw(replace(asked, over="step"), ESTIMATES) is None


def test_sources_over_time():
    """Each unit has its panel; the step's names stand once."""
    trial = fixture.trial("t", 1, 1, 1.0)
    lines = [s for s in fixture.series("t", 1.0) if s.unit == "B"]
    heat = replace(lines[0], name="board.temperature", unit="°C", v=tuple(50.0 for _ in lines[0].v))
    text = (over_time.draw(trial, [*lines, heat], "all") or b"").decode()
    assert text.count("board.temperature") >= 1
    assert ">°C<" in text
    assert text.count("✗ 100") == 1
    assert over_time.draw(trial, [], "none") is None


@pytest.mark.parametrize("over", ["flags", "time"])
def test_figures_stand_in_the_report(over):
    """What was asked for is drawn and shown."""
    analysis = replace(fixture.analysis(), estimates=tuple(ESTIMATES))
    show = ["size"] if over == "flags" else [analysis.series[0].name]
    report = {"figures": [{"show": show, "over": over, "title": "Seen"}]}
    files, shown = choice.draw(fixture.experiment(report=report), analysis)
    assert len(shown["asked"]) == 1
    assert "Seen" in shown["asked"][0]
    assert "figures/asked-1.svg" in files
