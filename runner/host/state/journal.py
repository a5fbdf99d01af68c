"""The journal of prior values: append only, durable before anything is changed.

One JSON object a line. A change: `{"n","run","boot_id","at","cell","prior",
"want","runtime"}`, with a `layer` where it is one treatment's. After a change was
carried out: `{"seal": n, "kept": value}`, what was then read back, which is ours
just as `want` is: the kernel may round,
and a coupled key has no `want`. A change without its seal was cut short, so
nothing is known of the value that is there and it is put back in any case. A
seal needs no fsync of its own for that reason. Before a restore writes, it takes
the seals off again by `{"undo": [n, …]}`: it may be cut short just as well.
Of a secret what we set is kept as a salted hash: the journal outlives the run.
`{"stays": run}` says that what a run declared is to outlast the runs after it, and
`{"done": [n, …]}` that a restore which left such changes in place has undone the others.
"""

from __future__ import annotations

import contextlib
import json
import os
import re

from ..cells import addresses, cells
from ..cells.folders import plain_path
from ..crash_point import tick
from .hidden import hidden, is_hidden, is_value, salt_of
from .state_folder import Refused, sync_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, FrozenSet, List, Mapping, Optional, Sequence, Set, Tuple

    from runner.records.cells import Cell, Line

    Address = Tuple[str, ...]


class Change:
    """One journalled change."""

    def __init__(
        self,
        n: int,
        run: str,
        boot_id: str,
        at: float,
        cell: Cell,
        prior: object,
        want: object,
        *,
        runtime: bool,
        layer: str = "",
    ) -> None:
        self.n, self.run, self.boot_id, self.at = n, run, boot_id, at
        self.cell = cell
        """The cell without `want`."""
        self.prior = prior
        """Value before; None was absent."""
        self.want = want
        """Value asked for; None for absent, and for a coupled key, of which nothing was asked."""
        self.runtime = runtime
        self.layer = layer
        """What it was laid over the base for, and is undone with: `treatment`."""
        self.sealed = False
        self.kept: object = None

    def seal(self, sealed: Mapping[int, object]) -> None:
        """Note what the kernel kept, by the number of the change, where that is known."""
        if self.n in sealed and is_value(self.cell, sealed[self.n]):
            self.sealed, self.kept = True, sealed[self.n]

    def left_as(self, now: object) -> bool:
        """Say whether a value is the one that was read back after the change."""
        if (salt := salt_of(self.kept)) is not None:
            return self.kept == hidden(now, salt)
        return cells.same(self.cell, self.kept, now)

    def asked(self, now: object) -> bool:
        """Say whether a value is the one that was asked for; of a secret that is not known."""
        if "coupled_to" in self.cell or self.want is None or is_hidden(self.want):
            return False
        return cells.equal(self.cell, self.want, now)


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
        """Numbers of lines that cannot be read or undone, and are not the torn end of the file."""
        self.size = size
        """Bytes up to the torn end."""
        self.stays = stays
        """Runs whose changes are left in place by the end of another run."""
        self.next = next_
        """Number of the next change; those of changes that are done are not used again."""


def address(cell: Cell) -> Address:
    """Give what is read and written; the same for two cells of different name."""
    via = str(cell["via"])
    if via == "argv":
        return (via, str(cell.get("name", "")), *map(str, cell["read"]))
    where = cell.get("path")
    return (
        via,
        plain_path(str(where)) if where else str(cell.get("name", "")),
        str(cell.get("attr") or ""),
    )


def kept_as(cell: Cell, value: object) -> object:
    """Give a value of ours as the journal keeps it: of a secret a hash, to compare with."""
    return hidden(value, os.urandom(16).hex()) if cell.get("secret") else value


