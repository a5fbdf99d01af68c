"""A run folder is readable at every moment, and its bytes depend on its content alone."""

import gzip
import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import RecordError
from runner.store import files, keeping, names
from runner.store.names import new_run_id
from runner.store.record import RunFolder
from runner.store.runs import find, newest, runs
from tests.events import typed

AT = 1_795_000_000.0


def make(root, suffix="000001", at=AT, experiment="quickstart"):
    return RunFolder.create(
        root,
        experiment,
        run_id=new_run_id(at, suffix),
        at=at,
        spec_text="schema: experiment/1\n",
        spec={"schema": "experiment/1"},
        manifest={"git": {"commit": "abc"}},
    )


def test_run_id_is_utc_start_and_six_hex_digits():
    """Ids sort by start, whatever the machine's time zone."""
    assert new_run_id(AT, "00beef") == "20261118T110640Z-00beef"
    assert names.RUN_ID.fullmatch(new_run_id(AT))


def test_new_run_is_readable_at_once(tmp_path):
    """What was asked is on disk before anything runs, and the state says so."""
    folder = make(tmp_path)
    again = RunFolder.open(folder.path)
    assert again.state == "running"
    assert again.spec == {"schema": "experiment/1"}
    assert again.spec_text == "schema: experiment/1\n"
    assert again.facts == {}
    assert again.changes == []
    assert again.trials() == []
    assert again.manifest.git.commit == "abc"


def test_run_is_never_written_twice(tmp_path):
    """A second run of the same id is refused."""
    make(tmp_path)
    with pytest.raises(RecordError, match="exists"):
        make(tmp_path)


def test_events_come_back_plain_and_compressed(tmp_path):
    """iter_events gives the same before and after finish()."""
    folder = make(tmp_path)
    events = [{"event": "sample", "t": i / 10, "v": [i, None]} for i in range(50)]
    for event in events:
        folder.append_event("t-r1-a1", event)
    assert list(RunFolder.open(folder.path).iter_events("t-r1-a1")) == typed(events)
    folder.finish("done", at=AT + 60)
    assert not (folder.path / "events/t-r1-a1.jsonl").exists()
    assert list(RunFolder.open(folder.path).iter_events("t-r1-a1")) == typed(events)
    assert RunFolder.open(folder.path).trials() == ["t-r1-a1"]


def test_a_line_is_kept_as_the_host_sent_it(tmp_path):
    """The offset in the host's spool is the number of bytes held."""
    folder = make(tmp_path)
    line = b'{"event": "ready",  "after_s": 0.10}\n'
    folder.append_line("t1", line)
    assert (folder.path / "events/t1.jsonl").read_bytes() == line
    assert folder.offset("t1") == len(line)


@pytest.mark.parametrize("tail", [b'{"event":"sam', b'{"event"', b"\xff\xfe", b"1", b"{}x"])
def test_torn_last_line_is_left_out(tmp_path, tail):
    """Half a line at the end is not an event; the next line is put in its place."""
    folder = make(tmp_path)
    folder.append_event("t1", {"event": "ready", "after_s": 0.0})
    whole = folder.offset("t1")
    folder.close()
    with (folder.path / "events/t1.jsonl").open("ab") as stream:
        stream.write(tail)
    again = RunFolder.open(folder.path)
    assert list(again.iter_events("t1")) == typed([{"event": "ready", "after_s": 0.0}])
    assert again.offset("t1") == whole
    again.append_event("t1", {"event": "end", "ok": True})
    assert [e.kind for e in again.iter_events("t1")] == ["ready", "end"]


def test_damage_in_the_middle_is_said(tmp_path):
    """A bad line that is not the last is not a crash: file and line are named."""
    folder = make(tmp_path)
    folder.append_line("t1", b'{"event":"ready","after_s":0.0}')
    folder.append_line("t1", b"garbage")
    folder.append_line("t1", b'{"event":"end","ok":true}')
    with pytest.raises(RecordError, match=r"t1\.jsonl:2: JSON is malformed"):
        list(folder.iter_events("t1"))


