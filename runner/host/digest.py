"""SHA-256 without OpenSSL: `hashlib` loads it, for 4 MB and 8 ms that a small board feels."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hashlib import sha256
else:
    try:
        from _sha256 import sha256
    except ImportError:
        try:
            from _sha2 import sha256  # Python 3.12 on
        except ImportError:
            from hashlib import sha256

__all__ = ["sha256"]
