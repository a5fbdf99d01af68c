"""The runs under a folder of reports: all of them, the newest, the one that is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.errors import RecordError
from runner.store.manifest_file import MANIFEST
from runner.store.names import RUN_ID, safe_name
from runner.store.record import RunFolder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def runs(root: Path, experiment: str | None = None) -> list[Path]:
    """Folders of the runs under `root`, oldest first."""
    pattern = f"{safe_name(experiment)}/*/{MANIFEST}" if experiment else f"*/*/{MANIFEST}"
    folders = [path.parent for path in root.glob(pattern) if RUN_ID.fullmatch(path.parent.name)]
    return sorted(folders, key=lambda path: (path.name, path.parent.name))


def recent(root: Path, most: int = 50) -> list[RunFolder]:
    """Open the newest runs under `root` that can be read, newest first."""
    folders = []
    for path in reversed(runs(root)):
        try:
            folders.append(RunFolder.open(path))
        except RecordError:
            continue
        if len(folders) == most:
            break
    return folders


def newest(root: Path, experiment: str, *, states: Sequence[str] = ("done",)) -> RunFolder | None:
    """Open the newest run of an experiment in one of `states`; None where there is none."""
    for path in reversed(runs(root, experiment)):
        try:
            folder = RunFolder.open(path)
        except RecordError:
            continue  # a damaged run must not hide the one before it
        if folder.state in states:
            return folder
    return None


def find(root: Path, which: str) -> RunFolder:
    """Open a run by its path, its id, a unique start of its id, or an experiment's name."""
    given = root.__class__(which)
    if (given / MANIFEST).is_file():
        return RunFolder.open(given)
    if given.name == MANIFEST and given.is_file():
        return RunFolder.open(given.parent)
    everything = runs(root)
    matches = [path for path in everything if path.name == which]
    matches = matches or [path for path in everything if which and path.name.startswith(which)]
    matches = matches or [path for path in everything if path.parent.name == which][-1:]
    if len(matches) == 1:
        return RunFolder.open(matches[0])
    if matches:
        names = ", ".join(path.name for path in matches[-5:])
        raise RecordError(
            f"`{which}` fits {len(matches)} runs: {names}", fix="write more of the id"
        )
    last = everything[-1].name if everything else "none yet"
    raise RecordError(
        f"there is no run `{which}` under {root}", fix=f"give a folder or a run-id (newest: {last})"
    )
