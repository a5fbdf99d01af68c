"""Samples by column: the same events come back, and a crash while packing loses none."""

import gzip
import json
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import duckdb
import numpy as np
import pytest

from runner.analysis.judge import reading_of
from runner.analysis.trial import frames
from runner.errors import RecordError
from runner.records.events import decode
from runner.store import columns, files
from runner.store.names import new_run_id
from runner.store.record import RunFolder

AT = 1_795_000_000.0
NAMES = ("procfs.rss", "cgroup.limit", 'load\'avg "1"', "never")


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Trials of some hundreds of samples are long ones here."""
    monkeypatch.setattr(columns, "LEAST_BYTES", 1000)
    monkeypatch.setattr("runner.store.record.LEAST_BYTES", 1000)


def make(root: Path, suffix: str = "000001") -> RunFolder:
    return RunFolder.create(
        root, "x", run_id=new_run_id(AT, suffix), at=AT, spec_text="", spec={}, manifest={}
    )


def lines(samples=500, *, end=True, columns=NAMES):
    """A trial with samples between other events, as a host sends it."""
    yield {"event": "trial_started", "at": AT, "t": 0.0, "monotonic": 1.0}
    yield {"event": "columns", "at": AT, "t": 0.0, "names": list(columns)}
    for n in range(samples):
        if n == samples // 2:
            yield {"event": "step_started", "at": AT, "t": n / 10, "index": 0, "name": "π"}
            yield {"event": "measure_started", "at": AT, "t": n / 10, "index": 0}
        row = [4096 * n, 9223372036854771712, n / 7 if n % 3 else None, None]
        yield {"event": "sample", "at": round(AT + n / 10, 6), "t": n / 10 + 1e-4,
               "v": row[: len(columns)]}  # fmt: skip
    yield {"event": "output", "at": AT, "t": 99.0, "stream": "stdout", "text": 'it\'s "done"\n'}
    if end:
        yield {"event": "end", "at": AT, "t": 99.0, "ok": True}


def record(folder: RunFolder, events, trial="t1") -> bytes:
    whole = b"".join(files.to_line(event) for event in events)
    (folder.path / "events" / f"{trial}.jsonl").write_bytes(whole)
    return whole


def events_of(whole: bytes):
    return [decode(line) for line in whole.splitlines()]


def kept(folder: RunFolder) -> list[str]:
    return sorted(path.name for path in (folder.path / "events").iterdir())


def same(one, other) -> None:
    """Two readings of a trial: the same events, and the same numbers to the bit."""
    assert one.events == other.events
    np.testing.assert_array_equal(one.frame.t, other.frame.t)
    assert sorted(one.frame.columns) == sorted(other.frame.columns)
    for name, column in other.frame.columns.items():
        np.testing.assert_array_equal(one.frame.columns[name], column)
    for span in ((10.0, 20.0), (0.0, 1e9), (49.95, 50.0), (3e3, 4e3)):
        part, whole = one.frame.window(*span), other.frame.window(*span)
        np.testing.assert_array_equal(part.t, whole.t)
        for name in other.frame.columns:
            np.testing.assert_array_equal(part.values(name), whole.values(name))


def test_every_event_comes_back_in_its_order(tmp_path):
    """What iter_events gives of the Parquet file is what it gave of the lines."""
    folder = make(tmp_path)
    whole = record(folder, lines())
    before = list(folder.iter_events("t1"))
    assert before == events_of(whole)
    folder.finish("done", at=AT)
    assert kept(folder) == ["t1.parquet"]
    assert list(RunFolder.open(folder.path).iter_events("t1")) == before
    assert RunFolder.open(folder.path).trials() == ["t1"]
    entry = folder.manifest.events["t1"]
    assert (entry.file, entry.committed, entry.why) == ("events/t1.parquet", True, "")


def test_a_reading_of_columns_is_that_of_lines(tmp_path):
    """Steps, windows and the derived clock: to the bit, also where rows go back in time."""
    for suffix, swapped in (("000001", False), ("000002", True)):
        folder = make(tmp_path, suffix)
        events = list(lines())
        if swapped:
            events[40], events[41] = events[41], events[40]
        whole = record(folder, events)
        folder.pack("t1")
        assert kept(folder) == ["t1.parquet"]
        if not swapped:
            same(reading_of(folder, "t1"), frames.read(events_of(whole)))
        np.testing.assert_array_equal(
            reading_of(folder, "t1").frame.columns["procfs.rss"],
            frames.read(events_of(whole)).frame.columns["procfs.rss"],
        )


def test_whole_numbers_are_delta_coded_integers(tmp_path):
    """Typed columns: BIGINT where every number is whole, DOUBLE else; others see plain Parquet."""
    folder = make(tmp_path)
    record(folder, lines(5000))
    folder.pack("t1")
    path = folder.path / "events/t1.parquet"
    with duckdb.connect() as con:
        types = {row[0]: row[1] for row in con.sql(f"DESCRIBE SELECT * FROM '{path}'").fetchall()}
        assert types["procfs.rss"] == "BIGINT"
        assert types["t"] == types['load\'avg "1"'] == "DOUBLE"
        found = con.sql(
            f"SELECT path_in_schema, encodings, compression FROM parquet_metadata('{path}')"
        ).fetchall()
    assert {row[0]: row[1] for row in found}["procfs.rss"] == "DELTA_BINARY_PACKED"
    assert {row[2] for row in found} == {"ZSTD"}


@pytest.mark.parametrize(
    ("events", "why"),
    [
        (lambda: lines(end=False), "it has not ended"),
        (lambda: [*list(lines())[:300], {"event": "columns", "names": ["b"]}, *list(lines())[300:]],
         "its columns change"),
        (lambda: lines(columns=("a", "A", "b")), "two of its columns have one name"),
        (lambda: lines(columns=("a", "file_row_number", "b")), "two of its columns have one name"),
        (lambda: [e if i != 200 else {**e, "v": [1]} for i, e in enumerate(lines())],
         "a sample lacks a value for a column"),
        (lambda: [*list(lines())[:5],
                  {"event": "fetched_part", "name": "heap", "part": 0, "zlib_b64": "eA=="},
                  *list(lines())[5:]], "pages were fetched as bytes"),
        (lambda: [e for e in lines() if e["event"] != "columns"], "its samples are not in order"),
    ],
)  # fmt: skip
def test_what_does_not_fit_stays_lines_and_says_why(tmp_path, events, why):
    """Not one event is bent to fit."""
    folder = make(tmp_path)
    whole = record(folder, events())
    folder.pack("t1")
    assert kept(folder) == ["t1.jsonl"]
    folder.finish("done", at=AT)
    (name,) = kept(folder)
    assert name.startswith("t1.jsonl.gz")
    assert gzip.decompress((folder.path / "events" / name).read_bytes()) == whole
    assert RunFolder.open(folder.path).manifest.events["t1"].why == why


def test_without_duckdb_the_record_stays_json_and_says_so(tmp_path, monkeypatch):
    """And one that is Parquet already names the package that reads it."""
    folder = make(tmp_path)
    record(folder, lines())
    other = make(tmp_path, "000002")
    record(other, lines())
    other.finish("done", at=AT)
    monkeypatch.setitem(sys.modules, "duckdb", None)
    folder.finish("done", at=AT)
    assert kept(folder) == ["t1.jsonl.gz"]
    assert folder.manifest.events["t1"].why == "DuckDB is not installed"
    assert len(list(folder.iter_events("t1"))) == 506
    with pytest.raises(RecordError, match=r"t1\.parquet is Parquet, and DuckDB is not installed"):
        other.iter_events("t1")


def test_a_short_trial_stays_compressed_lines(tmp_path, monkeypatch):
    """They are smaller so: nothing is said of it."""
    monkeypatch.setattr(columns, "LEAST_BYTES", 4_000_000)
    folder = make(tmp_path)
    record(folder, lines())
    folder.finish("done", at=AT)
    assert kept(folder) == ["t1.jsonl.gz"]
    assert folder.manifest.events["t1"].why == ""


def test_no_more_is_added_to_a_packed_trial(tmp_path):
    """As to a compressed one."""
    folder = make(tmp_path)
    record(folder, lines())
    folder.pack("t1")
    with pytest.raises(RecordError, match="finished"):
        folder.append_event("t1", {"event": "ready", "after_s": 0.0})


def test_a_damaged_file_is_named(tmp_path):
    """Cut, or another file under that name."""
    folder = make(tmp_path)
    record(folder, lines())
    folder.finish("done", at=AT)
    path = folder.path / "events/t1.parquet"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(RecordError, match=r"cannot read .*t1\.parquet"):
        list(folder.iter_events("t1"))


def test_older_records_are_packed_by_migrate(tmp_path, monkeypatch):
    """The long ones; the same events, the same reading; twice is once."""
    folder = make(tmp_path)
    whole = record(folder, lines())
    record(folder, [{"event": "end", "at": AT, "ok": True}], "t2")
    with monkeypatch.context() as before:
        before.setattr(columns, "LEAST_BYTES", 10**9)
        folder.finish("done", at=AT)
    assert kept(folder) == ["t1.jsonl.gz", "t2.jsonl.gz"]
    again = RunFolder.open(folder.path)
    assert again.migrate() == ["t1"]
    assert kept(folder) == ["t1.parquet", "t2.jsonl.gz"]
    assert list(RunFolder.open(folder.path).iter_events("t1")) == events_of(whole)
    assert again.migrate() == []
    found = json.loads((folder.path / "run.json").read_bytes())["events"]
    assert [found[name]["file"] for name in found] == ["events/t1.parquet", "events/t2.jsonl.gz"]


def test_the_command_says_what_was_packed_and_what_stays(tmp_path, capsys, monkeypatch):
    """By its id; bytes before and after; the reason of what stays JSON."""
    from runner.cli import main

    folder = make(tmp_path)
    record(folder, lines(5000))
    record(folder, lines(end=False), "t2")
    with monkeypatch.context() as before:
        before.setattr(columns, "LEAST_BYTES", 10**9)
        folder.finish("done", at=AT)
    assert main(["migrate", folder.id, "--reports", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert f"{folder.id}: 1 trial packed, " in said
    assert "t2 stays JSON: it has not ended" in said
    assert main(["migrate", folder.id, "--reports", str(tmp_path)]) == 0
    assert f"{folder.id}: nothing to pack" in capsys.readouterr().out


def test_a_run_that_goes_on_is_not_migrated(tmp_path):
    """Its lines are its spool."""
    with pytest.raises(RecordError, match="has not ended"):
        make(tmp_path).migrate()


@pytest.mark.parametrize("at", ["replace", "unlink", "fsync"])
def test_killed_while_packing_loses_nothing(tmp_path, at):
    """kill -9 at every rename, removal and sync of packing: the events are all there, always."""
    code = textwrap.dedent(f"""
        import os, pathlib, signal, sys
        from pathlib import Path
        from runner.store import columns, files
        from runner.store.record import RunFolder
        columns.LEAST_BYTES = 1000
        left = int(sys.argv[1])
        def counted(call):
            def dies(*words, **more):
                global left
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return call(*words, **more)
            return dies
        place = os if {at!r} == "fsync" else pathlib.Path
        setattr(place, {at!r}, counted(getattr(place, {at!r})))
        folder = RunFolder.open(Path(sys.argv[2]))
        folder.finish("done", at=1.0)
        """)
    for number in range(1, 30):
        folder = make(tmp_path, f"{number:06x}")
        whole = record(folder, lines())
        folder.close()
        argv = [sys.executable, "-c", code, str(number), str(folder.path)]
        done = subprocess.run(argv, check=False, capture_output=True, text=True)
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        again = RunFolder.open(folder.path)
        assert list(again.iter_events("t1")) == events_of(whole)
        again.finish("done", at=AT)
        assert kept(again) == ["t1.parquet"]
        assert list(again.iter_events("t1")) == events_of(whole)
        if done.returncode == 0:
            break
    assert number > 1
    assert done.returncode == 0


def test_only_what_is_needed_is_read(tmp_path):
    """A column is read when it is asked for, and what is kept of them is bounded."""
    folder = make(tmp_path)
    record(folder, lines())
    folder.pack("t1")
    samples = folder.samples("t1")
    assert samples.column("procfs.rss", 3, 3).size == 0
    assert samples.column("procfs.rss", 3, 5).tolist() == [3 * 4096.0, 4 * 4096.0]
    assert samples.column("procfs.rss", 3, 5) is samples.column("procfs.rss", 3, 5)
    assert "never" in reading_of(folder, "t1").frame.columns


def test_rows_of_many_row_groups_stand_in_their_order(tmp_path):
    """More rows than two groups hold: the first is the first, and the last the last."""
    folder = make(tmp_path)
    record(folder, lines(90_000))
    folder.pack("t1")
    samples = folder.samples("t1")
    assert np.all(np.diff(samples.t) > 0)
    np.testing.assert_array_equal(
        samples.column("procfs.rss", 0, 90_000), 4096.0 * np.arange(90_000)
    )
