"""The journal of prior values: append only, durable before anything is changed.

One JSON object a line. A change: `{"n","run","boot_id","at","cell","prior",
"want","runtime"}`. After a change was carried out: `{"seal": n, "kept": value}`,
what was then read back, which is ours just as `want` is: the kernel may round,
and a coupled key has no `want`. A change without its seal was cut short, so
nothing is known of the value that is there and it is put back in any case. A
seal needs no fsync of its own for that reason. Before a restore writes, it takes
the seals off again by `{"undo": [n, …]}`: it may be cut short just as well.
`{"stays": run}` says that what a run declared is to outlast the runs after it, and
`{"done": [n, …]}` that a restore which left such changes in place has undone the others.
"""

from __future__ import annotations

import contextlib
import json
import os

from ..crash_point import tick
from .state_folder import sync_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Sequence, Set, Tuple

    Address = Tuple[str, ...]


class Change:
    """One journalled change."""

    def __init__(
        self,
        n: int,
        run: str,
        boot_id: str,
        at: float,
        cell: Dict[str, Any],
        prior: Any,
        want: Any,
        *,
        runtime: bool,
    ) -> None:
        self.n, self.run, self.boot_id, self.at = n, run, boot_id, at
        self.cell = cell
        """The cell without `want`."""
        self.prior = prior
        """Value before; None was absent."""
        self.want = want
        """Value asked for; None for absent, and for a coupled key, of which nothing was asked."""
        self.runtime = runtime
        self.sealed = False
        self.kept: Any = None

    def seal(self, sealed: Mapping[int, Any]) -> None:
        """Note what the kernel kept, by the number of the change, where that is known."""
        if self.n in sealed:
            self.sealed, self.kept = True, sealed[self.n]


class Journal:
    """What a journal file says."""

    def __init__(
        self,
        changes: Tuple[Change, ...] = (),
        damaged: Tuple[int, ...] = (),
        size: int = 0,
        stays: FrozenSet[str] = frozenset(),
        next_: int = 1,
    ) -> None:
        self.changes = changes
        self.damaged = damaged
        """Numbers of lines that are unreadable and not the torn end of the file."""
        self.size = size
        """Bytes up to the end of the last whole line."""
        self.stays = stays
        """Runs whose changes are left in place by the end of another run."""
        self.next = next_
        """Number of the next change; those of changes that are done are not used again."""


def address(cell: Mapping[str, Any]) -> Address:
    """Give what is read and written; the same for two cells of different name."""
    via = str(cell["via"])
    if via == "argv":
        return (via, str(cell.get("name", "")), *map(str, cell["read"]))
    return (via, str(cell.get("path") or cell.get("name", "")), str(cell.get("attr") or ""))


def read(path: str) -> Journal:
    """Read a journal; a torn end is a change never begun and is left out."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        return Journal()
    changes: List[Change] = []
    bad: List[int] = []
    sealed: Dict[int, Any] = {}
    done: Set[int] = set()
    stays: Set[str] = set()
    size = at = whole = 0
    for number, line in enumerate(data.split(b"\n")[:-1], 1):
        at += len(line) + 1
        said = _parse(line)
        if said is None:
            bad.append(number)
            continue
        # what comes whole after it shows that a bad line is no torn end
        size = at
        if "undo" in said:
            for n in said["undo"]:
                sealed.pop(n, None)
        elif "seal" in said:
            sealed[said["seal"]] = said.get("kept")
        elif "stays" in said:
            stays.add(said["stays"])
        elif "done" in said:
            done.update(said["done"])
        else:
            changes.append(_change(said))
        whole = len(bad)
    for change in changes:
        change.seal(sealed)
    return Journal(
        changes=tuple(change for change in changes if change.n not in done),
        damaged=tuple(bad[:whole]),
        size=size,
        stays=frozenset(stays),
        next_=max((change.n for change in changes), default=0) + 1,
    )


def append(path: str, changes: Sequence[Change], stays: Optional[str] = None) -> None:
    """Make prior values durable: one write, one fsync of the file, one of its folder.

    `stays` is the run of these changes, where it is to be left in place. OSError
    leaves the journal as it was.
    """
    lines = b"".join(
        _line(
            {
                "n": change.n,
                "run": change.run,
                "boot_id": change.boot_id,
                "at": change.at,
                "cell": change.cell,
                "prior": change.prior,
                "want": change.want,
                "runtime": change.runtime,
            }
        )
        for change in changes
    )
    _append(path, (_line({"stays": stays}) if stays else b"") + lines, durable=True)


def done(path: str, numbers: Sequence[int]) -> None:
    """Note that these were undone and verified, where others are left in place."""
    _append(path, _line({"done": list(numbers)}), durable=True)


def seal(path: str, kept: Mapping[int, Any]) -> None:
    """Note what was read back after each change; nothing where the disk is full."""
    lines = b"".join(_line({"seal": n, "kept": value}) for n, value in kept.items())
    with contextlib.suppress(OSError):
        _append(path, lines, durable=False)


def unseal(path: str, numbers: Sequence[int]) -> None:
    """Note that these are about to be undone; where the disk is full, they are undone anyway."""
    with contextlib.suppress(OSError):
        _append(path, _line({"undo": list(numbers)}), durable=True)


def retire(path: str) -> None:
    """Put a journal away that was undone; the last few are kept to look at."""
    if not os.path.exists(path):
        return
    folder = os.path.dirname(path)
    done = os.path.join(folder, "journal.done")
    os.makedirs(done, mode=0o700, exist_ok=True)
    last = max((int(name.split(".")[0]) for name in os.listdir(done)), default=0)
    os.rename(path, os.path.join(done, f"{last + 1:08d}.jsonl"))
    tick()
    sync_folder(done)
    sync_folder(folder)
    for name in sorted(os.listdir(done))[:-_KEPT_JOURNALS]:
        os.unlink(os.path.join(done, name))


_KEPT_JOURNALS = 20


def _append(path: str, lines: bytes, *, durable: bool) -> None:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        # behind a torn line a new one would be torn too
        size = read(path).size
        if os.fstat(fd).st_size != size:
            os.ftruncate(fd, size)
            tick()
        try:
            os.lseek(fd, 0, os.SEEK_END)
            half = len(lines) // 2
            for part in (lines[:half], lines[half:]):  # two, so that tests tear a line
                rest = memoryview(part)
                while rest:
                    rest = rest[os.write(fd, rest) :]
                tick()
            if durable:
                os.fsync(fd)
                tick()
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(fd, size)
            raise
    finally:
        os.close(fd)
    if durable:
        sync_folder(os.path.dirname(path))
        tick()


def _line(said: Mapping[str, Any]) -> bytes:
    # ASCII: undecodable bytes of a path come back as they were
    return json.dumps(said, separators=(",", ":")).encode("ascii") + b"\n"


_LINES = ("cell", "seal", "undo", "stays", "done")


def _parse(line: bytes) -> Optional[Dict[str, Any]]:
    try:
        said = json.loads(line)
    except ValueError:
        return None
    if not isinstance(said, dict) or not any(key in said for key in _LINES):
        return None
    return said


def _change(said: Mapping[str, Any]) -> Change:
    return Change(
        n=int(said["n"]),
        run=str(said["run"]),
        boot_id=str(said["boot_id"]),
        at=float(said["at"]),
        cell=dict(said["cell"]),
        prior=said["prior"],
        want=said["want"],
        runtime=bool(said["runtime"]),
    )
