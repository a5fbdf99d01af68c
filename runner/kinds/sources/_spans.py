"""What of a heap dump's objects are none: bitmaps and mark bits at the ends of spans.

Since Go 1.22 a span of small objects that may hold pointers ends in its own bitmap
(`heapBitsInSpan`), and since Go 1.26 every span of small ones in mark bits besides;
`dumpobjs` of runtime/heapdump.go walks over both and writes what lies there as objects.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE: Final = 8192
"""runtime.pageSize: the unit of spans, on every architecture."""
MARKS: Final = 128
"""sizeof(spanInlineMarkBits), runtime/mgcmark_greenteagc.go."""
MARKED: Final = 16
"""Smallest object of a span with mark bits of its own."""


def objects(
    listed: Sequence[tuple[int, int, bool]], pointer_bytes: int, go: str
) -> list[tuple[int, int]]:
    """Give address and size of what is an object, by the arithmetic of `mspan.init`.

    `listed` has address, size and whether it may hold pointers. Spans of objects of at
    most a word of pointer bits (512 bytes; 128 on 32 bits) are one page, so that the place
    in the page gives the index. Such a span has a bitmap if its objects may hold pointers,
    and that is so for all of them or for none.
    """
    version = tuple(int(part) for part in re.findall(r"\d+", go)[:2])
    if version < (1, 22):
        return [(address, size) for address, size, _ in listed]
    green = "nogreenteagc" not in go if version >= (1, 26) else "greenteagc" in go
    small = pointer_bytes**2 * 8
    bitmap = PAGE // pointer_bytes // 8

    def beyond(address: int, size: int, *, scanned: bool) -> bool:
        room = PAGE - (MARKS if green and size >= MARKED else 0) - (bitmap if scanned else 0)
        return 0 < size <= small and address % PAGE // size >= room // size

    scanned = {
        address // PAGE
        for address, size, pointers in listed
        if pointers and not beyond(address, size, scanned=True)
    }
    return [
        (address, size)
        for address, size, _ in listed
        if not beyond(address, size, scanned=address // PAGE in scanned)
    ]
