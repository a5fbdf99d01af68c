"""All processes of a workload together: CPU time, memory, faults, threads, I/O.

Which they are is asked of the kernel: the children of each, and of this process (a subreaper,
to which orphans come) all but the generator and the helpers of faults. CPU time and faults
of children that have ended are in their parent's (proc(5), fields 11, 13, 16 and 17 of stat).
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, List, Optional, Sequence, Set

# words of /proc/PID/stat behind the command name: own, and those of reaped children
STAT = {
    "minor_faults": (7, 8),
    "major_faults": (9, 10),
    "user": (11, 13),
    "system": (12, 14),
    "threads": (17,),
    "rss_pages": (21,),
}
IO = ("read_bytes", "write_bytes")
PSS = "pss_kb"


def _text(path: str) -> str:
    with open(path, encoding="ascii", errors="replace") as file:
        return file.read()


def children(pid: int) -> List[int]:
    """Give the children of every thread; OSError on a kernel that does not list them."""
    pids: List[int] = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        pids += [int(word) for word in _text(f"/proc/{pid}/task/{thread}/children").split()]
    return pids


def processes(ours: Set[int]) -> List[int]:
    """Give the processes below this one but for `ours` and what is below those."""
    pids: List[int] = []
    nearest = [pid for pid in children(os.getpid()) if pid not in ours]
    while nearest:
        pids += nearest
        following: List[int] = []
        for pid in nearest:
            try:
                following += children(pid)
            except OSError:
                if os.path.exists(f"/proc/{pid}"):
                    raise
        nearest = following
    return pids


def totals(wanted: Sequence[str], ours: Callable[[], Set[int]]) -> List[Optional[int]]:
    """Sum up the wanted numbers over all processes; OSError where they cannot be known."""
    pids = processes(ours())
    sums: Dict[str, int] = dict.fromkeys(wanted, 0)
    seen = 0
    for pid in pids:
        try:
            _add(pid, sums)
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
        seen += 1
    if "processes" in sums:
        sums["processes"] = seen
    if not seen:
        return [None] * len(wanted)
    return [sums[name] for name in wanted]


def _add(pid: int, sums: Dict[str, int]) -> None:
    words = _text(f"/proc/{pid}/stat").rpartition(")")[2].split()
    values = {
        name: sum(int(words[place]) for place in places)
        for name, places in STAT.items()
        if name in sums
    }
    if any(name in sums for name in IO):
        for line in _text(f"/proc/{pid}/io").splitlines():
            name, _, number = line.partition(":")
            if name in sums:
                values[name] = int(number)
    if PSS in sums and words[0] != "Z":
        for line in _text(f"/proc/{pid}/smaps_rollup").splitlines():
            if line.startswith("Pss:"):
                values[PSS] = int(line.split()[1])
                break
    for key, many in values.items():
        sums[key] += many
