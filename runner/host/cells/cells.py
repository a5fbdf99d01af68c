"""Cells: one address with one value. What is read, compared and written goes through here.

    read(cell) -> value                  OSError, CellError
    write(cell, value)                   one step; OSError, CellError
    put_back(cell, prior)                like write, in the words the kernel takes
    same(cell, prior, now) -> bool       whether the prior value is there again

None stands for absence everywhere; 0 and an empty text are values.
"""

from __future__ import annotations

import errno
import os
import re

from ..crash_point import tick
from ..errors import CellError, reason
from . import files, groups, links, normal_forms, swaps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional, Tuple

    from runner.records.cells import Cell

COMMAND_S = 30.0
_SUBTREE = "cgroup.subtree_control"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def page_bytes() -> int:
    """Give this host's page size, to which the kernel rounds limits."""
    return os.sysconf("SC_PAGE_SIZE")


def read(cell: Cell) -> object:
    """Give the present value; None when the thing is absent."""
    via = cell["via"]
    if via == "pseudo":
        return _read_pseudo(str(cell["path"]))
    if via == "file":
        return files.read(str(cell["path"]))
    if via == "cgroup":
        return groups.read(str(cell["path"]))
    if via == "swap":
        return swaps.read(str(cell["path"]))
    if via == "argv":
        return _read_argv(cell)
    return links.read(str(cell["name"]), str(cell["attr"]))


def write(cell: Cell, value: object) -> None:
    """Bring the cell to a wanted value."""
    via = cell["via"]
    if via == "pseudo":
        _write_pseudo(cell, value)
    elif via == "file":
        files.write(str(cell["path"]), files.state_of(value), _parts(cell)[0])
    elif via == "cgroup":
        groups.write(str(cell["path"]), value)
    elif via == "swap":
        swaps.write(str(cell["path"]), swaps.state_of(value))
    elif via == "argv":
        _write_argv(cell, value)
    else:
        links.write(str(cell["name"]), str(cell["attr"]), value)
    tick()


def put_back(cell: Cell, prior: object) -> None:
    """Write a value that was read, in a form in which it can be written."""
    if cell["via"] == "file":
        files.put_back(str(cell["path"]), files.state_of(prior), _parts(cell))
        tick()
    elif cell["via"] == "pseudo" and prior is None:
        # a kernel file comes and goes with its folder, which is a cell of its own
        return
    else:
        write(cell, normal_forms.plain(str(cell.get("form", "exact")), prior))


def equal(cell: Cell, want: object, have: object) -> bool:
    """Say whether a wanted value is there."""
    via = cell["via"]
    if via == "file":
        return normal_forms.equal("file", want, have)
    if via == "swap":
        return swaps.equal(swaps.state_of(want), swaps.state_of(have))
    if via == "link":
        return links.equal(str(cell["attr"]), want, have)
    return normal_forms.equal(str(cell.get("form", "exact")), want, have, page_bytes())


def same(cell: Cell, prior: object, now: object) -> bool:
    """Say whether the prior value is there again, with nothing left out."""
    if cell["via"] == "file":
        return files.same(files.state_of(prior), files.state_of(now))
    if cell["via"] == "swap":
        return swaps.equal(swaps.state_of(prior), swaps.state_of(now))
    if cell.get("form") == "set" and isinstance(prior, str):
        # a set that was read asks for nothing less and nothing more
        return now is not None and set(prior.split()) == set(str(now).split())
    return bool(prior == now) or equal(cell, prior, now)


def no_way_back(cell: Cell, prior: object) -> Optional[str]:
    """Say why a prior value could not be put back, or None: nothing is changed for good."""
    via = cell["via"]
    if via == "argv" and _argv_for(cell, prior) is None:
        return f"no command of it leads back to {prior!r}, so it is left as it is"
    if via == "file":
        return files.no_way_back(files.state_of(prior))
    return None


def needs_write(cell: Cell) -> bool:
    """Say whether this process may not write the cell though root could."""
    if os.geteuid() == 0:
        return False
    via = cell["via"]
    if via in ("swap", "link"):
        return True
    if via == "argv":
        return False  # it may go through sudo, or ask for nothing
    path = str(cell["path"])
    if via == "pseudo" and os.path.exists(path):
        return not os.access(path, os.W_OK)
    while True:
        path = os.path.dirname(path)
        if os.path.isdir(path):
            return not os.access(path, os.W_OK)


