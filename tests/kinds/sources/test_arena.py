"""Objects and frames on pages of any size: nothing is lost, nothing counted twice."""

from __future__ import annotations

import json
from array import array

from hypothesis import given
from hypothesis import strategies as st

from runner.kinds.sources import _arena
from runner.kinds.sources.heapdump import HeapDump, Params
from runner.kinds.sources.maps import Region

START = 0x4000000000
PAGES = st.sampled_from([4096, 16384, 65536])


def dump(objects, frames):
    return HeapDump(
        params=Params(8, (START, START + (64 << 20)), "arm64", "go1.22.10"),
        addresses=array("Q", [a for a, _ in objects]), sizes=array("Q", [s for _, s in objects]),
        frame_addresses=array("Q", [a for a, _ in frames]),
        frame_sizes=array("Q", [s for _, s in frames]), goroutines=0, memstats={}, segments={},
        sites={}, samples={}, left_out=0,
    )  # fmt: skip


@st.composite
def heaps(draw):
    """Go pages, each of objects of one size, of a large object, of frames, or of nothing."""
    objects, frames, at = [], [], START
    for kind in draw(
        st.lists(st.sampled_from(["small", "large", "frames", "free"]), min_size=1, max_size=30)
    ):
        pages = 1
        if kind == "small":
            size = draw(st.sampled_from([16, 512, 1024, 4096]))
            objects += [
                (at + i * size, size)
                for i in sorted(draw(st.sets(st.integers(0, 8192 // size - 1))))
            ]
        elif kind == "large":
            pages = draw(st.integers(2, 5))
            objects.append((at, pages * 8192))
        elif kind == "frames":
            frames.append((at + 8192 - draw(st.integers(1, 8192)), 1))
        at += pages * 8192
    return objects, frames, -(-(at - START) // 65536) * 65536


@given(heaps(), PAGES, st.data())
def test_the_parts_are_the_whole(heap, page, data):
    """By address all of the arena; in memory all of the pages that are; objects in full."""
    objects, frames, size = heap
    there = data.draw(st.lists(st.booleans(), min_size=size // page, max_size=size // page))
    runs, last = [0], False
    for inside in there:
        if inside != last:
            runs.append(0)
            last = inside
        runs[-1] += 1
    resident = _arena.resident(
        json.dumps({"page_bytes": page, "resident": {f"{START:x}": runs}}, separators=(",", ":"))
    )
    regions = [Region(START, START + size, "rw-p", 0, 0, ""),
               Region(START + size, START + (64 << 20), "---p", 0, 0, "")]  # fmt: skip
    found = _arena.join(regions, dump(objects, frames), resident)
    assert sum(found.virtual.values()) == size == found.end - found.start
    assert found.virtual["objects"] == sum(s for _, s in objects)
    assert found.virtual["frames"] == sum(s for _, s in frames)
    assert sum(found.resident.values()) == sum(there) * page
    assert all(found.resident[part] <= found.virtual[part] for part in _arena.PARTS)
    last_one = max((i for i, inside in enumerate(there) if inside), default=None)
    assert found.top == (0 if last_one is None else START + (last_one + 1) * page)
    # asked byte by byte, of objects small enough for that
    held = (
        sum(there[(a + i - START) // page] for a, s in objects if s <= 512 for i in range(0, s, 16))
        * 16
    )
    large = (
        sum(
            1
            for a, s in objects
            if s > 512
            for i in range(0, s, 1024)
            if there[(a + i - START) // page]
        )
        * 1024
    )
    assert found.resident["objects"] == held + large
    assert (
        _arena.within(
            array("Q", [a for a, _ in objects]), array("Q", [s for _, s in objects]), regions[:1]
        )
        == (found.virtual["objects"])
    )


@given(st.text(max_size=60))
def test_any_text_is_pages_or_none(text):
    for said in (text, '{"page_bytes":' + text, '{"page_bytes":4096,"resident":' + text + "}"):
        found = _arena.resident(said)
        assert found is None or len(found.starts) == len(found.ends)


def test_without_an_arena_there_is_nothing():
    assert _arena.join([], dump([], []), None).rows == []