def test_cut_gzip_gives_what_is_there(tmp_path):
    """A compressed file that was cut (a full disk, a broken copy) reads up to the cut."""
    folder = make(tmp_path)
    for i in range(5000):
        folder.append_event("t1", {"event": "sample", "t": i, "v": [i * 7919 % 104729]})
    folder.finish("done", at=AT)
    path = folder.path / "events/t1.jsonl.gz"
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    found = list(folder.iter_events("t1"))
    assert 0 < len(found) < 5000
    assert [e.t for e in found] == list(range(len(found)))


@given(st.lists(st.dictionaries(st.text(), st.integers() | st.text() | st.none())), st.data())
def test_every_cut_of_a_file_reads_as_a_prefix(tmp_path_factory, events, data):
    """A crash at any byte leaves the events before it."""
    path = tmp_path_factory.mktemp("cut") / "x.jsonl"
    whole = b"".join(files.to_line(event) for event in events)
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    found = list(files.read_lines(path, files.read_object))
    assert found == events[: len(found)]
    assert len(found) >= whole[:cut].count(b"\n")


def test_same_content_same_bytes(tmp_path):
    """Two runs of the same content differ in no compressed byte: no time, no name."""
    packed = []
    for name in ("a", "b"):
        folder = make(tmp_path / name)
        folder.append_event("t1", {"event": "ready", "at": 1.5, "after_s": 0.0})
        folder.finish("done", at=AT)
        packed.append((folder.path / "events/t1.jsonl.gz").read_bytes())
    assert packed[0] == packed[1]
    assert packed[0][4:8] == b"\0\0\0\0"


def test_size_rule_keeps_small_trials_and_names_the_rest(tmp_path):
    """A run in git stays under its limit; what is left out is named with its hash."""
    folder = make(tmp_path)
    for name, size in (("small", 10_000), ("big", 1_000_000), ("huge", 900_000)):
        noise = os.urandom(size // 2).hex()
        folder.append_event(name, {"event": "output", "stream": "stdout", "text": noise})
    folder.append_event("empty", {"event": "end", "ok": True})
    folder.finish("done", at=AT)
    events = RunFolder.open(folder.path).manifest.events
    kept = {name: entry.committed for name, entry in events.items()}
    assert kept == {"small": True, "huge": True, "big": True, "empty": True}
    noise = os.urandom(900_000).hex()
    other = make(tmp_path, "000002")
    for name in ("one", "two"):
        other.append_event(name, {"event": "output", "stream": "stdout", "text": noise})
    other.append_event("small", {"event": "end", "ok": True})
    other.finish("done", at=AT)
    manifest = other.manifest
    assert [n for n, e in manifest.events.items() if not e.committed] == ["two"]
    assert (other.path / "events/two.jsonl.gz.raw").exists()
    assert next(other.iter_events("two")).text == noise
    assert ".raw" in manifest.kept.rule
    seen = sum(
        p.stat().st_size for p in other.path.rglob("*") if p.is_file() and p.suffix != ".raw"
    )
    assert seen + keeping.ARTIFACTS_BYTES <= keeping.COMMITTED_BYTES + 10_000
    # in a clone the raw file is absent, and the message says whose fault that is
    (other.path / "events/two.jsonl.gz.raw").unlink()
    with pytest.raises(RecordError, match="left out of git by the size rule"):
        other.iter_events("two")


def test_finish_may_be_repeated(tmp_path):
    """After a crash within finish, finishing again gives the same folder."""
    folder = make(tmp_path)
    folder.append_event("t1", {"event": "end", "ok": True})
    folder.finish("done", at=AT)
    first = {p.name: p.read_bytes() for p in folder.path.rglob("*") if p.is_file()}
    again = RunFolder.open(folder.path)
    (folder.path / ".run.json.77.tmp").write_text("half")
    again.finish("done", at=AT)
    assert {p.name: p.read_bytes() for p in folder.path.rglob("*") if p.is_file()} == first


def test_crash_between_compressing_and_deleting(tmp_path):
    """Both files there: the plain one counts, and finish ends the work."""
    folder = make(tmp_path)
    folder.append_event("t1", {"event": "ready", "after_s": 0.0})
    folder.append_event("t1", {"event": "end", "ok": True})
    folder.close()
    plain = folder.path / "events/t1.jsonl"
    (folder.path / "events/t1.jsonl.gz").write_bytes(
        gzip.compress(b'{"event":"ready","after_s":0.0}\n', mtime=0)
    )
    assert len(list(folder.iter_events("t1"))) == 2
    folder.finish("done", at=AT)
    assert not plain.exists()
    assert len(list(folder.iter_events("t1"))) == 2


def test_finished_trial_takes_no_more_events(tmp_path):
    """A trial is never written twice under one id."""
    folder = make(tmp_path)
    folder.append_event("t1", {"event": "end", "ok": True})
    folder.finish("done", at=AT)
    with pytest.raises(RecordError, match="finished"):
        folder.append_event("t1", {"event": "ready", "after_s": 0.0})


def test_killed_writer_leaves_a_readable_run(tmp_path):
    """kill -9 in the middle of writing: every event it had reported is there."""
    code = textwrap.dedent(f"""
        from pathlib import Path
        from runner.records.changes import CellChange
        from runner.store.record import RunFolder
        folder = RunFolder.create(Path({str(tmp_path)!r}), "x", run_id="20261118T104640Z-000001",
                                  at=0.0, spec_text="", spec={{}})
        n = 0
        while True:
            folder.append_event("t1", {{"event": "measure_started", "index": n, "pad": "x" * 300}})
            folder.append_change(CellChange(id="sysctl:a", outcome="changed", after=str(n)))
            print(n, flush=True)
            n += 1
        """)
    writer = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    for line in writer.stdout:
        last = int(line)
        if last > 200:
            break
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    folder = find(tmp_path, "x")
    assert folder.state == "running"
    found = [e.index for e in folder.iter_events("t1")]
    assert found == list(range(len(found)))
    assert len(found) > last
    assert len(folder.changes) >= last


def test_failed_write_keeps_the_old_manifest(tmp_path, monkeypatch):
    """A full disk while run.json is replaced leaves the one before, and no rubbish."""
    folder = make(tmp_path)
    before = (folder.path / "run.json").read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(RecordError, match="No space left"):
        folder.update(state="done")
    assert (folder.path / "run.json").read_bytes() == before
    assert not list(folder.path.glob(".*"))


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "x\0", "x\n", "a\\b", "x" * 300])
def test_names_stay_inside_the_folder(tmp_path, name):
    """Names come from specs: none can point out of the folder."""
    folder = make(tmp_path)
    with pytest.raises(RecordError, match="cannot name a file"):
        folder.append_event(name, {"event": "idle_started"})
    if name == "a/b":
        return
    with pytest.raises(RecordError, match="cannot name a file"):
        folder.write_artifact(f"figures/{name}", b"")


