"""The section of the memory atlas: drawn from the record, the same bytes each time."""

from __future__ import annotations

import dataclasses
import json
import re
import xml.etree.ElementTree as ET

import pytest

from runner.analysis.trial import atlas as join
from runner.report.figures import address_map, flame
from runner.report.pages import rebuild, render
from runner.report.sections import atlas
from runner.store import analysis_file
from runner.store.record import RunFolder
from tests.analysis.trial.atlas_events import events
from tests.events import typed
from tests.report import fixture
from tests.report.drawn import NS, texts

LIMIT = 32 << 20


@pytest.fixture(scope="module")
def one():
    return join.of_step(typed(events()), 0)


def analysis(one):
    """Every step of the fixture's trials has an atlas."""
    whole = fixture.analysis()
    trials = tuple(
        dataclasses.replace(
            trial, steps=tuple(dataclasses.replace(step, atlas=one) for step in trial.steps)
        )
        for trial in whole.trials
    )
    return dataclasses.replace(whole, trials=trials)


def test_the_map_is_well_formed_and_the_same_twice(one):
    data = address_map.draw(one, LIMIT, "90 connections")
    assert data == address_map.draw(json.loads(json.dumps(one)), LIMIT, "90 connections")
    assert ET.fromstring(data).tag == f"{NS}svg"
    found = texts(data)
    assert {"text", "Go arena", "Go runtime's own", "limit 32.0 MiB"} <= set(found)
    assert "from 0xc000000000" in found or "from 0x4000000000" in found
    assert len(data) < 100_000


def test_nothing_of_the_map_leaves_the_card(one):
    """Every text and every shape lies within the figure, with a limit near, far and none."""
    for limit in (one_rss(one) // 2, one_rss(one), LIMIT, 4 << 30, None):
        root = ET.fromstring(address_map.draw(one, limit, "x" * 200))
        width, height = (float(root.get(name)) for name in ("width", "height"))
        for text in root.iter(f"{NS}text"):
            length = 0.56 * 11 * len(text.text)
            at = float(text.get("x"))
            left = {"end": at - length, "middle": at - length / 2}.get(text.get("text-anchor"), at)
            if "t f-ink" not in text.get("class"):
                assert left > -1, text.text
                assert left + length < width + 1, text.text
            assert 0 < float(text.get("y")) < height
        for rect in root.iter(f"{NS}rect"):
            assert float(rect.get("x")) + float(rect.get("width")) <= width


def one_rss(one):
    return sum(area[4] for area in one["areas"])


def test_the_limit_line_is_at_the_limit(one):
    """Half of all that is in memory lies left of a limit of half of it."""
    data = address_map.draw(one, one_rss(one) // 2, "")
    root = ET.fromstring(data)
    (line,) = [x for x in root.iter(f"{NS}line") if x.get("stroke-dasharray")]
    blocks = [r for r in root.iter(f"{NS}rect")
              if float(r.get("x")) >= address_map.BARS - 0.1 and r.get("class") != "f-card s-edge"]  # fmt: skip
    ends = [float(r.get("x")) + float(r.get("width")) for r in blocks]
    middle = (address_map.BARS + max(ends)) / 2
    assert float(line.get("x1")) == pytest.approx(middle, abs=1.0)


def test_without_pagemap_the_map_is_drawn_all_the_same():
    data = address_map.draw(join.of_step(typed(events(pagemap=False)), 0), LIMIT, "")
    assert "Go arena" in texts(data)


def test_the_flame_is_well_formed_and_as_wide_as_the_heap(one):
    data = flame.draw(one["flame"], "90 connections")
    assert data == flame.draw(json.loads(json.dumps(one["flame"])), "90 connections")
    root = ET.fromstring(data)
    assert any(text.startswith("http.(*conn).serve ") for text in texts(data))
    for rect in root.iter(f"{NS}rect"):
        assert float(rect.get("x")) + float(rect.get("width")) <= float(root.get("width"))
    assert flame.draw({"total": 0, "tree": ["heap", 0, []]}, "") is None


@pytest.mark.parametrize(
    ("function", "short", "kind"),
    [
        ("main.main", "main.main", "program"),
        ("runtime.malg", "runtime.malg", "runtime"),
        ("net/http.(*conn).serve", "http.(*conn).serve", "net"),
        ("bufio.NewReaderSize", "bufio.NewReaderSize", "std"),
        ("github.com/valyala/fasthttp.(*Server).Serve", "fasthttp.(*Server).Serve", "module"),
        ("sync.(*Pool).Get", "sync.(*Pool).Get", "std"),
        ("slices.Grow[go.shape.[]net/http.x]", "slices.Grow[go.shape.[]http.x]", "std"),
    ],
)
def test_functions_have_short_names_and_belong_to_somebody(function, short, kind):
    assert flame.short(function) == short
    assert flame.kind(function) == kind


def test_the_table_adds_up(one):
    """The rows of the classes are the row of all mappings; shares are of the limit."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")]
            for line in atlas.classes(one, LIMIT).splitlines()[2:]]  # fmt: skip
    named = {row[0]: row for row in rows}
    assert {"Go arena", "– objects", "– pages with neither", "all mappings"} <= set(named)
    share = float(named["all mappings"][5].split()[0])
    assert share == pytest.approx(100 * one_rss(one) / LIMIT, rel=0.01)


def test_the_report_shows_the_first_of_each_step_and_rebuilds_it_from_the_record(tmp_path, one):
    """analysis.json keeps what is shown; the report made of it again has the same bytes."""
    whole = analysis(one)
    folder = RunFolder.create(
        tmp_path, "quickstart", run_id=fixture.MANIFEST["id"], at=fixture.AT, spec_text="",
        spec=fixture.SPEC, manifest={},
    )  # fmt: skip
    folder.finish("done", at=fixture.AT + 1)
    path = rebuild.write(folder, whole)
    text = path.read_text()
    assert "## Memory atlas" in text
    assert len(re.findall(r"^### step ", text, re.MULTILINE)) == len(atlas.chosen(whole))
    figures = sorted((path.parent / "figures").glob("atlas-*.svg"))
    assert len(figures) == len(atlas.chosen(whole)) <= atlas.MOST
    before = {file: file.read_bytes() for file in [path, *figures]}
    for file in before:
        file.unlink()
    rebuild.rebuild(RunFolder.open(folder.path))
    assert {file: file.read_bytes() for file in before} == before
    kept = analysis_file.from_data(json.loads((path.parent / "analysis.json").read_text()))
    held = [step for trial in kept.trials for step in trial.steps if step.atlas]
    assert len(held) == len(atlas.chosen(whole))


def test_a_report_without_one_has_no_such_section():
    found = render.render(
        fixture.manifest(), fixture.experiment(), fixture.FACTS, fixture.CHANGES, fixture.analysis()
    )
    assert "Memory atlas" not in found.markdown
