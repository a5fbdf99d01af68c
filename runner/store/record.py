"""A run folder: written line by line while the run goes on, readable at every moment.

    <root>/<experiment>/<run-id>/
      run.json             manifest; `state` is running until finish()
      run.<n>.jsonl        what was set since run.json was written; gone after finish()
      spec.yaml            as written
      spec.expanded.json   what was run
      facts.json           facts by host
      changes.jsonl        what was changed and restored
      events/<trial>.jsonl the events as they came; later `.parquet` (long trials, see `columns`)
                           or `.jsonl.gz`, with `.raw` after it if too big for git
      artifacts/           analysis.json, report.md, figures/

`run.json` is replaced whole where the state changes; until the next time, what is set goes
into a log beside it (`manifest_file`). Everything is appended and flushed by the line: after
a crash the manifest says `running`, and every file reads up to its last whole line.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from typing import IO, TYPE_CHECKING, Final, Self

from runner.errors import RecordError
from runner.records.changes import change_of
from runner.records.manifest import SCHEMA, Kept, ManifestError, State, plain
from runner.store import events, files, keeping, manifest_file
from runner.store.columns import LEAST_BYTES, SUFFIX
from runner.store.keeping import ARTIFACTS_BYTES, COMMITTED_BYTES, RAW, RULE
from runner.store.manifest_file import MANIFEST, ManifestFile
from runner.store.names import safe_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

    from runner.host.mask import Mask
    from runner.records.changes import CellChange
    from runner.records.events import AnyEvent
    from runner.records.manifest import Manifest
    from runner.store.columns import PackedSamples
    from runner.store.packing import Packing

PRINTED: Final = "printed"
"""`units` of a record whose metrics say in `unit` what a program prints."""
EVENTS: Final = "events"
CHANGES: Final = "changes.jsonl"
ARTIFACTS: Final = "artifacts"


class RunFolder:
    """One run's folder, to write (create) or to read (open)."""

    def __init__(self, path: Path, data: files.Json) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._streams: dict[str, IO[bytes]] = {}
        self._manifest = ManifestFile(path, data, self._streams)
        # a folder that is dropped unclosed (an error on the way) leaves no file open
        weakref.finalize(self, _close, self._streams)

    # -- begin ---------------------------------------------------------------------------

    @classmethod
    def create(
        cls,
        root: Path,
        experiment: str,
        *,
        run_id: str,
        at: float,
        spec_text: str,
        spec: Mapping[str, object],
        manifest: Mapping[str, object] | None = None,
    ) -> RunFolder:
        """Make a new run's folder with what was asked.

        `at` is the start in unix seconds; `spec` is what is run, after expansion;
        `manifest` adds keys to run.json (spec hash, git, tools, command, …).
        """
        path = root / safe_name(experiment) / safe_name(run_id)
        try:
            path.mkdir(parents=True)
            (path / EVENTS).mkdir()
            (path / ARTIFACTS).mkdir()
        except FileExistsError as error:
            raise RecordError(f"{path} exists", fix="a run is never written twice") from error
        except OSError as error:
            raise RecordError(f"cannot make {path}: {error.strerror or error}") from error
        files.replace_bytes(path / "spec.yaml", spec_text.encode())
        files.replace_bytes(path / "spec.expanded.json", files.to_json(dict(spec)))
        first = {
            "schema": SCHEMA,
            "id": run_id,
            "experiment": experiment,
            "units": PRINTED,
            "state": "running",
            "started_at": at,
            "ended_at": None,
            **{key: plain(value) for key, value in (manifest or {}).items()},
        }
        folder = cls(path, first)
        folder._manifest.write()  # last: a folder without run.json is not a run
        return folder

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Open a run's folder, finished or not."""
        data = manifest_file.read(path)
        try:
            return cls(path, data)
        except ManifestError as error:
            raise RecordError(
                f"{path / MANIFEST} is {error}", fix="it may come from another version of runner"
            ) from error

    # -- write ---------------------------------------------------------------------------

    @property
    def manifest(self) -> Manifest:
        """What run.json says, with all that was set since."""
        return self._manifest.manifest

    @property
    def mask(self) -> Mask:
        """What hides the run's secrets in all that is written here."""
        return self._manifest.mask

    @mask.setter
    def mask(self, mask: Mask) -> None:
        self._manifest.mask = mask

    @property
    def id(self) -> str:
        """The run-id."""
        return self.manifest.id

    @property
    def experiment(self) -> str:
        """Name of the experiment."""
        return self.manifest.experiment

    @property
    def state(self) -> State:
        """One of running, done, failed, interrupted; running, long after: it crashed."""
        return self.manifest.state

    def update(self, **values: object) -> None:
        """Set keys of run.json, at once on disk."""
        with self._lock:
            self._manifest.update(values)

    def add(self, key: str, name: str, value: object) -> None:
        """Set one entry of a table of run.json (`trials`, `generators`), at once on disk.

        Boards that run at once add to the same table.
        """
        with self._lock:
            self._manifest.add(key, name, value)

    def write_facts(self, facts: Mapping[str, object]) -> None:
        """Write the facts of every host, by its name."""
        files.replace_bytes(self.path / "facts.json", files.to_json(self.mask.value(dict(facts))))

    def append_change(self, change: CellChange) -> None:
        """Add one result of converge or restore."""
        self._append(CHANGES, files.to_line(self.mask.value(change.written())))

    def append_line(self, trial: str, line: bytes) -> None:
        """Add one event of a trial exactly as the host sent it; flushed."""
        if not line.endswith(b"\n"):
            line += b"\n"
        self._append(f"{EVENTS}/{safe_name(trial)}.jsonl", line)

    def append_event(self, trial: str, event: Mapping[str, object]) -> None:
        """Add one event of a trial; flushed."""
        self.append_line(trial, files.to_line(dict(event)))

    def offset(self, trial: str) -> int:
        """Bytes of whole lines held of a trial: where to go on in the host's spool.

        Half a line at the end, left by a crash, does not count: the next writer cuts it off.
        """
        name = f"{EVENTS}/{safe_name(trial)}.jsonl"
        if name in self._streams:
            self._streams[name].flush()
        return files.whole_bytes(self.path / name)

    def write_artifact(self, name: str, data: bytes) -> Path:
        """Write `artifacts/<name>`; `name` may hold one folder: figures/memory.svg."""
        parts = [safe_name(part) for part in name.split("/")]
        path = (self.path / ARTIFACTS).joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_bytes() != data:
            files.replace_bytes(path, data)
        return path

    def _append(self, name: str, line: bytes) -> None:
        try:
            if (stream := self._streams.get(name)) is None:
                path = self.path / name
                if events.packed(path):
                    raise RecordError(f"{path} is finished", fix="record a new attempt instead")
                stream = self._streams[name] = files.open_lines(path)
            stream.write(line)
            stream.flush()
        except OSError as error:
            raise RecordError(
                f"cannot write {self.path / name}: {error.strerror or error}",
                fix="free space on the controller; the host's spool still holds the events",
            ) from error

    def pack(self, trial: str, ahead: Packing | None = None) -> None:
        """Make columns of a long trial that has ended; what cannot be stays, as finish() notes."""
        plain = self.path / EVENTS / f"{safe_name(trial)}{keeping.LINES}"
        if plain.exists() and plain.stat().st_size >= LEAST_BYTES:
            if stream := self._streams.pop(f"{EVENTS}/{plain.name}", None):
                stream.close()
            keeping.pack(plain, lines=False, ahead=ahead)
        elif ahead is not None:
            ahead.close()

    def migrate(self) -> list[str]:
        """Pack long trials that are compressed lines; give the names of those that are now."""
        if self.state == "running":
            raise RecordError(
                f"run {self.id} has not ended", fix=f"runner attach {self.id} completes it"
            )
        keeping.unpack_long(self.path / EVENTS)
        # with those that a crash of an earlier migration has left
        asked = sorted(path.stem for path in (self.path / EVENTS).glob(f"*{keeping.LINES}"))
        if asked:
            self.update(events=keeping.keep(self.path, EVENTS, keeping.other_bytes(self.path)))
        return [name for name in asked if SUFFIX in self.manifest.events[name].file]

    def reopen(self, trial: str) -> None:
        """Take a trial that finish() compressed before its end as it was: it outlived the run.

        `offset` then says where to go on. Nothing happens where it is open already.
        """
        plain = self.path / EVENTS / f"{safe_name(trial)}.jsonl"
        for suffix in (".gz", f".gz{RAW}"):
            packed = plain.with_name(plain.name + suffix)
            if packed.exists() and not plain.exists():
                files.unpack(packed, plain)
            packed.unlink(missing_ok=True)
        if trial in self.manifest.events:
            kept = {k: v for k, v in self.manifest.events.items() if k != trial}
            self.update(events=kept, state="running")

    def close(self) -> None:
        """Close all files; the run may go on later."""
        _close(self._streams)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- end -----------------------------------------------------------------------------

    def finish(self, state: State, *, at: float, why: str = "") -> None:
        """Pack the events, choose what git gets, and set the state; safe to repeat."""
        self.close()
        for left in self.path.glob(".*.tmp"):
            left.unlink(missing_ok=True)
        table = keeping.keep(self.path, EVENTS, keeping.other_bytes(self.path))
        self.update(
            state=state,
            ended_at=at,
            why=why,
            kept=Kept(RULE, COMMITTED_BYTES, ARTIFACTS_BYTES),
            events=table,
        )

    # -- read ----------------------------------------------------------------------------

    @property
    def spec_text(self) -> str:
        """The spec as written."""
        try:
            return (self.path / "spec.yaml").read_text(encoding="utf-8")
        except OSError as error:
            raise RecordError(f"cannot read {self.path / 'spec.yaml'}: {error.strerror}") from error

    @property
    def spec(self) -> files.Json:
        """The spec that was run, expanded."""
        return files.read_mapping(self.path / "spec.expanded.json")

    @property
    def facts(self) -> files.Json:
        """Facts by host; empty where the run ended before they were read."""
        path = self.path / "facts.json"
        return files.read_mappings(path) if path.exists() else {}

    @property
    def changes(self) -> list[CellChange]:
        """Results of converge and restore, in order."""
        path = self.path / CHANGES
        return list(files.read_lines(path, change_of)) if path.exists() else []

    def facts_of(self, trial: str) -> Mapping[str, object]:
        """Give the facts of the host of a trial, or of its load; empty where it was not noted."""
        plans = self.manifest.trials
        hosts = {part.id: part.host for plan in plans.values() for part in plan.loads}
        hosts |= {name: plan.host for name, plan in plans.items()}
        return self.facts.get(hosts.get(trial, "")) or {}

    def trials(self) -> list[str]:
        """Trials that have events, by name."""
        return events.trials(self.path / EVENTS)

    def samples(self, trial: str) -> PackedSamples | None:
        """Give the samples of a trial that are kept by column; None where its events are lines."""
        return events.samples(self.path / EVENTS, safe_name(trial))

    def iter_events(self, trial: str) -> Iterator[AnyEvent]:
        """Yield the events of a trial, whichever way they are kept now.

        RecordError where there are none: `.raw` events are not in git, and the
        message says so when the manifest knows of them.
        """
        stream = events.iter_events(self.path / EVENTS, safe_name(trial))
        if stream is not None:
            return stream
        known = self.manifest.events.get(trial)
        if known is not None and not known.committed:
            raise RecordError(
                f"the events of {trial} were left out of git by the size rule "
                f"({known.bytes} bytes, sha256 {known.sha256[:12]}…)",
                fix=f"copy {known.file} from the machine that ran {self.id}",
            )
        raise RecordError(f"run {self.id} has no events of {trial}")


def _close(streams: dict[str, IO[bytes]]) -> None:
    for stream in streams.values():
        with contextlib.suppress(OSError):
            stream.close()
    streams.clear()
