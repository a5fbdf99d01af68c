"""A collection of facts in the making."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Optional


class Facts:
    """Facts by dotted name, and the reason of each that is None."""

    def __init__(self) -> None:
        self.values: Dict[str, object] = {}
        self.absent: Dict[str, str] = {}

    def put(self, name: str, value: object, why: str = "") -> None:
        """Note a fact; None is absent, for the reason `why`. 0, False and "" are values."""
        self.values[name] = value
        if value is None:
            self.absent[name] = why or "not found"

    def lack(self, name: str, why: str) -> None:
        """Note that a fact is absent."""
        self.put(name, None, why)

    @staticmethod
    def data(path: str) -> Optional[bytes]:
        """Read a small binary file; None when that is not possible."""
        try:
            with open(path, "rb") as file:
                return file.read(1 << 20)
        except OSError:
            return None

    @staticmethod
    def text(path: str) -> Optional[str]:
        """Read a small file; None when that is not possible. NUL ends device-tree strings."""
        try:
            with open(path, "rb") as file:
                data = file.read(1 << 20)
        except OSError:
            return None
        return data.decode("utf-8", "replace").rstrip("\0\n")
