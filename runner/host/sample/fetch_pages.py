"""`/proc/PID/pagemap`: which pages are in memory, as runs, for every mapping.

The file is as long as the address space; of it is read what `maps` beside it lists.
Source: Documentation/admin-guide/mm/pagemap.rst: bit 63 present, bit 62 swapped. Both
are told to whoever may trace the process; the frame numbers, which are not, are not read.
"""

from __future__ import annotations

import json
import os
import re
from array import array

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List

ENTRY_BYTES = 8
CHUNK_PAGES = 8192
MOST_PAGES = 1 << 20
MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S+) ")
PRESENT = 1 << 63


def read(pagemap: str) -> str:
    """Give JSON: page size, and per begin of a mapping (hex) lengths of its runs of pages.

    Runs take turns: absent first, then present, and so on. Left out are mappings that
    nobody may touch, and those above MOST_PAGES pages. OSError passes through.
    """
    size = os.sysconf("SC_PAGE_SIZE")
    resident = {}
    with open(os.path.join(os.path.dirname(pagemap), "maps"), encoding="utf-8") as file:
        lines = file.readlines()
    fd = os.open(pagemap, os.O_RDONLY | os.O_CLOEXEC)
    try:
        for line in lines:
            match = MAPPING.match(line)
            if match is None or match.group(3).startswith("---"):
                continue
            start, end = int(match.group(1), 16), int(match.group(2), 16)
            # the kernel's own pages lie above what pagemap covers
            if (end - start) // size <= MOST_PAGES and end < 1 << 63:
                resident[match.group(1)] = _runs(fd, start // size, end // size)
    finally:
        os.close(fd)
    return json.dumps({"page_bytes": size, "resident": resident}, separators=(",", ":"))


def _runs(fd: int, page: int, end: int) -> List[int]:
    runs = [0]
    present = False
    while page < end:
        data = os.pread(fd, min(CHUNK_PAGES, end - page) * ENTRY_BYTES, page * ENTRY_BYTES)
        if not data:
            break  # it was unmapped meanwhile
        for entry in array("Q", data):
            if (entry >= PRESENT) != present:
                present = not present
                runs.append(0)
            runs[-1] += 1
        page += len(data) // ENTRY_BYTES
    return runs
