"""The events folder of a run: whichever way a trial's events are kept, they are read here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.records.events import decode
from runner.store import files, keeping
from runner.store.columns import SUFFIX, PackedSamples

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runner.records.events import AnyEvent


def trials(folder: Path) -> list[str]:
    """Give the trials that have events, by name."""
    kinds = (keeping.LINES, *keeping.KINDS)
    paths = [path for kind in kinds for path in folder.glob(f"*{kind}")]
    return sorted({keeping.trial_of(path) for path in paths if not path.name.startswith(".")})


def packed(plain: Path) -> bool:
    """Whether the events of a trial, whose file of lines this would be, are packed."""
    stem = plain.name.removesuffix(keeping.LINES)
    return any(plain.with_name(stem + kind).exists() for kind in keeping.KINDS)


def samples(folder: Path, trial: str) -> PackedSamples | None:
    """Give the samples of a trial that are kept by column; None where its events are lines."""
    if (folder / f"{trial}{keeping.LINES}").exists():  # a crash between packing and deleting
        return None
    for suffix in (SUFFIX, f"{SUFFIX}{keeping.RAW}"):
        path = folder / f"{trial}{suffix}"
        if path.exists():
            return PackedSamples(path)
    return None


def iter_events(folder: Path, trial: str) -> Iterator[AnyEvent] | None:
    """Yield the events of a trial in their order; None where there are none."""
    plain = folder / f"{trial}{keeping.LINES}"
    if plain.exists():
        return files.read_lines(plain, decode)
    columns = samples(folder, trial)
    if columns is not None:
        return columns.iter_events()
    for suffix in (".gz", f".gz{keeping.RAW}"):
        path = plain.with_name(plain.name + suffix)
        if path.exists():
            return files.read_lines(path, decode, packed=True)
    return None
