"""Figures that a spec asks for: metrics over steps or factors, sampled sources over time."""

from dataclasses import replace

import pytest

from runner.report.figure_kinds.interface import Asked
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