def test_find_and_newest(tmp_path):
    """By path, id, start of an id, and experiment; the newest of a state."""
    first, second = make(tmp_path, "00000a"), make(tmp_path, "00000b", AT + 5)
    other = make(tmp_path, "00000c", AT + 9, "other")
    first.finish("done", at=AT)
    second.finish("failed", at=AT)
    assert [p.name for p in runs(tmp_path)] == [first.id, second.id, other.id]
    assert find(tmp_path, str(first.path)).id == first.id
    assert find(tmp_path, str(first.path / "run.json")).id == first.id
    assert find(tmp_path, second.id).id == second.id
    assert find(tmp_path, other.id[:-1]).id == other.id
    assert find(tmp_path, "quickstart").id == second.id
    with pytest.raises(RecordError, match="fits 3 runs"):
        find(tmp_path, "2026")
    with pytest.raises(RecordError, match="no run `nope`"):
        find(tmp_path, "nope")
    assert newest(tmp_path, "quickstart").id == first.id
    assert newest(tmp_path, "quickstart", states=("failed", "done")).id == second.id
    assert newest(tmp_path, "absent") is None
    (first.path / "run.json").write_text("{")
    assert newest(tmp_path, "quickstart") is None
    with pytest.raises(RecordError, match="not JSON"):
        find(tmp_path, first.id)


def test_foreign_manifest_is_refused(tmp_path):
    """A manifest of another schema is not half understood."""
    folder = make(tmp_path)
    data = json.loads((folder.path / "run.json").read_text())
    (folder.path / "run.json").write_text(json.dumps(data | {"schema": "run/9"}))
    with pytest.raises(RecordError, match="run/1"):
        RunFolder.open(folder.path)


