"""Heap dumps of real Go programs: nothing lost, nothing invented, everything in the arena."""

from __future__ import annotations

from bisect import bisect_right

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.kinds.sources import _spans, heapdump, maps
from runner.kinds.sources.interface import Page, Printed
from tests.goserver import CONNECTIONS, moment

# 1.22 has bitmaps at the ends of spans; 1.26 has mark bits as well, and a random arena;
# a program of 32 bits has other sizes of all that
BUILDS = [("1.22.10", ""), ("1.26.6", ""), ("1.22.10", "386")]
EACH = pytest.mark.parametrize(
    ("go", "arch"), BUILDS, ids=["-".join(filter(None, b)) for b in BUILDS]
)


def parsed(go, arch=""):
    return heapdump.parse(moment(go, arch).dump)


@EACH
def test_objects_are_those_that_memstats_counts(go, arch):
    """After a collection: as many objects as HeapObjects, as many bytes as HeapAlloc, exactly."""
    dump = parsed(go, arch)
    assert dump.params.go == f"go{go}"
    assert len(dump.addresses) == dump.memstats["HeapObjects"] > 1000
    assert dump.object_bytes == dump.memstats["HeapAlloc"]
    assert dump.left_out > 0


@EACH
def test_objects_do_not_overlap_and_lie_in_the_arena(go, arch):
    dump = parsed(go, arch)
    start, end = dump.params.arena
    ends = [a + s for a, s in zip(dump.addresses, dump.sizes, strict=True)]
    assert all(stop <= begin for stop, begin in zip(ends, dump.addresses[1:], strict=False))
    assert start <= dump.addresses[0]
    assert ends[-1] <= end
    if go != "1.26.6" and not arch:
        assert start in maps.HINTS


@EACH
def test_stacks_lie_in_the_arena_between_objects(go, arch):
    """A goroutine a connection; frames in the arena, none over an object, less than StackInuse."""
    dump = parsed(go, arch)
    assert dump.goroutines > CONNECTIONS
    assert 0 < sum(dump.frame_sizes) < dump.memstats["StackInuse"]
    start, end = dump.params.arena
    for at, size in zip(dump.frame_addresses, dump.frame_sizes, strict=True):
        assert start <= at
        assert at + size <= end
        before = bisect_right(dump.addresses, at) - 1
        assert before < 0 or dump.addresses[before] + dump.sizes[before] <= at


@EACH
def test_every_sampled_address_is_in_an_object_and_has_its_stack(go, arch):
    """With memprofilerate=1 nearly every object has one; a connection's read buffer among them."""
    dump = parsed(go, arch)
    assert len(dump.samples) > 0.9 * len(dump.addresses)
    readers = 0
    for address, key in dump.samples.items():
        at = bisect_right(dump.addresses, address) - 1
        assert address < dump.addresses[at] + dump.sizes[at]
        functions = [name for name, _, _ in dump.sites[key].stack]
        readers += "net/http.newBufioReader" in functions and dump.sizes[at] == 4096
    # those who asked for the dump have one, too
    assert CONNECTIONS < readers <= CONNECTIONS + 4


def test_segments_are_the_programs_data_and_bss():
    found = moment("1.22.10")
    dump = heapdump.parse(found.dump)
    regions = maps.parse(found.maps)
    named = maps.classes(regions, dump.params.arena)
    for start, size in dump.segments.values():
        (name,) = {
            name
            for region, name in zip(regions, named, strict=True)
            if region.start <= start < start + size <= region.end
            or region.start <= start < region.end
        }
        assert name == "data"


def test_numbers():
    found = heapdump.PARSER.parse(Printed(pages=(Page("d", None, moment("1.22.10").dump),)))
    assert not found.why
    assert {name.removeprefix("heapdump.") for name in found.numbers} == {*heapdump.PARSER.known}
    assert found.numbers["heapdump.bytes"] == found.numbers["heapdump.memstats.HeapAlloc"]


@given(st.floats(0, 1, exclude_max=True))
def test_a_cut_dump_is_an_error(share):
    data = moment("1.22.10").dump
    with pytest.raises(heapdump.DumpError):
        heapdump.parse(data[: int(len(data) * share)])


@given(st.binary(max_size=400))
def test_anything_is_a_dump_or_a_clean_error(rest):
    try:
        found = heapdump.parse(b"go1.7 heap dump\n" + rest)
    except heapdump.DumpError:
        return
    assert len(found.addresses) == len(found.sizes)


def test_a_cut_dump_has_its_reason_and_its_arena():
    page = Page("dump", None, moment("1.22.10").dump[:5000])
    found = heapdump.PARSER.parse(Printed(pages=(page,)))
    assert found.why == {"heapdump": "dump: the heap dump is cut after 5000 bytes"}
    assert maps.arena_of(Printed(pages=(page,))) == parsed("1.22.10").params.arena


SPANS = st.lists(
    st.tuples(st.sampled_from([8, 16, 48, 112, 512, 576, 1024, 8192]), st.booleans(),
              st.sets(st.integers(0, 1023))), max_size=12)  # fmt: skip


@given(
    SPANS,
    st.sampled_from(
        ["go1.21.0", "go1.22.1", "go1.26.0", "go1.26.0 X:nogreenteagc", "go1.25.1 X:greenteagc"]
    ),
)
def test_what_lies_behind_a_spans_objects_is_none(spans, go):
    """Spans as mspan.init makes them: as many objects as it has room for, the rest is left out."""
    listed, real = [], []
    for number, (size, pointers, taken) in enumerate(spans):
        start = 0xC000000000 + number * 8192
        reserved = 0
        if size <= 512:
            bitmap = go >= "go1.22" and pointers
            marks = size >= 16 and (go == "go1.26.0" or go.endswith(" X:greenteagc"))
            reserved = 128 * (bitmap + marks)
        count = (8192 - reserved) // size
        # at least one object tells that the span may hold pointers
        for index in {0, *(i for i in taken if i < count)}:
            real.append((start + index * size, size))
            listed.append((start + index * size, size, pointers))
        # of the slots behind, the runtime writes what it finds: pointers or none
        listed += [(start + i * size, size, i % 2 == 0) for i in range(count, 8192 // size)]
    assert _spans.objects(sorted(listed), 8, go) == sorted(real)


def test_a_number_has_ten_bytes_at_most():
    """encoding/binary writes no more; more is damage, and is said to be."""
    ten = b"go1.7 heap dump\n\x01" + b"\xff" * 9 + b"\x01\x00\x00\x00"
    assert list(heapdump.parse(ten).addresses) == [2**64 - 1]
    with pytest.raises(heapdump.DumpError, match="more than ten bytes"):
        heapdump.parse(b"go1.7 heap dump\n\x01" + b"\xff" * 30 + b"\x01\x00\x00\x00")
