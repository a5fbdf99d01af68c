"""Packing goes ahead while lines come: the same numbers as of the lines, whenever it was done."""

import io
import json
from dataclasses import astuple

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.analysis.trial import frames
from runner.records.events import decode
from runner.records.trial_events import Sample
from runner.store import files, packing, parquet
from runner.store.columns import NotPackedError, PackedSamples
from runner.store.packing import Packing

AT = 1_795_000_000.0
NUMBERS = (
    st.none()
    | st.integers(-(2**63), 2**64 - 1)
    | st.integers(-5, 5)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([2**53 - 1, 2**53, -(2**53), 2**53 + 1, -0.0, 5e-324, 1.7976931348623157e308])
)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """A row group is of some rows."""
    monkeypatch.setattr(packing, "GROUP", 8)


def spool(rows, *, at=True, names=("a", "b", "c\"'x")):
    """The lines of a trial with those samples, other events between them."""
    yield {"event": "trial_started", "at": AT, "t": 0.0, "monotonic": 1.0}
    yield {"event": "columns", "at": AT, "t": 0.0, "names": list(names)}
    for n, row in enumerate(rows):
        if n % 5 == 0:
            yield {"event": "output", "at": AT, "t": n / 10, "stream": "stdout", "text": f"{n}\n"}
        stamp = {"at": round(AT + n / 10, 6)} if at else {}
        yield {"event": "sample", **stamp, "t": n / 10 + 1e-4, "v": list(row)}
    yield {"event": "end", "at": AT, "t": 99.0, "ok": True}


def lines(events) -> list[bytes]:
    return [files.to_line(event) for event in events]


def packed(path, given_lines, *, ahead: bool):
    """Pack lines as they are written, or once all are there."""
    path.unlink(missing_ok=True)
    made = Packing(path)
    with path.open("ab", buffering=0) as stream:
        for line in given_lines:
            stream.write(line)
            if ahead:
                made.heard(decode(line))
    made.finish()
    assert sorted(p.name for p in path.parent.iterdir()) == sorted(
        [path.name, path.with_suffix(".parquet").name]
    )
    return PackedSamples(path.with_suffix(".parquet"))


def doubled(event):
    """A sample with the doubles that every reader makes of its numbers."""
    if isinstance(event, Sample):
        return event.t, event.at, [None if v is None else float(v) for v in event.v]
    return event


