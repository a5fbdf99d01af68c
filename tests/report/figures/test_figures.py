"""Figures are well-formed, deterministic, and show what they should."""

import itertools
import math
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.analysis.model import ClaimResult, Series
from runner.report.figures import choice, health, load, memory, parts, scale, strip
from runner.spec.experiment import Experiment
from tests.report import fixture
from tests.report.drawn import NS, texts

finite = st.floats(min_value=-1e12, max_value=1e12, allow_nan=False)


def all_figures(**changes):
    return choice.draw(fixture.experiment(), fixture.analysis(**changes))[0]


def test_well_formed_and_the_same_twice():
    """Every figure parses as XML and has the same bytes when drawn again."""
    first, second = all_figures(), all_figures()
    assert first == second
    assert sorted(first) == [
        "figures/claim-1.1.svg", "figures/claim-1.2.svg", "figures/load.svg",
        "figures/memory-base-r1-a2.svg", "figures/memory-base-r2-a1.svg", "figures/search.svg",
    ]  # fmt: skip
    for data in first.values():
        root = ET.fromstring(data)
        assert root.tag == f"{NS}svg"
        assert root.find(f"{NS}title").text
        assert root.find(f"{NS}desc").text
        assert b"prefers-color-scheme:dark" in data
        assert len(data) < 20_000


def test_nothing_is_drawn_outside():
    """Every coordinate lies on the card."""
    for data in all_figures().values():
        root = ET.fromstring(data)
        width, height = float(root.get("width")), float(root.get("height"))
        for element in root.iter():
            for name, limit in (
                ("x", width),
                ("x1", width),
                ("cx", width),
                ("y", height),
                ("cy", height),
            ):
                value = element.get(name)
                assert value is None or 0 <= float(value) <= limit
            for x, y in re.findall(r"(-?[\d.]+),(-?[\d.]+)", element.get("d") or ""):
                assert 0 <= float(x) <= width
                assert 0 <= float(y) <= height


def test_memory_shows_limit_steps_and_units():
    """The limit is a labelled line; steps are named with their outcome; axes have units."""
    found = texts(all_figures()["figures/memory-base-r1-a2.svg"])
    assert {"limit", "32.0 MiB", "RSS", "cgroup usage", "✓ 10", "✓ 50", "✗ 100"} <= set(found)
    assert "memory (MiB)" in found
    assert "time since the start of the trial (s)" in found
    assert {"0", "8", "16", "24", "32"} <= set(found)


def test_memory_far_below_its_limit_is_not_flattened():
    """A limit of 4 GiB over 20 MiB is said in words."""
    trial = replace(fixture.trial("t", 1, 1, 1.0), limit_bytes=4 * 2**30)
    found = texts(memory.draw(trial, fixture.series("t", 1.0), "t"))
    assert "limit" not in found
    assert "limit 4.00 GiB, above this figure" in found


def test_gaps_are_gaps():
    """Missing samples cut the line; they are neither zero nor bridged."""
    x, y = scale.clock(10, (0, 500)), scale.linear((0, 10), (100, 0), "1")
    lines = parts.pieces((0, 1, 2, 3, 4), (1.0, 2.0, None, 3.0, 4.0), x, y)
    assert [len(line) for line in lines] == [2, 2]
    assert parts.pieces((0, 1), (None, None), x, y) == []


def test_peaks_survive_thinning():
    """One sample in half a million that is high is drawn high."""
    n = 432_000
    values = [1.0] * n
    values[123_456] = 9.0
    x, y = scale.clock(n / 10, (64, 640)), scale.linear((0, 10), (296, 66), "1")
    [line] = parts.pieces([i / 10 for i in range(n)], values, x, y)
    assert len(line) < 1300
    assert min(point[1] for point in line) == y.at(9.0)


def test_no_line_no_figure():
    """A series without a value gives no empty picture."""
    trial = fixture.trial("t", 1, 1, 1.0)
    empty = Series("t", "procfs.rss", "B", (0.0, 1.0), (None, None))
    assert memory.draw(trial, [empty], "t") is None
    assert load.draw([replace(trial, steps=trial.steps[:1])], "") is None
    assert strip.draw(ClaimResult("1", "", "", "", "not measured", "")) is None
    assert health.draw({"levels": [{"level": 8, "passes": 1, "trials": 1}]}) is None


def test_load_marks_unhealthy_steps_by_shape():
    """Not by colour alone: dots for healthy, crosses for the rest."""
    root = ET.fromstring(all_figures()["figures/load.svg"])
    circles = list(root.iter(f"{NS}circle"))
    assert (
        len(circles) == 1 + 2 * 4
    )  # the legend's, and two repetitions of two healthy steps, twice
    found = texts(all_figures()["figures/load.svg"])
    assert "throughput (1/s)" in found
    assert "p99 latency, log scale" in found
    assert {"100 ms", "1 s", "10", "50", "100"} <= set(found)


