"""What is known of a build: its file, its sections, and what the compiler said with `-m`.

`build.moved_to_heap.buf` is how often a variable of that name was moved to the heap.
Source: `go build -gcflags=-m` of Go 1.22; ELF sections by their name without the dot.
"""

from __future__ import annotations

from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING

from runner.kinds.sources.interface import OF_BUILD, Found, Number, Printed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.kinds.sources.interface import Needs


def escapes(stderr: str) -> dict[str, Number]:
    """Count what `go build -gcflags=-m` said: escapes and inlined calls."""
    lines: Sequence[str] = stderr.splitlines()
    moved = Counter(line.rsplit(maxsplit=1)[-1] for line in lines if "moved to heap: " in line)
    return {
        **{f"build.moved_to_heap.{name}": count for name, count in moved.items()},
        "build.escapes": sum(
            "escapes to heap" in line or "moved to heap" in line for line in lines
        ),
        "build.inlined": sum("inlining call to" in line for line in lines),
        "build.can_inline": sum("can inline" in line for line in lines),
    }


class Build:
    """Numbers of the built program; known before any host is touched."""

    name = "build"
    needs: Needs = OF_BUILD
    doc = "file size, build id, seconds, ELF sections, escape analysis of `-m`"
    known = MappingProxyType({
        "size": "B", "id": "1", "sha256": "1", "seconds": "s", "stripped": "1", "dynamic": "1",
        "toolchain": "1", "escapes": "1", "inlined": "1", "can_inline": "1",
    })  # fmt: skip
    open: tuple[str, ...] = ("",)  # sections of the ELF file

    def unit(self, name: str) -> str | None:
        """Give B for a section of the ELF file; a variable moved to the heap is counted."""
        return "1" if name.startswith("moved_to_heap.") else "B"

    def parse(self, printed: Printed) -> Found:
        """Nothing: the toolchain gives its numbers, not the workload."""
        del printed
        return Found()


PARSER = Build()