def same(samples, given_lines) -> None:
    """Events in their order, and columns to the bit, are those of the lines."""
    before = [decode(line) for line in given_lines]
    assert list(map(doubled, samples.iter_events())) == list(map(doubled, before))
    one, other = frames.read_packed(samples), frames.read(before)
    assert one.events == other.events
    np.testing.assert_array_equal(one.frame.t, other.frame.t)
    assert sorted(one.frame.columns) == sorted(other.frame.columns)
    for name, column in other.frame.columns.items():
        np.testing.assert_array_equal(one.frame.columns[name], column)
    t = other.frame.t
    same_numbers(one.frame, other.frame)
    if len(t):
        for ends in ((t[0], t[-1] - 0.05), (t[len(t) // 3], t[-(-2 * len(t) // 3) - 1])):
            same_numbers(one.frame.window(*ends), other.frame.window(*ends))
        same_numbers(one.frame.head(len(t) // 2), other.frame.head(len(t) // 2))


def same_numbers(one, other) -> None:
    """What is read of many columns at once is what is read of each, before and after it."""
    names = [*other.columns, "no.such"]
    one.keep(names)
    found = dict(one.each(names))
    assert found.keys() == dict(other.each(names)).keys()
    for name, numbers in other.each(names):
        np.testing.assert_array_equal(found[name], numbers)
        np.testing.assert_array_equal(one.values(name), numbers)
        with np.errstate(over="ignore", invalid="ignore"):
            rose = [astuple(frame.rise(name)) for frame in (one, other)]
        np.testing.assert_array_equal(*np.array(rose, dtype=np.float64))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=40), at=st.booleans()
)
def test_any_numbers_come_back_packed_ahead_or_not(tmp_path, rows, at):
    """Nulls, integers beyond 64 bits of a double, fractions: whatever changes its type half-way."""
    given_lines = lines(spool(rows, at=at))
    for ahead in (True, False):
        same(packed(tmp_path / "t1.jsonl", given_lines, ahead=ahead), given_lines)


def test_a_column_that_is_whole_for_a_while_is_of_one_type(tmp_path):
    """The row groups before are written again; others see one plain file with all its groups."""
    rows = [(n, 0 if n < 30 else n / 7, None) for n in range(50)]
    given_lines = lines(spool(rows))
    same(packed(tmp_path / "t1.jsonl", given_lines, ahead=True), given_lines)
    found = pq.ParquetFile(tmp_path / "t1.parquet")
    assert found.metadata.num_row_groups == 7
    assert found.metadata.num_rows == 50
    assert found.schema_arrow.field("a").type == "int64"
    assert found.schema_arrow.field("b").type == "double"
    assert found.read().column("b").to_pylist() == [row[1] for row in rows]
    assert json.loads(found.metadata.metadata[b"runner.before"])[:3] == [0, 0, 0]


def test_half_a_line_waits_for_its_other_half(tmp_path):
    """What is read ahead ends with the last whole line."""
    path = tmp_path / "t1.jsonl"
    given_lines = lines(spool([(n, n, n) for n in range(20)]))
    whole = b"".join(given_lines)
    made = Packing(path)
    with path.open("ab", buffering=0) as stream:
        for low in range(0, len(whole), 37):
            stream.write(whole[low : low + 37])
            for _ in range(8):
                made.heard(decode(given_lines[3]))
    made.finish()
    same(PackedSamples(tmp_path / "t1.parquet"), given_lines)


def test_what_was_packed_ahead_and_is_gone_is_packed_again(tmp_path):
    """As by the end of another run in the folder, which clears what a crash would leave."""
    path = tmp_path / "t1.jsonl"
    given_lines = lines(spool([(n, n, n) for n in range(20)]))
    path.write_bytes(b"".join(given_lines))
    made = Packing(path)
    for line in given_lines:
        made.heard(decode(line))
    left = list(tmp_path.glob(".*.tmp"))
    assert left
    for one in left:
        one.unlink()
    made.finish()
    same(PackedSamples(tmp_path / "t1.parquet"), given_lines)


def test_a_fault_ahead_does_not_disturb_the_trial(tmp_path):
    """The reason is said at its end, and nothing but the lines is left."""
    path = tmp_path / "t1.jsonl"
    given_lines = lines(spool([(n, n, n) for n in range(20)]))
    given_lines[10:10] = lines([{"event": "columns", "names": ["b"]}])
    path.write_bytes(b"".join(given_lines))
    made = Packing(path)
    for line in given_lines:
        made.heard(decode(line))
    assert [one.name for one in tmp_path.iterdir()] == ["t1.jsonl"]
    with pytest.raises(NotPackedError, match="its columns change"):
        made.finish()
    assert [one.name for one in tmp_path.iterdir()] == ["t1.jsonl"]


@pytest.mark.parametrize("cut", [1, 9])
def test_a_cut_last_line_stays_lines(tmp_path, cut):
    """Without its end a trial has not ended."""
    path = tmp_path / "t1.jsonl"
    whole = b"".join(lines(spool([(1, 2, 3)] * 20)))
    path.write_bytes(whole[: -cut - 1])
    with pytest.raises(NotPackedError, match="a line is not an event"):
        Packing(path).finish()
    assert path.read_bytes() == whole[: -cut - 1]


VALUES = st.deferred(
    lambda: st.builds(lambda n: parquet.Value(parquet.I64, n), st.integers(-(2**63), 2**63 - 1))
    | st.builds(lambda n: parquet.Value(parquet.I16, n), st.integers(-(2**15), 2**15 - 1))
    | st.builds(lambda b: parquet.Value(parquet.BINARY, b), st.binary(max_size=300))
    | st.builds(lambda b: parquet.Value(parquet.TRUE if b else parquet.FALSE, b), st.booleans())
    | st.builds(lambda b: parquet.Value(parquet.DOUBLE, b), st.binary(min_size=8, max_size=8))
    | st.builds(lambda f: parquet.Value(parquet.STRUCT, f), STRUCTS)
    | st.builds(lambda fs: parquet.Value(parquet.LIST, fs, parquet.STRUCT), st.lists(STRUCTS, max_size=20))
    | st.builds(lambda ns: parquet.Value(parquet.LIST, ns, parquet.I32), st.lists(st.integers(-9, 9)))
)  # fmt: skip
STRUCTS = st.dictionaries(st.integers(1, 200), VALUES, max_size=4)


@given(STRUCTS)
def test_a_footer_is_written_as_it_was_read(fields):
    """Also of fields that no version of today has."""
    data = parquet.written(fields)
    stream = io.BytesIO(parquet.MAGIC + data + len(data).to_bytes(4, "little") + parquet.MAGIC)
    assert parquet.footer(stream) == (fields, 4)


def test_the_footer_of_another_writer_is_understood(tmp_path):
    """Byte by byte that of pyarrow; files of pyarrow are joined as well."""
    import pyarrow as pa

    parts = []
    for n in range(3):
        parts.append(tmp_path / f"{n}.parquet")
        pq.write_table(pa.table({"x": [n, None, 7], "s": ["a", "b", str(n)]}), parts[-1],
                       write_page_index=True)  # fmt: skip
        with parts[-1].open("rb") as stream:
            fields, end = parquet.footer(stream)
        assert parts[-1].read_bytes()[end:-8] == parquet.written(fields)
    with (tmp_path / "all.parquet").open("wb") as out:
        parquet.join(parts, out, {"π": "1"})
    expected = [(0, "a"), (None, "b"), (7, "0"), (1, "a"), (None, "b"), (7, "1"), (2, "a"),
                (None, "b"), (7, "2")]  # fmt: skip
    with duckdb.connect() as con:
        found = con.execute(f"SELECT x, s FROM '{tmp_path}/all.parquet'").fetchall()
        assert found == expected
        filtered = f"SELECT x FROM '{tmp_path}/all.parquet' WHERE s = '2'"
        assert con.execute(filtered).fetchall() == [(7,)]
    table = pq.read_table(tmp_path / "all.parquet")
    assert list(zip(*table.to_pydict().values(), strict=True)) == expected
    assert table.schema.metadata is None or b"ARROW:schema" not in table.schema.metadata
    assert pq.ParquetFile(tmp_path / "all.parquet").metadata.metadata == {"π".encode(): b"1"}


@pytest.mark.parametrize("data", [b"", b"PAR1", b"x" * 40, b"PAR1" + b"\xff" * 4 + b"PAR1"])
def test_what_is_not_a_whole_parquet_file_is_refused(data):
    """Whatever is cut."""
    with pytest.raises(parquet.FooterError):
        parquet.footer(io.BytesIO(data))


def test_files_of_two_schemas_are_not_joined(tmp_path):
    """Their columns would be taken for each other's."""
    import pyarrow as pa

    parts = [tmp_path / "1.parquet", tmp_path / "2.parquet"]
    pq.write_table(pa.table({"x": [1]}), parts[0])
    pq.write_table(pa.table({"x": [1.5]}), parts[1])
    with pytest.raises(parquet.FooterError, match="not of one schema"):
        parquet.join(parts, io.BytesIO(), {})


def test_rows_of_many_groups_that_a_filter_leaves_stay_in_their_order(tmp_path, monkeypatch):
    """Columns of a slow source beside those of a fast one, of a step in the middle."""
    monkeypatch.setattr(packing, "GROUP", 40_960)
    count = 100_000
    names = ("fast", *(f"slow{n}" for n in range(6)))

    def spool():
        yield {"event": "trial_started", "at": AT, "t": 0.0, "monotonic": 1.0}
        yield {"event": "columns", "at": AT, "t": 0.0, "names": list(names)}
        for n in range(count):
            slow = [None if n % 10 else n + i for i in range(6)]
            yield {"event": "sample", "at": AT + n / 10, "t": n / 10, "v": [n, *slow]}
        yield {"event": "end", "at": AT, "t": count / 10, "ok": True}

    samples = packed(tmp_path / "t1.jsonl", lines(spool()), ahead=False)
    for low in range(0, count, 12_340):
        for high in (low + 30_000, low + 63_210, count):
            found = dict(samples.values(names, low, min(high, count)))
            np.testing.assert_array_equal(found["fast"], np.arange(float(low), min(high, count)))
            for i in range(6):
                expected = np.arange(float(low), min(high, count), 10) + i
                np.testing.assert_array_equal(found[f"slow{i}"], expected)