def test_strip_shows_region_interval_and_every_repetition():
    """Six repetitions are six marks, beside the published range."""
    data = all_figures()["figures/claim-1.1.svg"]
    circles = list(ET.fromstring(data).iter(f"{NS}circle"))
    assert len(circles) == 6 + 1
    found = texts(data)
    assert "published, with margin: 86 … 93 connections" in found
    assert "repetitions (n = 6)" in found
    assert "✗ contradicted" in found


def test_equal_repetitions_are_seen_apart():
    """Marks of one value are stacked."""
    claim = replace(fixture.CLAIMS[0], values=(150.0,) * 5)
    circles = list(ET.fromstring(strip.draw(claim)).iter(f"{NS}circle"))
    assert len({(c.get("cx"), c.get("cy")) for c in circles}) == 6


@pytest.mark.parametrize(
    "region", [None, (None, None), (None, 90.0), (200.0, None), (150.0, 150.0)]
)
def test_strip_with_open_regions(region):
    """A range may be open on either side, or a single value."""
    ET.fromstring(strip.draw(replace(fixture.CLAIMS[0], region=region)))


def test_health_labels_passes():
    """Each level near the edge has its passes of trials."""
    found = texts(all_figures()["figures/search.svg"])
    assert {"17/18", "20/26", "9/24", "1/12"} <= set(found)
    assert "½ at 149 (143 … 156)" in found or "½ at 148.6 (143 … 156)" in found
    assert any("3 levels farther away" in text for text in found)


def test_hostile_names_are_text():
    """Step names and ids come from specs: they cannot open a tag or leave the XML."""
    evil = "</text><script>x</script>&\x00\u202e]]>\"'"
    trial = fixture.trial(evil, 1, 1, 1.0)
    trial = replace(
        trial,
        treatment={evil: evil},
        steps=tuple(replace(s, name=evil + s.name) for s in trial.steps),
    )
    series = tuple(replace(s, name=evil) for s in fixture.series(evil, 1.0))
    claim = replace(fixture.CLAIMS[0], id=evil, published=evil, unit=evil, verdict=evil)
    search = {**fixture.SEARCH, "what": evil, "unit": evil}
    files, _ = choice.draw(
        Experiment(),
        fixture.analysis(trials=(trial,), series=series, claims=(claim,), search=search),
    )
    assert len(files) == 4
    for name, data in files.items():
        assert re.fullmatch(r"figures/[A-Za-z0-9._-]+\.svg", name)
        root = ET.fromstring(data)
        assert not [e for e in root.iter() if "script" in e.tag]


def test_names_that_collide_are_kept_apart():
    """Two claims whose ids differ only in punctuation have two figures."""
    claims = tuple(replace(fixture.CLAIMS[0], id=name) for name in ("a/b", "a b", "a-b", "a-b"))
    files, shown = choice.draw(
        Experiment(), fixture.analysis(claims=claims, trials=(), series=(), search=None)
    )
    assert len(files) == 4
    assert set(shown["claims"]) == {"a/b", "a b", "a-b"}


@given(finite, finite, st.sampled_from(["B", "s", "1", "1/s", "MB", "%", "connections"]))
def test_axes_hold_their_values(a, b, unit):
    """Any range has at least one tick inside, ticks rise, and ends map to the ends."""
    low, high = min(a, b), max(a, b)
    if high - low < 1e-9 * max(abs(low), abs(high), 1e-3):
        high = low + (abs(low) or 1.0)
    for axis in (
        scale.linear((max(0.0, low), max(abs(low), high, 1e-6)), (300, 0), unit),
        scale.around((low, high), (0, 500), unit),
    ):
        assert 1 <= len(axis.ticks) <= 16
        values = [value for value, _ in axis.ticks]
        assert values == sorted(values)
        assert len({text for _, text in axis.ticks}) == len(values)
        assert math.isclose(axis.at(axis.low), axis.start)
        assert math.isclose(axis.at(axis.high), axis.end)


@given(st.lists(st.floats(1e-9, 1e9), min_size=1))
def test_log_axes(values):
    """Every positive value lies between the first and the last tick."""
    axis = scale.logarithmic(values, (300, 0), "s")
    assert axis.low <= min(values) * 1.001
    assert axis.high >= max(values) * 0.999
    assert 2 <= len(axis.ticks) <= 22


@given(st.floats(0.001, 1e8))
def test_clocks(high):
    """Any duration has a readable time axis."""
    axis = scale.clock(high, (0, 500))
    assert 1 <= len(axis.ticks) <= 18
    assert axis.unit in {"s", "min", "h"}


@given(st.lists(st.floats(0, 200), max_size=5))
def test_labels_keep_their_distance(wishes):
    """Labels are moved apart, inside their bounds, in their order."""
    placed = parts.spread(wishes, 28.0, 0.0, 200.0)
    ordered = sorted(placed)
    assert all(b - a >= 28 - 1e-6 for a, b in itertools.pairwise(ordered))
    assert all(-1e-6 <= p <= 200 + 1e-6 for p in placed)
