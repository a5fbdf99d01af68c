"""The bytes of a file → its text: UTF-8 and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner.specfile.errors import Fault, SpecFaults

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES: Final = 1 << 20
VAULT: Final = "write !secret env:NAME or !secret file:PATH, which is read at the last moment"
"""What to do instead of a text of ansible-vault."""


def read_file(file: Path) -> bytes:
    """Give what a file holds, up to a byte more than `decode` takes: /dev/zero has no end.

    OSError where it cannot be read.
    """
    with file.open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def decode(name: str, raw: bytes, what: str = "a spec") -> str:
    """Give the text of a file; SpecFaults where it is not plain UTF-8."""
    if len(raw) > MAX_BYTES:
        message = f"is too large: {what} has at most {MAX_BYTES} bytes"
        raise SpecFaults(name, [Fault(1, 1, message)])
    if raw.startswith(b"$ANSIBLE_VAULT"):
        raise SpecFaults(name, [Fault(1, 1, f"is encrypted: {VAULT}")])
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise SpecFaults(name, [Fault(1, 1, "is UTF-16: save it as UTF-8")])
    if raw.startswith(b"\xef\xbb\xbf"):
        rest = raw[3:].decode("utf-8", "replace")
        raise SpecFaults(
            name, [Fault(1, 1, "starts with a byte order mark: save it as UTF-8 without BOM")], rest
        )
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as wrong:
        before = raw[: wrong.start].decode("utf-8")
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        message = f"byte 0x{raw[wrong.start]:02x} is not UTF-8: save the file as UTF-8"
        shown = raw.decode("utf-8", "replace")
        raise SpecFaults(name, [Fault(line, column, message)], shown) from None
