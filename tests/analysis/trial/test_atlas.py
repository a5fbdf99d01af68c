"""The join of smaps, pagemap, heap dump and profile of a real Go program, from its events on."""

from __future__ import annotations

import pytest

from runner.analysis.trial import atlas, outputs, pages
from runner.kinds.sources import atlas as source
from runner.kinds.sources import maps, smaps
from runner.kinds.sources._arena import PARTS
from tests.analysis.trial.atlas_events import events, text
from tests.events import reading, typed
from tests.goserver import CONNECTIONS, moment

BUILDS = pytest.mark.parametrize(
    ("go", "arch"), [("1.22.10", ""), ("1.26.6", ""), ("1.22.10", "386")]
)


def numbers(listed):
    asked = (
        "atlas.rss",
        "smaps.total.rss",
        "maps.count",
        "heapdump.bytes",
        "pprof.heap.inuse_bytes",
    )
    return outputs.of_step(reading(listed), 0.0, 1.0, index=0, asked=asked)


@BUILDS
def test_every_byte_is_placed(go, arch):
    """All objects and all frames lie in the arena's mappings, none in a brk heap."""
    found = numbers(events(go, arch, after=False)).numbers
    assert found["atlas.joined_share"] == found["atlas.mapped_share"] == 1
    assert found["atlas.frames_in_arena"] == 1
    assert found["atlas.brk_heap_share"] == 0
    assert found["atlas.stacked_share"] > 0.95
    assert found["atlas.arena_rss"] == found["smaps.arena.rss"] > 1 << 20
    assert found["atlas.rss"] == found["smaps.total.rss"]
    if go == "1.22.10" and not arch:
        assert found["atlas.arena_start"] in maps.HINTS


@BUILDS
def test_the_parts_of_the_arena_are_all_of_it(go, arch):
    """By address they add up to the mappings; in memory, to what the kernel says of them."""
    found = numbers(events(go, arch, after=False)).numbers
    size = found["maps.arena.size"] - sum(
        r.size for r, c in regions(go, arch) if c == "arena" and r.reserved
    )
    assert sum(found[f"atlas.virtual.{part}"] for part in PARTS) == size
    held = sum(found[f"atlas.resident.{part}"] for part in PARTS)
    assert held == found["atlas.arena_resident"]
    # a page that was only read is the zero page: present, and not counted as resident
    assert 0 <= held - found["atlas.arena_rss"] <= 64 << 10
    assert found["atlas.virtual.objects"] == found["heapdump.bytes"]
    assert found["atlas.virtual.frames"] == found["heapdump.frame_bytes"]
    slots = found["heapdump.memstats.HeapInuse"] - found["heapdump.bytes"]
    # spans of several pages may have pages without an object: those count as neither
    assert found["atlas.virtual.slots"] <= slots
    assert (
        found["atlas.virtual.frames"] + found["atlas.virtual.stacks"]
        <= (found["heapdump.memstats.StackInuse"])
    )
    # a span in use may have pages that nothing has touched yet: more, the less the program ran
    assert 1 <= found["atlas.sums_share"] < 2
    # the collector ran a moment before: next to nothing came on pages that were not there
    assert found["atlas.late"] <= 64 << 10


def regions(go, arch):
    found = moment(go, arch)
    arena = source.heapdump.parse(found.dump).params.arena
    listed = [one.region for one in smaps.parse(found.smaps)]
    return list(zip(listed, maps.classes(listed, arena), strict=True))


def test_what_was_not_fetched_is_unknown_and_never_0():
    found = numbers(events(pagemap=False, after=False))
    for name in source.WITH_PAGES:
        assert found.numbers[f"atlas.{name}"] is None
        assert found.why[f"atlas.{name}"] == source.NO_PAGES
    assert found.numbers["atlas.drift"] is None
    assert "before and after" in found.why["atlas.drift"]
    assert found.numbers["atlas.joined_share"] == 1
    whole = numbers(events())
    assert {name.removeprefix("atlas.") for name in whole.numbers if name.startswith("atlas.")} == {
        *source.PARSER.known
    }


def test_a_damaged_record_says_so():
    """A part that was lost: no dump, a reason, and no atlas; the other numbers stay."""
    listed = events()
    gone = next(i for i, e in enumerate(listed) if e["event"] == "fetched_part")
    cut = [event for i, event in enumerate(listed) if i != gone]
    (dump,) = [page for page in pages.of_step(typed(cut), 0) if page.name == "heapdump"]
    assert (dump.data, dump.why) == (None, "the record does not hold it whole")
    assert atlas.of_step(typed(cut), 0) is None
    found = numbers(cut).numbers
    assert "atlas.joined_share" not in found
    assert found["smaps.total.rss"] > 0


def test_pages_of_another_step_are_not_its():
    moved = [{**event, "step": 1} for event in events()]
    assert atlas.of_step(typed(moved), 0) is None
    assert atlas.of_step(typed(moved), 1) is not None
    assert [page.name for page in pages.of_step(typed(moved), None)] == [
        page.name for page in pages.of_step(typed(events()), 0)
    ]


def test_the_compact_atlas_is_what_the_numbers_are():
    """Areas add up to smaps, cells to 100 %, sizes and sites to objects; deterministic."""
    found = atlas.of_step(typed(events()), 0)
    assert found == atlas.of_step(typed(events()), 0)
    said = numbers(events(after=False)).numbers
    assert sum(area[4] for area in found["areas"]) == said["smaps.total.rss"]
    assert {area[2] for area in found["areas"]} <= set(maps.CLASSES)
    assert all(98 <= sum(cell) <= 102 for cell in found["arena"]["cells"])
    assert len(found["arena"]["cells"]) <= atlas.CELLS
    cell = found["arena"]["cell"]
    by_cell = [sum(c[i] for c in found["arena"]["cells"]) / 100 * cell for i in range(len(PARTS))]
    for part, size in zip(PARTS, by_cell, strict=True):
        assert size == pytest.approx(said[f"atlas.resident.{part}"], rel=0.2, abs=150_000)
    assert found["kernel"]["page_tables"] > 0
    assert found["sizes"][0][2] == found["sizes"][0][0] * found["sizes"][0][1]
    readers = [row for row in found["sites"] if row[0] == "net/http.newBufioReader"]
    assert readers[0][1] == "net/http.(*conn).serve"
    assert readers[0][3] >= 4096 * CONNECTIONS


def test_files_of_the_kernel_are_no_page_of_metrics():
    """`Pid: 7` and `cache 0` have the form of Prometheus' lines."""
    listed = [*events(), text("memory_stat", "cache 0\nrss 4096\n")]
    assert not [name for name in numbers(listed).numbers if name.startswith("prometheus.")]
    assert atlas.of_step(typed(listed), 0)["kernel"]["anon"] == 4096


def test_the_flame_is_the_profile():
    """Children never hold more than their caller, and the whole is the profile's total."""
    found = atlas.of_step(typed(events()), 0)["flame"]
    assert found["total"] == numbers(events()).numbers["pprof.heap.inuse_bytes"]

    def check(node):
        assert sum(call[1] for call in node[2]) <= node[1]
        for call in node[2]:
            check(call)

    check(found["tree"])
    names = [call[0] for call in found["tree"][2]]
    assert "net/http.(*conn).serve" in names
