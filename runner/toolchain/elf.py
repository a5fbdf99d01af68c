"""The little of ELF that a report needs: section sizes, Go's build id, stripped or not."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_MACHINES = {3: "386", 40: "arm", 62: "amd64", 183: "arm64", 243: "riscv64"}
_NOBITS = 8
_INTERP = 3
# of Elf64_Shdr and Elf32_Shdr: name, type, flags, addr, offset, size
_SHDR = {64: ("IIQQQQ", 64), 32: ("IIIIII", 40)}
_PHDR_SIZE = {64: 56, 32: 32}


@dataclass(frozen=True)
class ElfInfo:
    """Facts of one executable."""

    machine: str
    bits: int
    sections: dict[str, int]
    """Bytes in the file by section; `.bss` and its like count 0 here, see `nobits`."""
    nobits: dict[str, int]
    build_id: str
    """Go's build id, as `go tool buildid` prints it; empty without one."""
    stripped: bool
    dynamic: bool
    """Has an interpreter, so it needs the C library of the host."""


def read_elf(path: Path) -> ElfInfo | None:
    """Read an ELF file; None for a file that is none."""
    try:
        return parse_elf(path.read_bytes())
    except (struct.error, IndexError, ValueError, OverflowError):
        return None


def parse_elf(data: bytes) -> ElfInfo | None:
    """Parse the bytes of an ELF file; None for bytes that are none."""
    if data[:4] != b"\x7fELF":
        return None
    bits = 64 if data[4] == 2 else 32
    order = "<" if data[5] == 1 else ">"
    machine = struct.unpack_from(order + "H", data, 18)[0]
    header = "QQQIHHHHHH" if bits == 64 else "IIIIHHHHHH"
    # entry, phoff, shoff, flags, ehsize, phentsize, phnum, shentsize, shnum, shstrndx
    _, phoff, shoff, _, _, _, phnum, _, shnum, names_at = struct.unpack_from(
        order + header, data, 24
    )
    layout, step = _SHDR[bits]
    rows = [struct.unpack_from(order + layout, data, shoff + i * step) for i in range(shnum)]
    names = _body(data, rows[names_at]) if shnum else b""
    sections: dict[str, int] = {}
    nobits: dict[str, int] = {}
    build_id = ""
    for row in rows[1:]:
        name = names[row[0] : names.index(b"\0", row[0])].decode("ascii", "replace")
        kind, size = row[1], row[5]
        sections[name] = 0 if kind == _NOBITS else size
        if kind == _NOBITS:
            nobits[name] = size
        if name == ".note.go.buildid":
            build_id = _note(_body(data, row), order)
    segments = [
        struct.unpack_from(order + "I", data, phoff + i * _PHDR_SIZE[bits])[0] for i in range(phnum)
    ]
    return ElfInfo(
        machine=_MACHINES.get(machine, str(machine)),
        bits=bits,
        sections=sections,
        nobits=nobits,
        build_id=build_id,
        stripped=".symtab" not in sections,
        dynamic=_INTERP in segments,
    )


def _body(data: bytes, row: tuple[int, ...]) -> bytes:
    return data[row[4] : row[4] + row[5]]


def _note(note: bytes, order: str) -> str:
    # namesz, descsz, type, name padded to 4 bytes ("Go\0\0"), desc
    name_size, text_size, _ = struct.unpack_from(order + "III", note, 0)
    start = 12 + (name_size + 3) // 4 * 4
    return note[start : start + text_size].decode("ascii", "replace")
