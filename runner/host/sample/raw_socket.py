"""Sockets without the `socket` module, whose enums take half a megabyte beside every trial.

`_socket` is what `socket` is made of, the same in every CPython. Its sockets are no
context managers.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
else:
    import _socket as socket

__all__ = ["socket"]