def leftovers(cell: Cell) -> None:
    """Remove what a write of this cell may have left when it was cut short."""
    if cell["via"] == "file":
        files.leftovers(str(cell["path"]), _parts(cell))


def _parts(cell: Cell) -> List[str]:
    """Names of the new files of a write and of its undoing; the journal has them."""
    return [str(part) for part in cell.get("parts") or files.names()]


def _read_pseudo(path: str) -> Optional[str]:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as fault:
        if fault.errno in (errno.ENOENT, errno.ENOTDIR):
            return None
        raise
    try:
        parts: List[bytes] = []
        while True:
            part = os.read(fd, 65536)
            if not part:
                break
            parts.append(part)
    finally:
        os.close(fd)
    text = b"".join(parts).decode("utf-8", "surrogateescape")
    return text.removesuffix("\n")


def _write_pseudo(cell: Cell, value: object) -> None:
    path = str(cell["path"])
    if value is None:
        raise CellError("a kernel file cannot be removed")
    text = str(value)
    if os.path.basename(path) == _SUBTREE:
        # the kernel takes changes here, and shows the sum of them
        text = _subtree(text, _read_pseudo(path) or "")
        if not text:
            return
    # an empty write succeeds and changes nothing; a bare newline empties what can be empty
    data = text.encode("utf-8", "surrogateescape") or b"\n"
    # without O_CREAT: a key that is missing is an error. O_TRUNC as a shell does
    # it, which kernel files do not mind.
    fd = os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
    try:
        # one write(2): procfs must see the value whole
        written = os.write(fd, data)
    finally:
        os.close(fd)
    if written != len(data):
        raise CellError(f"the kernel took {written} of {len(data)} bytes")


def _subtree(want: str, have: str) -> str:
    """Give the changes that lead from the controllers `have` to `want`."""
    words = want.split()
    if words and all(word[0] in "+-" for word in words):
        return " ".join(words)
    there, asked = set(have.split()), set(words)
    return " ".join(
        ["+" + word for word in sorted(asked - there)]
        + ["-" + word for word in sorted(there - asked)]
    )


def _command(argv: List[str], timeout_s: float = COMMAND_S) -> str:
    import subprocess

    env = {**os.environ, "LC_ALL": "C"}
    env["PATH"] = env.get("PATH", "") + ":" + _PATH  # sbin is not on a user's PATH
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_s,
            check=False,
            env=env,
        )
    except FileNotFoundError as fault:
        raise CellError(f"{argv[0]}: not installed") from fault
    except subprocess.TimeoutExpired as fault:
        raise CellError(f"{argv[0]}: no answer within {timeout_s:g} s") from fault
    text = done.stdout.decode("utf-8", "replace")
    if done.returncode:
        message = (done.stderr.decode("utf-8", "replace").strip() or text.strip())[-300:]
        raise CellError(f"{' '.join(argv)}: exit {done.returncode}: {message}")
    return text


def _read_argv(cell: Cell) -> Optional[str]:
    text = _command([str(word) for word in cell["read"]])
    match = re.search(str(cell.get("parse") or r"\A(.*?)\s*\Z"), text, re.DOTALL | re.MULTILINE)
    return match.group(1) if match else None


def _argv_for(cell: Cell, value: object) -> Optional[List[str]]:
    ways = cell.get("write")
    if isinstance(ways, dict):
        argv = ways.get("null" if value is None else str(value))
        return None if argv is None else [str(word) for word in argv]
    if not ways or value is None:
        return None
    return [str(word).replace("{value}", str(value)) for word in ways]


def _write_argv(cell: Cell, value: object) -> None:
    argv = _argv_for(cell, value)
    if argv is None:
        raise CellError(f"no command of it sets {value!r}")
    _command(argv, float(cell.get("timeout_s") or COMMAND_S))  # apt takes minutes


def try_read(cell: Cell) -> Tuple[object, Optional[str]]:
    """Read; give the value, and what went wrong as text."""
    try:
        return read(cell), None
    except (OSError, CellError, ValueError) as fault:
        return None, reason(fault)
