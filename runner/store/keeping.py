"""Which events of a finished run git gets: compressed, the smallest first, within a size."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Final

from runner.errors import RecordError
from runner.records.manifest import EventsFile
from runner.store import files

if TYPE_CHECKING:
    from pathlib import Path

RAW: Final = ".raw"
"""Suffix of what stays out of git: `reports/**/*.raw` in .gitignore."""
COMMITTED_BYTES: Final = 2_000_000
"""Upper bound of a run in git."""
ARTIFACTS_BYTES: Final = 500_000
"""Of that, what is set aside for the report and its figures, written last."""
FIGURES_BYTES: Final = 250_000
"""Set aside for the report and its figures alone, where the analysis is already there."""
RULE: Final = (
    "events/1: compressed event files are kept in git from the smallest to the largest (equal "
    "sizes by name) while the whole run stays within limit_bytes less reserve_bytes for the "
    "report, or more where analysis.json needs it; the others get the suffix .raw, which "
    ".gitignore leaves out, and are named here with size and sha256. So do all with pages that "
    "were fetched as bytes: a heap dump holds whatever its program had in memory. "
    "artifacts/analysis.json "
    "holds what the report is made of"
)


def keep(run: Path, name: str, used: int) -> dict[str, EventsFile]:
    """Compress the event files of the folder `run/name` and apply RULE; safe to repeat.

    `used` counts the bytes of everything else that git gets. Gives the table of
    event files for the manifest.
    """
    folder = run / name
    table: dict[str, EventsFile] = {}
    for path in sorted(_pack(folder), key=lambda p: (p.stat().st_size, p.name)):
        size = path.stat().st_size
        trial = trial_of(path)
        private = _has_bytes(path)
        used += 0 if private else size
        inside = used <= COMMITTED_BYTES and not private
        kept = path.with_name(f"{trial}.jsonl.gz" + ("" if inside else RAW))
        path.replace(kept)
        table[trial] = EventsFile(f"{name}/{kept.name}", size, files.sha256_of(kept), inside)
    files.sync_folder(folder)
    return dict(sorted(table.items()))


def _has_bytes(path: Path) -> bool:
    with gzip.open(path) as lines:
        return any(line.startswith(b'{"event":"fetched_part"') for line in lines)


def _pack(folder: Path) -> list[Path]:
    """Compress every plain event file; give all compressed ones, whatever their suffix."""
    for left in folder.glob(".*.tmp"):
        left.unlink(missing_ok=True)
    try:
        for plain in sorted(folder.glob("*.jsonl")):
            packed = plain.with_name(plain.name + ".gz")
            files.pack(plain, packed)
            packed.with_name(packed.name + RAW).unlink(missing_ok=True)
            files.sync_folder(folder)
            plain.unlink()
    except OSError as error:
        raise RecordError(
            f"cannot compress the events in {folder}: {error.strerror or error}",
            fix="free space; the events are readable as they are",
        ) from error
    return [*folder.glob("*.jsonl.gz"), *folder.glob(f"*.jsonl.gz{RAW}")]


def trial_of(path: Path) -> str:
    """Give the trial that an event file is of."""
    return path.name.removesuffix(RAW).removesuffix(".gz").removesuffix(".jsonl")