def read(path: str) -> Journal:
    """Read a journal; a torn end is a change never begun and is left out."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        return Journal()
    except OSError:
        return Journal(damaged=(1,))  # it is not even a file
    *lines, rest = data.split(b"\n")
    lines_read = _Lines()
    damaged: List[int] = []
    for number, line in enumerate(lines, 1):
        entry = _parse(line)
        if entry is None:
            damaged.append(number)
        else:
            lines_read.take(entry)
    size = len(data) - len(rest)
    # a power cut leaves zeros where a line was added that nobody had waited for: no change
    # is made before its line is on the disk, and after whole lines zeros are such an end
    begun = not rest.strip(b"\0") and len(damaged) < len(lines)
    if not begun and not rest.startswith(_BEGINS[: len(rest)]):
        # no line of ours begins so: the end was not cut, somebody wrote over it
        damaged.append(len(lines) + 1)
        size = len(data)
    return lines_read.journal(tuple(damaged), size)


class _Lines:
    """What the readable lines say so far."""

    def __init__(self) -> None:
        self.changes: List[Change] = []
        self.sealed: Dict[int, object] = {}
        self.done: Set[int] = set()
        self.stays: Set[str] = set()

    def take(self, line: Line) -> None:
        """Add one line that is known to be whole."""
        if "undo" in line:
            for n in line["undo"]:
                self.sealed.pop(n, None)
        elif "seal" in line:
            self.sealed[line["seal"]] = line.get("kept")
        elif "stays" in line:
            self.stays.add(line["stays"])
        elif "done" in line:
            self.done.update(line["done"])
        else:
            self.changes.append(_change(line))

    def journal(self, damaged: Tuple[int, ...], size: int) -> Journal:
        """Give all of it, without what is done."""
        for change in self.changes:
            change.seal(self.sealed)
        return Journal(
            changes=tuple(change for change in self.changes if change.n not in self.done),
            damaged=damaged,
            size=size,
            stays=frozenset(self.stays),
            next_=max((change.n for change in self.changes), default=0) + 1,
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
                **({"layer": change.layer} if change.layer else {}),
            }
        )
        for change in changes
    )
    _append(path, (_line({"stays": stays}) if stays else b"") + lines, durable=True)


def done(path: str, numbers: Sequence[int]) -> None:
    """Note that these were undone and verified, where others are left in place."""
    _append(path, _line({"done": list(numbers)}), durable=True)


def seal(path: str, kept: Mapping[int, object]) -> None:
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
    numbered = [name for name in os.listdir(done) if _RETIRED.fullmatch(name)]
    last = max((int(name.partition(".")[0]) for name in numbered), default=0)
    os.rename(path, os.path.join(done, f"{last + 1:08d}.jsonl"))
    tick()
    sync_folder(done)
    sync_folder(folder)
    for name in sorted([*numbered, f"{last + 1:08d}.jsonl"])[:-_KEPT_JOURNALS]:
        os.unlink(os.path.join(done, name))


_KEPT_JOURNALS = 20
_RETIRED = re.compile(r"[0-9]{8}\.jsonl")  # a stray file is left alone


def _append(path: str, lines: bytes, *, durable: bool) -> None:
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except IsADirectoryError:
        fix = "move it away; nothing is changed without a journal"
        raise Refused("bad_program", f"{path} is a folder", fix) from None
    try:
        # behind a torn line a new one would be torn too; what is damaged stays to be seen
        size = read(path).size
        if os.fstat(fd).st_size != size:
            os.ftruncate(fd, size)
            tick()
        elif size and os.pread(fd, 1, size - 1) != b"\n":
            lines = b"\n" + lines
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


def _line(entry: Mapping[str, object]) -> bytes:
    # ASCII: undecodable bytes of a path come back as they were
    return json.dumps(entry, separators=(",", ":")).encode("ascii") + b"\n"


_LINES = ("cell", "seal", "undo", "stays", "done")
_BEGINS = b'{"'


def _parse(line: bytes) -> Optional[Line]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or not any(key in entry for key in _LINES):
        return None
    if "undo" in entry or "done" in entry:
        good = _numbers(entry.get("undo", [])) and _numbers(entry.get("done", []))
    elif "seal" in entry:
        good = isinstance(entry["seal"], int)
    elif "stays" in entry:
        good = isinstance(entry["stays"], str)
    else:
        good = _fault_of_change(entry) is None
    whole: Line = entry  # type: ignore[assignment]  # each key was looked at
    return whole if good else None


def _numbers(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, int) for one in value)


_KINDS = {"n": int, "run": str, "boot_id": str, "at": (int, float), "cell": dict, "runtime": bool}


def _fault_of_change(entry: Mapping[str, object]) -> Optional[str]:
    """Say why a line that can be read cannot be undone; one such line costs its own cell."""
    for key, kind in _KINDS.items():
        if not isinstance(entry.get(key), kind):  # type: ignore[arg-type]
            return f"`{key}` is missing or is not what it has to be"
    if not addresses.is_number(entry["at"]) or "prior" not in entry or "want" not in entry:
        return "what was there before is missing"
    cell: Cell = entry["cell"]  # type: ignore[assignment]  # a mapping, looked at just here
    if not isinstance(cell.get("id"), str):
        return "the cell has no name"
    return addresses.fault_of(cell) or addresses.fault_of_value(cell, entry["prior"])


def _change(line: Line) -> Change:
    return Change(
        n=int(line["n"]),
        run=str(line["run"]),
        boot_id=str(line["boot_id"]),
        at=float(line["at"]),
        cell=line["cell"],
        prior=line["prior"],
        # of a line that is damaged there it is not known: the prior value is what counts
        want=line["want"] if is_value(line["cell"], line["want"]) else None,
        runtime=bool(line["runtime"]),
        layer=str(line.get("layer") or ""),
    )
