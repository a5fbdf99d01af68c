"""run.json while a run goes on: one line for each thing that is set, and nothing is lost."""

import json
import signal
import subprocess
import sys
import textwrap

import pytest

from runner.errors import RecordError
from runner.host.mask import Mask
from runner.records.manifest import Order, Planned
from runner.store.names import new_run_id
from runner.store.record import RunFolder

AT = 1_795_000_000.0
PLAN = Planned(host="local", treatment={"size": "8MiB"}, repetition=1, attempt=1)


@pytest.fixture
def folder(tmp_path):
    made = RunFolder.create(
        tmp_path, "x", run_id=new_run_id(AT), at=AT, spec_text="", spec={}, manifest={}
    )
    with made:
        yield made


def logs(folder):
    return sorted(path.name for path in folder.path.glob("run.*.jsonl"))


def whole(folder):
    return json.loads((folder.path / "run.json").read_bytes())


def test_a_trial_is_one_line_however_many_were_before_it(folder):
    """300 trials: run.json is not touched, and the last costs what the first did."""
    before = (folder.path / "run.json").stat()
    sizes = []
    for n in range(300):
        folder.add("trials", f"t{n:03}", PLAN)
        sizes.append((folder.path / logs(folder)[0]).stat().st_size)
    after = (folder.path / "run.json").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    grown = [b - a for a, b in zip([0, *sizes], sizes, strict=False)]
    assert len(set(grown)) == 1
    assert list(folder.manifest.trials) == [f"t{n:03}" for n in range(300)]
    assert RunFolder.open(folder.path).manifest == folder.manifest


def test_the_end_of_a_run_folds_the_log_into_run_json(folder):
    """A finished record is one run.json, as it always was."""
    folder.update(order=Order("random", 7), stopped="enough")
    folder.add("trials", "t1", PLAN)
    assert logs(folder) == ["run.1.jsonl"]
    folder.finish("done", at=AT + 9)
    assert logs(folder) == []
    found = whole(folder)
    assert "log" not in found
    assert found["trials"]["t1"]["treatment"] == {"size": "8MiB"}
    assert (found["order"]["seed"], found["stopped"], found["state"]) == (7, "enough", "done")
    assert RunFolder.open(folder.path).manifest == folder.manifest


def test_what_is_set_of_a_finished_run_is_written_whole(folder):
    """`runner report` with new claims: no log is left beside a finished record."""
    folder.finish("done", at=AT + 9)
    folder.update(stopped="later")
    assert logs(folder) == []
    assert whole(folder)["stopped"] == "later"


def test_a_run_that_goes_on_has_a_log_of_its_own(folder):
    """What an earlier part logged is in run.json; its log is gone and counts no more."""
    folder.add("trials", "t1", PLAN)
    folder.close()
    again = RunFolder.open(folder.path)
    again.update(state="running", search=None)
    again.add("trials", "t2", PLAN)
    assert logs(again) == ["run.2.jsonl"]
    assert list(whole(again)["trials"]) == ["t1"]
    assert list(RunFolder.open(folder.path).manifest.trials) == ["t1", "t2"]
    again.close()


def test_a_log_that_run_json_does_not_name_counts_for_nothing(folder):
    """A crash between the new run.json and the removal of its log; the next run part is safe too."""
    folder.add("trials", "t1", PLAN)
    stale = (folder.path / "run.1.jsonl").read_bytes()
    folder.finish("done", at=AT + 9)
    (folder.path / "run.1.jsonl").write_bytes(stale.replace(b"t1", b"t9"))
    assert list(RunFolder.open(folder.path).manifest.trials) == ["t1"]
    again = RunFolder.open(folder.path)
    again.update(state="running")
    assert list(RunFolder.open(folder.path).manifest.trials) == ["t1"]


def test_half_a_line_is_left_out_and_damage_is_named(folder):
    """The torn end of a crash is not there; a bad line before others is said with its place."""
    folder.add("trials", "t1", PLAN)
    folder.close()
    log = folder.path / "run.1.jsonl"
    with log.open("ab") as stream:
        stream.write(b'{"key":"trials","val')
    again = RunFolder.open(folder.path)
    assert list(again.manifest.trials) == ["t1"]
    again.add("trials", "t2", PLAN)
    again.close()
    assert list(RunFolder.open(folder.path).manifest.trials) == ["t1", "t2"]
    log.write_bytes(b"garbage\n" + log.read_bytes())
    with pytest.raises(RecordError, match=r"run\.1\.jsonl:1: "):
        RunFolder.open(folder.path)


def test_a_log_elsewhere_is_refused(folder):
    """A record comes from strangers: the log it names is beside it."""
    found = whole(folder) | {"log": "../../run.json"}
    (folder.path / "run.json").write_text(json.dumps(found))
    with pytest.raises(RecordError, match="cannot name a file"):
        RunFolder.open(folder.path)


def test_a_reader_beside_the_writer_finds_one_or_the_other(folder, monkeypatch):
    """The log is folded after run.json was read: run.json is read once more."""
    from runner.store import manifest_file

    folder.add("trials", "t1", PLAN)
    lines = manifest_file._lines

    def folded(path):
        if folder.state == "running":
            folder.finish("done", at=AT + 9)
        return lines(path)

    monkeypatch.setattr(manifest_file, "_lines", folded)
    found = RunFolder.open(folder.path)
    assert (found.state, list(found.manifest.trials)) == ("done", ["t1"])


def test_secrets_are_masked_in_the_log(folder):
    """As they are in run.json."""
    folder.mask = Mask(["hunter22"])
    folder.update(stopped="the password is hunter22")
    assert b"hunter22" not in (folder.path / "run.1.jsonl").read_bytes()


def test_kill_9_while_trials_are_planned_loses_none(tmp_path):
    """Every trial that was said to be planned is in the record, whenever its writer dies."""
    code = textwrap.dedent(f"""
        from pathlib import Path
        from runner.records.manifest import Planned
        from runner.store.record import RunFolder
        folder = RunFolder.create(Path({str(tmp_path)!r}), "x", run_id="20261118T104640Z-000001",
                                  at=0.0, spec_text="", spec={{}})
        n = 0
        while True:
            folder.add("trials", f"t{{n}}", Planned("local", {{}}, n, 1))
            if n % 7 == 6:
                folder.update(state="running", stopped=str(n))
            print(n, flush=True)
            n += 1
        """)
    writer = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    for line in writer.stdout:
        last = int(line)
        if last > 60:
            break
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    found = RunFolder.open(tmp_path / "x" / "20261118T104640Z-000001").manifest
    assert list(found.trials) == [f"t{n}" for n in range(len(found.trials))]
    assert len(found.trials) > last
