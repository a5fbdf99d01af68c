"""A submission: an experiment laid out over boards, its runs named before any is queued.

    <lab>/submissions/<id>/
      submission.json      what was submitted, and the run of each share
      share-<n>/node       the board that began it: it is gone on with there
      share-<n>/lock       flock of the job that runs it: one at a time
      share-<n>/reports/   the record of its run
      share-<n>/job-*.log  what its jobs said

A job that is started twice finds the lock taken, or the run done; one that was forgotten is
queued again, and goes on with the same run.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING

import msgspec

from runner.errors import RecordError
from runner.store.files import replace_bytes
from runner.store.record import RunFolder
from runner.store.runs import runs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER = "submissions"


class Share(msgspec.Struct, frozen=True):
    """What one job runs: some blocks, on one board."""

    number: int
    run: str
    """Id of its run."""
    blocks: tuple[int, ...]
    node: str = ""
    """The board where the spec names one; empty: any that has the features."""


class Submission(msgspec.Struct, frozen=True):
    """submission.json."""

    id: str
    experiment: str
    spec: str
    """Path of the spec."""
    spec_hash: str
    """What is run has to be what was submitted."""
    blocks: int
    constraint: str
    """Features that a board has to have, as `-C` takes them."""
    words: tuple[str, ...]
    """Options that the jobs give to runner: inventory, variables."""
    cwd: str
    shares: tuple[Share, ...]


def place(lab: Path, name: str) -> Path:
    """Give the folder of a submission."""
    return lab / FOLDER / name


def share_folder(lab: Path, name: str, number: int) -> Path:
    """Give the folder of a share."""
    return place(lab, name) / f"share-{number}"


def keep(lab: Path, submission: Submission) -> None:
    """Write a submission, whole, before anything of it is queued."""
    folder = place(lab, submission.id)
    folder.mkdir(parents=True)
    for share in submission.shares:
        share_folder(lab, submission.id, share.number).mkdir()
    replace_bytes(folder / "submission.json", msgspec.json.format(msgspec.json.encode(submission)))


def find(lab: Path, name: str) -> Submission:
    """Read a submission by its id, or by a beginning of it that only one has."""
    known = sorted(path.parent.name for path in (lab / FOLDER).glob("*/submission.json"))
    matching = [one for one in known if one.startswith(name)]
    if len(matching) != 1:
        listing = ", ".join(matching or known[-5:]) or "none"
        what = "is several" if matching else "is none"
        raise RecordError(f"{name} {what} of the submissions: {listing}", fix="runner lab status")
    path = place(lab, matching[0]) / "submission.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=Submission)
    except (OSError, msgspec.MsgspecError) as fault:
        raise RecordError(f"{path} cannot be read: {fault}", fix="submit it anew") from None


def all_of(lab: Path) -> list[Submission]:
    """Read every submission, oldest first."""
    return [
        find(lab, path.parent.name) for path in sorted((lab / FOLDER).glob("*/submission.json"))
    ]


def record_of(lab: Path, submission: Submission, share: Share) -> RunFolder | None:
    """Open the run of a share; None as long as it has not begun."""
    root = share_folder(lab, submission.id, share.number) / "reports"
    paths = [path for path in runs(root) if path.name == share.run]
    return RunFolder.open(paths[0]) if paths else None


@contextlib.contextmanager
def alone(lab: Path, submission: Submission, share: Share) -> Iterator[bool]:
    """Be the only job of a share; says whether we are. The kernel drops it with the process."""
    path = share_folder(lab, submission.id, share.number) / "lock"
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(fd)


def node_of(lab: Path, submission: Submission, share: Share) -> str:
    """Give the board that began a share, or that the spec names; empty where it may be any."""
    path = share_folder(lab, submission.id, share.number) / "node"
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return share.node


def begin_at(lab: Path, submission: Submission, share: Share, node: str) -> None:
    """Note the board that begins a share: its run is of that board from then on."""
    path = share_folder(lab, submission.id, share.number) / "node"
    if not path.exists():
        replace_bytes(path, f"{node}\n".encode())