def test_artifact_is_not_rewritten_when_equal(tmp_path):
    """Rebuilding a report of the same record touches nothing."""
    folder = make(tmp_path)
    path = folder.write_artifact("figures/a.svg", b"<svg/>")
    os.utime(path, (1, 1))
    folder.write_artifact("figures/a.svg", b"<svg/>")
    assert path.stat().st_mtime == 1


def test_unwritable_root_is_one_clear_error(tmp_path):
    """A file where the folder should be: no traceback."""
    (tmp_path / "quickstart").write_text("")
    with pytest.raises(RecordError, match="cannot make"):
        make(tmp_path)


def test_full_disk_while_compressing_loses_nothing(tmp_path, monkeypatch):
    """finish() fails, the events are readable, and finishing later works."""
    folder = make(tmp_path)
    folder.append_event("t1", {"event": "end", "ok": True})

    def full(source, target):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(files, "pack", full)
        with pytest.raises(RecordError, match="No space left"):
            folder.finish("done", at=AT)
    assert folder.state == "running"
    assert list(folder.iter_events("t1")) == typed([{"event": "end", "ok": True}])
    folder.finish("done", at=AT)
    assert folder.state == "done"


def test_full_disk_while_appending_is_said(tmp_path, monkeypatch):
    """The message names the file, and where the events still are."""
    folder = make(tmp_path)

    def full(path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "open_lines", full)
    with pytest.raises(RecordError, match=r"t1\.jsonl: No space left"):
        folder.append_event("t1", {"event": "idle_started"})


def test_large_analysis_leaves_less_for_events(tmp_path):
    """What analysis.json needs beyond the usual reserve is taken from the raw events."""
    folder = make(tmp_path)
    folder.write_artifact("analysis.json", b"x" * 900_000)
    folder.append_event(
        "t1", {"event": "output", "stream": "stdout", "text": os.urandom(500_000).hex()}
    )
    folder.append_event(
        "t2", {"event": "output", "stream": "stdout", "text": os.urandom(500_000).hex()}
    )
    folder.finish("done", at=AT)
    assert [entry.committed for entry in folder.manifest.events.values()].count(True) == 1


def test_trial_that_outlived_its_run_goes_on(tmp_path):
    """Compressed by an interrupted run, opened again by `attach`: not a byte is lost or doubled."""
    folder = make(tmp_path)
    folder.append_event("t1", {"event": "measure_started", "index": 1})
    folder.append_event("t2", {"event": "measure_started", "index": 1})
    before = folder.offset("t1")
    folder.finish("interrupted", at=AT)
    again = RunFolder.open(folder.path)
    again.reopen("t1")
    again.reopen("t1")
    assert again.offset("t1") == before
    assert again.state == "running"
    again.append_event("t1", {"event": "measure_started", "index": 2})
    again.finish("done", at=AT + 9)
    assert [e.index for e in again.iter_events("t1")] == [1, 2]
    assert sorted(again.manifest.events) == ["t1", "t2"]
    (folder.path / "events/t2.jsonl.gz").write_bytes(b"\x1f\x8b damaged")
    with pytest.raises(RecordError, match="cannot decompress"):
        again.reopen("t2")
    assert (folder.path / "events/t2.jsonl.gz").exists()


def test_events_with_fetched_bytes_stay_out_of_git(tmp_path):
    """A heap dump holds whatever its program had in memory, so size is not what decides."""
    folder = make(tmp_path)
    for trial, kind in (("a-r1-a1", "fetched_part"), ("b-r1-a1", "fetched")):
        folder.append_line(trial, b'{"event":"%s","name":"x"}\n' % kind.encode())
    folder.finish("done", at=AT + 1)
    table = RunFolder.open(folder.path).manifest.events
    assert {trial: row.committed for trial, row in table.items()} == {
        "a-r1-a1": False, "b-r1-a1": True,
    }  # fmt: skip
    assert table["a-r1-a1"].file.endswith(".jsonl.gz.raw")


@pytest.mark.parametrize(
    "text", ["null", "[]", "3", '{"local": [1]}', '{"local": null}', "[" * 9999]
)
def test_facts_that_are_none_are_one_clear_error(tmp_path, text):
    folder = make(tmp_path)
    (folder.path / "facts.json").write_text(text)
    with pytest.raises(RecordError, match=r"facts\.json"):
        assert folder.facts
