"""Mappings of real and recorded processes, each in its class."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.kinds.sources import atlas, heapdump, maps
from runner.kinds.sources.interface import Page, Printed
from tests.goserver import moment

# as a static Go 1.22 program has them on linux/arm64: text at 64 KiB, the arena at 0x4000000000
ARM64 = """\
00010000-001d0000 r-xp 00000000 b3:02 1234    /home/pi/server
001d0000-003a0000 r--p 001c0000 b3:02 1234    /home/pi/server
003a0000-003c0000 rw-p 00390000 b3:02 1234    /home/pi/server
003c0000-00400000 rw-p 00000000 00:00 0
4000000000-4000400000 rw-p 00000000 00:00 0
4000400000-4004000000 ---p 00000000 00:00 0
7f94310000-7f965f0000 rw-p 00000000 00:00 0
7fb6750000-7fb67b0000 rw-p 00000000 00:00 0
7fb67b0000-7fb67b2000 r--p 00000000 00:00 0   [vvar]
7fb67b2000-7fb67b3000 r-xp 00000000 00:00 0   [vdso]
7fe3c60000-7fe3c81000 rw-p 00000000 00:00 0   [stack]
"""
NAMED = """\
00400000-00600000 r-xp 00000000 fe:00 7       /srv/server
2f0000000000-2f0000400000 rw-p 00000000 00:00 0   [anon: Go: heap]
7f0000000000-7f0000100000 rw-p 00000000 00:00 0   [anon: Go: page summary]
"""


def test_a_program_on_arm64_without_a_dump():
    """The hint of arm64 is enough; bss belongs to data."""
    regions = maps.parse(ARM64)
    assert maps.classes(regions) == (
        "text", "rodata", "data", "data", "arena", "arena", "runtime", "runtime",
        "kernel", "kernel", "stack",
    )  # fmt: skip
    found = maps.PARSER.parse(Printed(pages=(Page("maps", ARM64),)))
    assert found.numbers["maps.count"] == 11
    assert found.numbers["maps.arena.size"] == 64 << 20
    assert found.numbers["maps.brk_heap.size"] == 0


def test_areas_that_the_runtime_names():
    assert maps.classes(maps.parse(NAMED)) == ("text", "arena", "runtime")


@pytest.mark.parametrize(("go", "arch"), [("1.22.10", ""), ("1.26.6", ""), ("1.22.10", "386")])
def test_a_running_server_is_all_of_known_classes(go, arch):
    """A static program: no brk heap, no library; the arena where the dump says it is."""
    found = moment(go, arch)
    dump = heapdump.parse(found.dump)
    regions = maps.parse(found.maps)
    assert len(regions) == len(found.maps.splitlines())
    named = maps.classes(regions, dump.params.arena)
    assert set(named) == {"text", "rodata", "data", "arena", "runtime", "kernel", "stack"}
    for region, name in zip(regions, named, strict=True):
        assert (name in {"text", "rodata"}) <= (region.name == str(found.binary))
        inside = dump.params.arena[0] <= region.start < dump.params.arena[1]
        assert (name == "arena") == inside


def test_a_server_with_libc_keeps_its_heap_in_the_arena_all_the_same():
    """With cgo there are libraries and a brk heap, of C alone: no Go object lies in it."""
    found = moment("1.22.10", cgo=True)
    dump = heapdump.parse(found.dump)
    regions = maps.parse(found.maps)
    named = maps.classes(regions, dump.params.arena)
    assert {"text", "rodata", "data", "arena", "runtime", "library", "brk_heap"} <= set(named)
    libc = {name for r, name in zip(regions, named, strict=True) if "libc.so" in r.name}
    assert libc == {"library"}
    pages = (Page("smaps", found.smaps), Page("dump", None, found.dump))
    numbers = atlas.PARSER.parse(Printed(pages=pages)).numbers
    assert numbers["atlas.joined_share"] == 1
    assert numbers["atlas.brk_heap_share"] == 0


def test_this_dynamic_program_has_libraries_and_a_brk_heap():
    regions = maps.parse(Path("/proc/self/maps").read_text())
    named = maps.classes(regions)
    assert {"text", "library", "brk_heap", "stack", "kernel"} <= set(named)
    libc = [name for r, name in zip(regions, named, strict=True) if "libc" in r.name]
    assert set(libc) == {"library"}


@given(st.text(max_size=200))
def test_any_text_is_read(text):
    regions = maps.parse(text)
    assert len(maps.classes(regions)) == len(regions)
