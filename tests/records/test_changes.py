"""A line of changes.jsonl is written and read in one place."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.records.changes import CellChange, change_of
from runner.store.files import to_line

ROOT = Path(__file__).parents[2]
values = (
    st.none() | st.text() | st.integers(-(2**53), 2**53) | st.dictionaries(st.text(), st.text())
)


@given(
    values,
    values,
    st.sampled_from(["", "a=b"]),
    st.sampled_from([None, {"id": "x", "via": "file"}]),
)
def test_what_is_written_is_read_back(before, after, treatment, cell):
    one = CellChange(
        phase="treatment", host="h", id="x", outcome="changed", before=before, after=after,
        cell=cell, treatment=treatment,
    )  # fmt: skip
    assert change_of(to_line(one.written())) == one


def test_text_that_is_not_utf8_survives():
    one = CellChange(id="file:/x\udcff", outcome="changed", after="\udcfe")
    assert change_of(to_line(one.written())) == one


def test_lines_of_committed_records_are_read_and_written_as_they_are():
    paths = sorted(ROOT.glob("reports/*/*/changes.jsonl"))
    assert paths
    for path in paths:
        for line in path.read_bytes().splitlines():
            assert change_of(line).written() == json.loads(line), path


@pytest.mark.parametrize(
    "line", [b"[]", b"{", b'{"id": "x"}', b'{"id": "x", "outcome": "odd"}', b"[" * 100_000]
)
def test_what_is_no_change_is_said(line):
    with pytest.raises(ValueError, match="not a change of a host"):
        change_of(line)
