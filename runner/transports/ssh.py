"""A host over ssh: fabric is only known here and in ssh_connection, once it connects.

Fabric makes the connection, of what `ssh -G` says of the host (jump hosts, keys, agent).
What fabric does beyond that is not used, for reasons met in the field:

- it accepts unknown host keys: here they are refused, at jump hosts too;
- it reads /etc/fabric.* and ~/.fabric.*: here it reads neither;
- it types input one character at a time: here input goes to the channel itself.
"""

from __future__ import annotations

import contextlib
import math
import shlex
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from runner.errors import HostUnreachable
from runner.transports.bounds import Bounds
from runner.transports.interface import GRACE_S, STDERR_TAIL_BYTES, LinkLost
from runner.transports.lines import split
from runner.transports.ssh_connection import Link, link_to, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runner.transports.ssh_options import SshOptions

_POLL_S: Final = 0.5
_SETTLE_S: Final = 1.0
_CHUNK_BYTES: Final = 65536
_SEND_S: Final = 60.0
_PATIENT: Final = Bounds(silent_s=math.inf)
_MAX_LINKS: Final = 4
_REFUSED_S: Final = 2.0
"""How long a server is given to notice that a session has ended."""


class SshChannel:
    """One exec on the connection."""

    def __init__(self, channel: Any, name: str) -> None:
        self._channel = channel
        self._name = name
        self._transport = channel.get_transport()
        self._stderr = bytearray()
        self._eof_sent = False
        self._send_s = _SEND_S

    def write(self, data: bytes) -> None:
        """Send all of `data` through the channel's own window."""
        # a peer that reads no more fills the window
        self._channel.settimeout(self._send_s)
        self._channel.sendall(data)

    def close_stdin(self) -> None:
        """Send EOF."""
        if not self._eof_sent:
            self._eof_sent = True
            with contextlib.suppress(OSError, EOFError):
                self._channel.shutdown_write()

    def __iter__(self) -> Iterator[bytes]:
        """Stdout by lines."""
        return self.lines(_PATIENT)

    def lines(self, bounds: Bounds) -> Iterator[bytes]:
        """Stdout by lines, within bounds; stderr is drained too, or its window would fill."""
        self._send_s = min(bounds.silent_s, _SEND_S)
        return split(self._receive, bounds)

    def _receive(self, within_s: float) -> bytes | None:
        self._drain_stderr()
        alive = self.link_alive()  # before the look: what came until then is still read
        self._channel.settimeout(within_s)
        try:
            return bytes(self._channel.recv(_CHUNK_BYTES))
        except TimeoutError:
            return None if alive else b""
        except OSError:
            return b""

    def _drain_stderr(self) -> None:
        while self._channel.recv_stderr_ready():
            chunk = self._channel.recv_stderr(_CHUNK_BYTES)
            if not chunk:
                return
            self._stderr += chunk
            del self._stderr[:-STDERR_TAIL_BYTES]

    def stderr(self) -> str:
        """Give what came so far."""
        self._drain_stderr()
        return self._stderr.decode(errors="replace")

    def exit_code(self, timeout_s: float = 10.0) -> int | None:
        """Wait for the exit status; sshd sends none for a process ended by a signal."""
        until = time.monotonic() + timeout_s
        while not self._channel.status_event.wait(_POLL_S / 10):
            if self._channel.closed or not self.link_alive() or time.monotonic() > until:
                break
        code = int(self._channel.exit_status)
        if code >= 0:
            return code
        # a broken link closes its channels a moment before it counts as inactive
        until = time.monotonic() + _SETTLE_S
        while self._channel.closed and self.link_alive() and time.monotonic() < until:
            time.sleep(_POLL_S / 10)
        return None

    def link_alive(self) -> bool:
        """Whether the connection still stands."""
        return bool(self._transport.is_active())

    def close(self, grace_s: float = GRACE_S) -> None:  # noqa: ARG002 - there is nobody to wait for
        """Close the channel; sshd then closes the pipes of the process."""
        with contextlib.suppress(OSError, EOFError):
            self._channel.close()


class SshTransport:
    """Connections to one host: one for the whole run, more where a server wants no second session.

    Opened at the first `start`.
    """

    def __init__(self, options: SshOptions, *, name: str | None = None) -> None:
        self.options = options
        self.name = name or options.host
        self.python = options.python
        self.execs = 0
        self.connects = 0
        self._links: list[Link] = []
        self._first: Link | None = None
        self._lock = threading.RLock()

    @property
    def is_root(self) -> bool:
        """Whether the login user is root."""
        return self._link().ways[0].user == "root"

    def start(self, argv: Sequence[str]) -> SshChannel:
        """Start `argv` by one exec request; connects if need be."""
        channel = self._session()
        self.execs += 1
        import paramiko

        # paramiko waits for the answer without end; closing the channel ends that
        patience = threading.Timer(self.options.connect_timeout_s, channel.close)
        patience.daemon = True
        patience.start()
        try:
            channel.exec_command(shlex.join(argv))
        except (paramiko.SSHException, OSError, EOFError) as error:
            channel.close()
            # the request may have arrived before the link broke
            raise LinkLost(
                f"{self.name}: the link was lost: {text_of(error)}", fix="run the command again"
            ) from error
        finally:
            patience.cancel()
        return SshChannel(channel, self.name)

    def _session(self) -> Any:
        """Open a session: on a link that stands, else on a new one.

        A server may allow one session a connection (MaxSessions 1), and still count the
        one that has just ended; so a link that refuses is asked again for a moment, and
        then joined by another.
        """
        import paramiko

        with self._lock:
            self._links = [link for link in self._links if link.alive]
            refused: paramiko.ChannelException | None = None
            for link in list(self._links):
                try:
                    return self._opened(link)
                except paramiko.ChannelException as error:
                    refused = error
                except (paramiko.SSHException, OSError, EOFError):
                    link.close()  # it turns out to be dead
                    self._links.remove(link)
            if len(self._links) >= _MAX_LINKS:
                why = text_of(refused) if refused is not None else ""
                raise HostUnreachable(
                    f"{self.name}: the host starts no more processes: {why}",
                    fix="raise MaxSessions in its sshd_config, or end other sessions",
                ) from refused
            link = self._fresh()
            try:
                return self._opened(link)
            except paramiko.ChannelException as error:
                raise HostUnreachable(
                    f"{self.name}: the host starts no processes: {text_of(error)}",
                    fix="allow sessions in its sshd_config (MaxSessions)",
                ) from error
            except (paramiko.SSHException, OSError, EOFError) as error:
                raise LinkLost(
                    f"{self.name}: the link was lost: {text_of(error)}", fix="run the command again"
                ) from error

    def _opened(self, link: Link) -> Any:
        import paramiko

        until = time.monotonic() + _REFUSED_S
        while True:
            try:
                return link.transport.open_session(timeout=self.options.connect_timeout_s)
            except paramiko.ChannelException:
                if time.monotonic() > until or link.channels():
                    raise
                time.sleep(_POLL_S / 10)

    def _fresh(self) -> Link:
        """Connect; the link that was only asked for its user is used first."""
        link = self._link()
        if link in self._links:
            link = Link(self.options, self.name, link.ways)
        self.connects += 1
        link.open()
        self._links.append(link)
        return link

    def _link(self) -> Link:
        if self._first is None:
            self._first = link_to(self.options, self.name)
        return self._first

    def close(self) -> None:
        """Close every connection and those to its jump hosts."""
        with self._lock:
            for link in self._links:
                link.close()
            self._links = []
