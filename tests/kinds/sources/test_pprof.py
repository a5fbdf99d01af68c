"""Profiles against `go tool pprof`, and against their own encoding."""

from __future__ import annotations

import gzip
import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.kinds.sources import pprof
from runner.kinds.sources.interface import Page, Printed
from runner.toolchain import run_process
from tests.goserver import CONNECTIONS, moment


def tool(tmp_path, data, *argv):
    found = moment("1.22.10")
    path = tmp_path / "profile.pb.gz"
    path.write_bytes(data)
    env = {"HOME": str(tmp_path), "PPROF_TMPDIR": str(tmp_path)}
    ran = run_process([str(found.go.path), "tool", "pprof", *argv, str(path)], env=env)
    assert ran.code == 0, ran.stderr
    return ran.stdout


@pytest.mark.parametrize("name", ["heap", "goroutine"])
def test_types_samples_and_places_are_those_of_raw(tmp_path, name):
    """`pprof -raw`: the same types, as many samples, and every sample's values."""
    data = getattr(moment("1.22.10"), name)
    found = pprof.parse(data)
    raw = tool(tmp_path, data, "-raw")
    head, samples = re.search(r"^Samples:\n(.*)\n((?: .*\n)+)", raw, re.MULTILINE).groups()
    assert [part.split("[")[0] for part in head.split()] == ["/".join(kind) for kind in found.types]
    rows = [tuple(int(value) for value in line.split(":")[0].split())
            for line in samples.splitlines() if re.match(r" *\d+( +\d+)*: ", line)]  # fmt: skip
    # the tool drops samples that are all zero in some versions: compare what is not
    some = [row for row in rows if any(row)]
    assert some == [one.values for one in found.samples if any(one.values)]
    assert len(some) > (50 if name == "heap" else 3)


def test_totals_by_function_are_those_of_top(tmp_path):
    """`pprof -top -nodecount=0 -unit=B`: flat and cumulative bytes of every function."""
    data = moment("1.22.10").heap
    found = pprof.parse(data)
    at = found.index("inuse_space")
    flat, cumulative = Counter(), Counter()
    for sample in found.samples:
        flat[sample.stack[0].function] += sample.values[at]
        for function in {frame.function for frame in sample.stack}:
            cumulative[function] += sample.values[at]
    shown = tool(tmp_path, data, "-top", "-sample_index=inuse_space", "-unit=B",
                 "-nodecount=100000", "-nodefraction=0", "-edgefraction=0")  # fmt: skip
    lines = re.findall(r"^ *(\d+)B? +[\d.]+% +[\d.]+% +(\d+)B? +[\d.]+% +(\S+?)(?: \(inline\))?$",
                       shown, re.MULTILINE)  # fmt: skip
    assert len(lines) > 50
    for own, all_of_it, name in lines:
        assert (flat[name], cumulative[name]) == (int(own), int(all_of_it)), name
    assert found.total("inuse_space") == int(re.search(r"of (\d+)B total", shown)[1])


def test_a_known_allocation_site_is_there():
    """Each connection's 4 KiB read buffer, with the stack from its goroutine on."""
    found = pprof.parse(moment("1.22.10").heap)
    at, count = found.index("inuse_space"), found.index("inuse_objects")
    readers = [sample for sample in found.samples
               if any(frame.function == "net/http.newBufioReader" for frame in sample.stack)]  # fmt: skip
    assert sum(s.values[at] for s in readers if s.values[at] == 4096 * s.values[count]) >= (
        4096 * CONNECTIONS
    )
    for sample in readers:
        assert sample.stack[-1].function == "net/http.(*conn).serve"
        assert all(frame.line > 0 and frame.file.endswith(".go") for frame in sample.stack)


def test_numbers():
    found = moment("1.22.10")
    pages = (Page("heap", None, found.heap), Page("goroutine", None, found.goroutine))
    numbers = pprof.PARSER.parse(Printed(pages=pages)).numbers
    assert numbers["pprof.goroutine.count"] > CONNECTIONS
    assert 0 < numbers["pprof.heap.inuse_bytes"] < numbers["pprof.heap.alloc_bytes"]
    assert numbers["pprof.heap.inuse_objects"] > 0


def varint(value):
    out = bytearray()
    value &= (1 << 64) - 1
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def part(number, body):
    return varint(number << 3 | 2) + varint(len(body)) + body


def encoded(stacks, *, packed):
    """A profile of one type, by the wire format's own rules."""
    names = sorted({name for stack, _ in stacks for name in stack})
    strings = ["", "space", "bytes", *names]
    out = part(1, varint(8) + varint(1) + varint(16) + varint(2))
    for number, name in enumerate(names, 1):
        out += part(4, varint(8) + varint(number)
                    + part(4, varint(8) + varint(number) + varint(16) + varint(7)))  # fmt: skip
        out += part(5, varint(8) + varint(number) + varint(16) + varint(strings.index(name)))
    for stack, value in stacks:
        ids = [names.index(name) + 1 for name in stack]
        if packed:
            body = part(1, b"".join(map(varint, ids))) + part(2, varint(value))
        else:
            body = b"".join(varint(8) + varint(i) for i in ids) + varint(16) + varint(value)
        out += part(2, body)
    return out + b"".join(part(6, text.encode()) for text in strings)


@given(
    st.lists(
        st.tuples(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=6),
                  st.integers(-(2**63), 2**63 - 1)), max_size=8),
    st.booleans(), st.booleans(),
)  # fmt: skip
def test_what_is_encoded_is_read(stacks, packed, zipped):
    data = encoded(stacks, packed=packed)
    found = pprof.parse(gzip.compress(data) if zipped else data)
    assert found.types == (("space", "bytes"),)
    read = [([frame.function for frame in s.stack], s.values[0]) for s in found.samples]
    assert read == [([*stack], value) for stack, value in stacks]
    assert all(frame.line == 7 for sample in found.samples for frame in sample.stack)


@given(st.binary(max_size=300), st.booleans())
def test_anything_is_a_profile_or_a_clean_error(data, zipped):
    try:
        found = pprof.parse(gzip.compress(data) if zipped else data)
    except pprof.ProfileError:
        return
    assert found.types


def test_a_cut_profile_has_its_reason():
    page = Page("heap", None, moment("1.22.10").heap[:-100])
    found = pprof.PARSER.parse(Printed(pages=(page,)))
    assert not found.numbers
    assert "pprof.heap" in found.why
