"""known_hosts as ssh reads it (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT; hostfile.c).

Names are patterns with `*`, `?` and `!`, or hashed; a line may be marked `@revoked` or
`@cert-authority` (see host_certificate), and end in a comment. A damaged line is passed over.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

REVOKED, AUTHORITY = "@revoked", "@cert-authority"


@dataclass(frozen=True, slots=True)
class KnownKey:
    """One line."""

    file: Path
    line: int
    marker: str
    names: str
    kind: str
    blob: bytes

    @property
    def place(self) -> str:
        """Where it stands."""
        return f"{self.file}:{self.line}"

    def is_of(self, name: str) -> bool:
        """Whether the line names a host."""
        wanted = name.lower()
        if self.names.startswith("|"):
            return _is_hash_of(self.names, wanted)
        named = False
        for pattern in self.names.lower().split(","):
            if _fits(wanted, pattern.removeprefix("!")):
                if pattern.startswith("!"):
                    return False
                named = True
        return named


def known_keys(files: Iterable[Path], name: str) -> list[KnownKey]:
    """Give every line of some files that names a host; a file that is not there has none."""
    return [key for file in files for key in _keys(file) if key.is_of(name)]


def name_of(host: str, port: int) -> str:
    """Give a host's name as known_hosts has it."""
    return host if port == 22 else f"[{host}]:{port}"


def hashed(name: str) -> str:
    """Hash a name, as HashKnownHosts does."""
    salt = os.urandom(20)
    digest = hmac.new(salt, name.lower().encode(), hashlib.sha1).digest()
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


def _keys(file: Path) -> Iterator[KnownKey]:
    try:
        text = file.read_bytes()
    except OSError:
        return
    for number, raw in enumerate(text.split(b"\n"), 1):
        words = raw.decode("utf-8", "replace").split()
        if not words or words[0].startswith("#"):
            continue
        marker = words.pop(0) if words[0].startswith("@") else ""
        if len(words) < 3 or marker not in ("", REVOKED, AUTHORITY):
            continue
        names, kind, encoded = words[:3]
        try:
            blob = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            continue
        if blob[4 : 4 + int.from_bytes(blob[:4], "big")] == kind.encode():
            yield KnownKey(file, number, marker, names, kind, blob)


def _is_hash_of(names: str, wanted: str) -> bool:
    parts = names.split("|")
    if len(parts) != 4 or parts[1] != "1":
        return False
    try:
        salt, digest = (base64.b64decode(part, validate=True) for part in parts[2:])
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(hmac.new(salt, wanted.encode(), hashlib.sha1).digest(), digest)


def _fits(name: str, pattern: str) -> bool:
    # brackets are not a class to ssh, they stand round a host with a port
    return fnmatchcase(name, pattern.replace("[", "[[]"))
