"""The spec that a run was made from: found as it was, by its hash."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import RecordError

if TYPE_CHECKING:
    from runner.store.record import RunFolder


def spec_of(folder: RunFolder, near: Path) -> Path | None:
    """Find the spec that a run was made from, as it was: by its path in the repository.

    Looked for above `near` and above the record; None where no file there has the hash that
    run.json names.
    """
    spec = folder.manifest.spec
    path = Path(spec.path)
    if not spec.path or path.is_absolute() or ".." in path.parts:
        return None
    for start in (near.resolve(), folder.path.resolve()):
        for above in (start, *start.parents):
            candidate = above / path
            if candidate.is_file() and _sha256(candidate) == spec.sha256:
                return candidate
    return None


def check_record(folder: RunFolder) -> None:
    """Raise RecordError where the record's own copy of the spec is not the one that was run."""
    own = folder.path / "spec.yaml"
    if not own.is_file() or _sha256(own) != folder.manifest.spec.sha256:
        raise RecordError(
            f"{own} is not the spec that {folder.id} was made from, by its SHA-256",
            fix="take the record as it was published",
        )


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
