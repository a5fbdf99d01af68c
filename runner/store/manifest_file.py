"""run.json while a run goes on: what it was when its state changed, and a log of what came since.

    run.json        names its log in `log` while the state is `running`
    run.<n>.jsonl   a line for each key, or entry of a table, that was set since

So a trial of a search costs one line, however many were before it. Whatever ends the run
writes run.json whole, without a log; a log that run.json does not name counts for nothing.
After a crash run.json and its log together say all that was set.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import msgspec

from runner.errors import RecordError
from runner.host.mask import Mask
from runner.records.manifest import Manifest, Written, manifest_of, plain
from runner.store import files
from runner.store.names import safe_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import IO

MANIFEST: Final = "run.json"
LOGS: Final = "run.*.jsonl"
_ATTEMPTS: Final = 10
"""How often a writer may fold its log while one reader looks for it."""
_DECODER: Final = msgspec.json.Decoder(Written)


class ManifestFile:
    """The manifest of one folder, and what is on disk of it."""

    def __init__(self, folder: Path, data: files.Json, streams: dict[str, IO[bytes]]) -> None:
        self.folder = folder
        self.manifest: Manifest = manifest_of(data)
        self.mask = Mask(())
        """What hides the run's secrets in all that is written."""
        # as written: keys of a newer version of runner are kept
        self._data = data
        # who opened this folder closes what is open
        self._streams = streams

    def update(self, values: Mapping[str, object]) -> None:
        """Set keys, at once on disk: as lines of the log, or whole where the state changes."""
        plain_values = {key: plain(value) for key, value in values.items()}
        self._data |= plain_values
        self.manifest = manifest_of(self._data)
        if self.manifest.log and "state" not in values:
            self._append([Written(key, value) for key, value in plain_values.items()])
        else:
            self.write()

    def add(self, key: str, entry: str, value: object) -> None:
        """Set one entry of a table, at once on disk."""
        line = Written(key, plain(value), entry)
        _set(self._data, line)
        self.manifest = _with(self.manifest, self._data, line)
        if self.manifest.log:
            self._append([line])
        else:
            self.write()

    def write(self) -> None:
        """Write run.json whole; what its log held is in it then."""
        before = self._data.pop("log", None)
        if self._data.get("state") == "running":
            number = int(before.split(".")[1]) + 1 if before else 1
            self._data["log"] = f"run.{number}.jsonl"
        self.manifest = manifest_of(self._data)
        for left in self.folder.glob(LOGS):
            # of a crash within this method: nobody names it now, and nobody may later
            if left.name != before:
                left.unlink(missing_ok=True)
        files.replace_bytes(self.folder / MANIFEST, files.to_json(self.mask.value(self._data)))
        if before:
            if before in self._streams:
                self._streams.pop(before).close()
            (self.folder / before).unlink(missing_ok=True)

    def _append(self, lines: list[Written]) -> None:
        name = self.manifest.log
        path = self.folder / name
        try:
            new = not path.exists()
            stream = self._streams.get(name)
            if stream is None:
                stream = self._streams[name] = files.open_lines(path)
            for line in lines:
                stream.write(files.to_line(self.mask.value(plain(line))))
            stream.flush()
            os.fsync(stream.fileno())
        except OSError as error:
            raise RecordError(
                f"cannot write {path}: {error.strerror or error}",
                fix="free space, or the right to write",
            ) from error
        if new:
            files.sync_folder(self.folder)


def read(folder: Path) -> files.Json:
    """Give what run.json and its log say together; RecordError where they cannot be read."""
    data: files.Json = files.read_json(folder / MANIFEST)
    for _ in range(_ATTEMPTS):
        name = data.get("log") if isinstance(data, dict) else None
        if not isinstance(name, str) or not name:
            break
        lines = _lines(folder / safe_name(name))
        if lines is not None:
            for line in lines:
                _set(data, line)
            break
        # nothing was added yet; or its writer has folded it since run.json was read
        before, data = data, files.read_json(folder / MANIFEST)
        if data == before:
            break
    return data


def _lines(path: Path) -> list[Written] | None:
    """Give the whole lines of a log; None where it is not there."""
    if not path.exists():
        return None
    try:
        return list(files.read_lines(path, _DECODER.decode))
    except RecordError:
        if path.exists():
            raise
        return None


def _set(data: files.Json, line: Written) -> None:
    if line.entry is None:
        data[line.key] = line.value
        return
    table = data.get(line.key)
    if not isinstance(table, dict):
        table = data[line.key] = {}
    table[line.entry] = line.value


def _with(manifest: Manifest, data: files.Json, line: Written) -> Manifest:
    """Give the manifest with one entry more; what is in it already is not read again."""
    table = getattr(manifest, line.key, None)
    if line.entry is None or not isinstance(table, dict):
        return manifest_of(data)
    one = manifest_of({"schema": manifest.schema, line.key: {line.entry: line.value}})
    merged = {**table, **getattr(one, line.key)}
    return msgspec.structs.replace(manifest, **{line.key: merged})
