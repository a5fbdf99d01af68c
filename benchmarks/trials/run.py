"""What `apply` itself spends and writes for each trial of a long search.

The spec, the facts of the host and the events of every trial are those of the committed
record of max-connections-32mb-search; only the host's part is left out: instead of being
run, a trial's recorded events are written into its spool at once. Everything else is what
`apply` does: compile, plan, record, judge, choose the next level.
"""

from __future__ import annotations

import contextlib
import gzip
import re
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.environment import ROOT, publish, verdict

EXPERIMENT = "max-connections-32mb-search"
TRIALS = 300
SEARCHES = 20


class Quiet:
    def __getattr__(self, name):
        return lambda *_: None


def events_by_level(record: Path) -> dict[int, bytes]:
    found = {}
    for path in sorted((record / "events").glob("*.jsonl.gz")):
        found[int(re.search(r"-c(\d+)-", path.name)[1])] = gzip.decompress(path.read_bytes())
    return found


def written() -> int:
    """Bytes that this process has written so far, to files and elsewhere."""
    io = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(io["wchar"])


def searched(root: Path) -> tuple[list[float], list[int], list[int]]:
    """Run the searches; of each trial the seconds and bytes of apply, and run.json's size."""
    from runner.apply import trials
    from runner.apply.host_run import HostRun
    from runner.apply.interface import HostEntry, Loaded
    from runner.apply.schedule import run_all
    from runner.planning.state import StatePlan
    from runner.records.events import decode
    from runner.specfile.load import load_document
    from runner.store.names import new_run_id
    from runner.store.record import RunFolder
    from runner.transports.local import LocalTransport

    (record,) = sorted((ROOT / "reports" / EXPERIMENT).iterdir())[-1:]
    known = events_by_level(record)
    spec = ROOT / "experiments/published/go-under-32mb" / f"{EXPERIMENT}.yaml"
    text = spec.read_text().replace("between: [7, 7]", f"between: [{SEARCHES}, {SEARCHES}]")
    (root / "experiments").mkdir()
    file = root / "experiments" / spec.name
    file.write_text(text)
    read = load_document(file)
    facts = RunFolder.open(record).facts
    host_name, own = next(iter(facts.items()))
    at = 1_795_000_000.0
    folder = RunFolder.create(
        root, EXPERIMENT, run_id=new_run_id(at), at=at, spec_text=text, spec={}, manifest={}
    )
    folder.write_facts(facts)
    loaded = Loaded(read.experiment, text, file, {}, "")
    entry = HostEntry(host_name, LocalTransport(), local=True)
    host = HostRun(
        entry, None, "bench:1", Quiet(), folder.append_change, facts=own, plan=StatePlan()
    )
    host.keep = True
    runner = trials.TrialRunner(loaded, host, folder, Quiet(), None)
    runner.prepare = lambda *_, **__: (read.experiment, None, {})
    runner.generators = lambda *_: {}
    runner.preflight = lambda *_: None
    runner.release = lambda: None

    class EnoughError(Exception):
        pass

    seconds, sizes, manifest = [], [], []
    clock = [time.perf_counter(), written()]
    host_s = [0.0]

    def run_trial(_agent, _program, heard, spool, **_):
        began = time.perf_counter()
        level = int(re.search(r"-c(\d+)-", spool.name)[1])
        raw = known[min(known, key=lambda one: abs(one - level))]
        spool.write_bytes(raw)
        for line in raw.splitlines():
            heard(decode(line))
        host_s[0] = time.perf_counter() - began
        host_s.append(len(raw))

    def ended(_trial):
        now, bytes_ = time.perf_counter(), written()
        seconds.append(now - clock[0] - host_s[0])
        sizes.append(bytes_ - clock[1] - host_s[-1])
        manifest.append((folder.path / "run.json").stat().st_size)
        clock[:] = [time.perf_counter(), written()]
        if len(seconds) == TRIALS:
            raise EnoughError

    reporter = Quiet()
    reporter.trial_ended = ended
    runner.reporter = reporter
    trials.run_trial = run_trial
    with contextlib.suppress(EnoughError):
        run_all([runner])
    began = time.perf_counter()
    again = RunFolder.open(folder.path)
    assert len(again.manifest.trials) == len(seconds), (len(again.manifest.trials), len(seconds))
    opened = time.perf_counter() - began
    return seconds, sizes, manifest, opened


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        seconds, sizes, manifest, opened = searched(Path(name))
    rows = [
        "| trials | ms a trial, median | worst | kB written a trial, median | run.json, kB |",
        "|---|--:|--:|--:|--:|",
    ]
    for low, high in ((1, 50), (51, 100), (101, 200), (201, TRIALS)):
        part = slice(low - 1, min(high, len(seconds)))
        ms = [1e3 * one for one in seconds[part]]
        rows.append(
            f"| {low} to {high} | {statistics.median(ms):.1f} | {max(ms):.1f} "
            f"| {statistics.median(sizes[part]) / 1e3:.1f} | {manifest[part][-1] / 1e3:.1f} |"
        )
    late = statistics.median([1e3 * one for one in seconds[-100:]])
    rows += [
        "",
        f"Opening the record while it runs: {opened * 1e3:.0f} ms.",
        "",
        f"- at most 15 ms of apply a trial at the end of {len(seconds)}: {verdict(late <= 15)} ({late:.1f} ms)",
        f"- nothing rewritten whole for a trial: "
        f"{verdict(statistics.median(sizes[-100:]) < 20e3)} "
        f"({statistics.median(sizes[-100:]) / 1e3:.1f} kB a trial)",
    ]
    publish(
        "trials",
        f"{len(seconds)} trials of a search: what apply adds to each",
        "python -m benchmarks.trials.run",
        "\n".join(rows),
    )


if __name__ == "__main__":
    main()
