"""Which events of a finished run git gets: packed, the smallest first, within a size."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Final

from runner.errors import RecordError
from runner.records.manifest import EventsFile
from runner.store import columns, files
from runner.store.columns import NotPackedError
from runner.store.packing import Packing

if TYPE_CHECKING:
    from pathlib import Path

RAW: Final = ".raw"
"""Suffix of what stays out of git: `reports/**/*.raw` in .gitignore."""
LINES: Final = ".jsonl"
KINDS: Final = (columns.SUFFIX, f"{columns.SUFFIX}{RAW}", f"{LINES}.gz", f"{LINES}.gz{RAW}")
"""What a finished trial's events end in; where there are several, the first counts."""
COMMITTED_BYTES: Final = 2_000_000
"""Upper bound of a run in git."""
ARTIFACTS_BYTES: Final = 500_000
"""Of that, what is set aside for the report and its figures, written last."""
FIGURES_BYTES: Final = 250_000
"""Set aside for the report and its figures alone, where the analysis is already there."""
RULE: Final = (
    "events/1: packed event files are kept in git from the smallest to the largest (equal "
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
    packed, whys = _pack(folder)
    for path in sorted(packed, key=lambda p: (p.stat().st_size, p.name)):
        size = path.stat().st_size
        trial = trial_of(path)
        private = _has_bytes(path)
        used += 0 if private else size
        inside = used <= COMMITTED_BYTES and not private
        kept = path.with_name(path.name.removesuffix(RAW) + ("" if inside else RAW))
        path.replace(kept)
        why = whys.get(trial, "")
        table[trial] = EventsFile(f"{name}/{kept.name}", size, files.sha256_of(kept), inside, why)
    files.sync_folder(folder)
    return dict(sorted(table.items()))


def other_bytes(run: Path) -> int:
    """Size of what git gets of a run beside its events, with what is still to be written."""
    names = ("spec.yaml", "spec.expanded.json", "facts.json", "changes.jsonl")
    used = sum((run / name).stat().st_size for name in names if (run / name).exists())
    analysis = run / "artifacts" / "analysis.json"
    size = analysis.stat().st_size if analysis.exists() else 0
    # a search of hundreds of trials needs more than the usual reserve
    return used + max(ARTIFACTS_BYTES, size + FIGURES_BYTES)


def _has_bytes(path: Path) -> bool:
    if path.name.removesuffix(RAW).endswith(columns.SUFFIX):
        return False
    with gzip.open(path) as lines:
        return any(line.startswith(b'{"event":"fetched_part"') for line in lines)


def _pack(folder: Path) -> tuple[list[Path], dict[str, str]]:
    """Pack every plain event file; give all packed ones, and why long ones have no columns."""
    for left in folder.glob(".*.tmp"):
        left.unlink(missing_ok=True)
    whys: dict[str, str] = {}
    try:
        for plain in sorted(folder.glob("*.jsonl")):
            why = pack(plain)
            if why:
                whys[trial_of(plain)] = why
    except OSError as error:
        raise RecordError(
            f"cannot compress the events in {folder}: {error.strerror or error}",
            fix="free space; the events are readable as they are",
        ) from error
    return [path for kind in KINDS for path in folder.glob(f"*{kind}")], whys


def pack(plain: Path, *, lines: bool = True, ahead: Packing | None = None) -> str:
    """Pack one file of lines, and remove it then; say why a long one has no columns.

    One that gets no columns is compressed, or without `lines` left as it is.
    `ahead` is what was packed of it while it grew.
    While the lines are there they are what counts: a crash at any point loses nothing.
    """
    why = ""
    stem = plain.name.removesuffix(LINES)
    kept = plain.with_name(stem + columns.SUFFIX)
    if plain.stat().st_size < columns.LEAST_BYTES:
        why = "short"
    else:
        try:
            (ahead or Packing(plain)).finish()
        except NotPackedError as error:
            why = str(error)
    if why and not lines:
        return why
    if why:
        kept = plain.with_name(f"{plain.name}.gz")
        files.pack(plain, kept)
    for kind in KINDS:
        if stem + kind != kept.name:
            plain.with_name(stem + kind).unlink(missing_ok=True)
    files.sync_folder(plain.parent)
    plain.unlink()
    return "" if why == "short" else why


def unpack_long(folder: Path) -> None:
    """Make lines again of compressed events that are long enough for columns."""
    for path in sorted([*folder.glob(f"*{LINES}.gz"), *folder.glob(f"*{LINES}.gz{RAW}")]):
        plain = path.with_name(trial_of(path) + LINES)
        if not plain.exists() and _is_long(path):
            files.unpack(path, plain)


def _is_long(path: Path) -> bool:
    left = columns.LEAST_BYTES
    with gzip.open(path) as stream:
        while left > 0 and (block := stream.read(1 << 20)):
            left -= len(block)
    return left <= 0


def trial_of(path: Path) -> str:
    """Give the trial that an event file is of."""
    name = path.name.removesuffix(RAW).removesuffix(".gz")
    return name.removesuffix(LINES).removesuffix(columns.SUFFIX)
