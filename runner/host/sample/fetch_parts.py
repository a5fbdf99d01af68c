"""Bytes on their way into the spool: deflated as they come, in events of a bounded size.

A heap dump has the size of the heap. It is never held here whole, and the program that
writes it stands still while it does: so the fastest level of deflate.
"""

from __future__ import annotations

import base64
import zlib

from ..digest import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Optional

    from ..emit import Emit
    from ..mask import Mask

LIMIT_BYTES = 64 << 20
PART_BYTES = 48 << 10
LEVEL = 1


class Parts:
    """Emits `fetched_part` events; together they are one zlib stream of what was added."""

    def __init__(
        self, emit: Emit, name: str, step: Optional[int], mask: Optional[Mask] = None
    ) -> None:
        self._mask = mask
        self._back = b""
        """The end of what came, which may be the beginning of a secret."""
        self._emit, self._name, self._step = emit, name, step
        self._pack = zlib.compressobj(LEVEL)
        self._hash = sha256()
        self._held = b""
        self._count = 0
        self.size = 0
        self.cut = False

    def add(self, data: bytes) -> None:
        """Take bytes; what is over the limit is left out, and `done` says so."""
        room = LIMIT_BYTES - self.size
        self.cut = self.cut or len(data) > room
        data = data[:room]
        self.size += len(data)
        if self._mask:
            data = self._mask.data(self._back + data)
            end = max(0, len(data) - self._mask.longest)
            data, self._back = data[:end], data[end:]
        self._take(data)

    def _take(self, data: bytes) -> None:
        self._hash.update(data)
        self._held += self._pack.compress(data)
        while len(self._held) >= PART_BYTES:
            self._send(PART_BYTES)

    def _send(self, size: int) -> None:
        part, self._held = self._held[:size], self._held[size:]
        text = base64.b64encode(part).decode("ascii")
        self._emit(
            "fetched_part", name=self._name, step=self._step, part=self._count, zlib_b64=text
        )
        self._count += 1

    def done(self) -> Dict[str, object]:
        """Send the rest; give what `fetched` says of the whole."""
        self._take(self._back)
        self._held += self._pack.flush()
        while self._held:
            self._send(PART_BYTES)
        fields: Dict[str, object] = {"text": None, "parts": self._count, "bytes": self.size}
        if self.cut:
            fields["why"] = f"cut at {LIMIT_BYTES} bytes"
        return {**fields, "sha256": self._hash.hexdigest()}
