"""What every transport offers: start one process on the host, carry its bytes.

A transport knows nothing of the agent. It starts an argv, hands over stdin,
gives stdout back line by line, and says how the process ended, or that the link
was lost before it did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from runner.errors import HostUnreachable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runner.transports.bounds import Bounds

STDERR_TAIL_BYTES: Final = 65536
GRACE_S: Final = 5.0


class LinkLost(HostUnreachable):
    """The link broke while a process ran; the process may be running still."""


class Channel(Protocol):
    """One running process on the host."""

    def write(self, data: bytes) -> None:
        """Send all of `data` to stdin.

        Raises OSError when nobody reads any more: read on, for the process has
        said why on stderr or by its exit code.
        """

    def close_stdin(self) -> None:
        """Tell the process that no more input follows. Idempotent."""

    def __iter__(self) -> Iterator[bytes]:
        """Stdout by lines, each with its newline.

        A last line without one was cut. The iteration ends when the process
        closes stdout and also when the link breaks; `exit_code` tells which.
        """

    def lines(self, bounds: Bounds) -> Iterator[bytes]:
        """As iteration, within bounds; raises what runner.transports.lines has for them."""

    def stderr(self) -> str:
        """Give the last 64 KiB of what came on stderr so far."""

    def exit_code(self, timeout_s: float = 10.0) -> int | None:
        """Wait for the exit code, negative for a signal.

        None when the link broke first, or when the process did not end in time.
        """

    def link_alive(self) -> bool:
        """Whether the way to the host still stands (always true without a network)."""

    def close(self, grace_s: float = GRACE_S) -> None:
        """End the conversation and free everything. Idempotent.

        A process on this machine that has not ended `grace_s` after its pipes were
        closed is told to; one on another host is left to end by itself.
        """


class Transport(Protocol):
    """A way to one host."""

    @property
    def name(self) -> str:
        """What messages call the host."""

    @property
    def python(self) -> str:
        """The interpreter that runs the agent there."""

    @property
    def is_root(self) -> bool:
        """Whether processes run as root without help."""

    @property
    def execs(self) -> int:
        """How many processes were started so far."""

    def start(self, argv: Sequence[str]) -> Channel:
        """Start `argv`; raises HostUnreachable when there is no way to the host."""

    def close(self) -> None:
        """Close the way to the host. Idempotent; `start` opens it again."""
