"""A host over ssh: the only module that knows fabric, and only once it connects.

Fabric makes the connection (users' ~/.ssh/config, ProxyJump, keys, agent). What
it does beyond that is not used, for reasons met in the field:

- it accepts unknown host keys: here they are refused, at jump hosts too;
- it reads /etc/fabric.* and ~/.fabric.*: here it reads neither;
- it types input one character at a time: here input goes to the channel itself.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import logging
import os
import shlex
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runner.errors import HostUnreachable
from runner.transports.interface import GRACE_S, STDERR_TAIL_BYTES, LinkLost

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_POLL_S: Final = 0.5
_SETTLE_S: Final = 1.0
_CHUNK_BYTES: Final = 65536
_SYSTEM_KNOWN_HOSTS: Final = Path("/etc/ssh/ssh_known_hosts")


@dataclass(frozen=True, slots=True)
class SshOptions:
    """How to reach a host; what is None comes from ~/.ssh/config, as with ssh itself.

    `keepalive_s` is the longest silence: after two of them without an answer the
    link counts as lost.
    """

    host: str
    user: str | None = None
    port: int | None = None
    key: Path | None = None
    known_hosts: Path | None = None
    ssh_config: Path | None = None
    accept_new_host_key: bool = False
    use_agent: bool = True
    connect_timeout_s: float = 10.0
    keepalive_s: float = 15.0
    python: str = "python3"


class SshChannel:
    """One exec on the connection."""

    def __init__(self, channel: Any, name: str) -> None:
        self._channel = channel
        self._name = name
        self._transport = channel.get_transport()
        self._stderr = bytearray()
        self._eof_sent = False

    def write(self, data: bytes) -> None:
        """Send all of `data` through the channel's own window."""
        self._channel.settimeout(None)
        self._channel.sendall(data)

    def close_stdin(self) -> None:
        """Send EOF."""
        if not self._eof_sent:
            self._eof_sent = True
            with contextlib.suppress(OSError, EOFError):
                self._channel.shutdown_write()

    def __iter__(self) -> Iterator[bytes]:
        """Stdout by lines; stderr is drained on the way, or its window would fill."""
        pending = bytearray()
        while chunk := self._receive():
            pending += chunk
            if b"\n" in chunk:
                *lines, rest = pending.split(b"\n")
                pending = rest
                for line in lines:
                    yield bytes(line) + b"\n"
        if pending:
            yield bytes(pending)

    def _receive(self) -> bytes:
        while True:
            self._drain_stderr()
            alive = self.link_alive()  # before the look: what came until then is still read
            self._channel.settimeout(_POLL_S)
            try:
                return bytes(self._channel.recv(_CHUNK_BYTES))
            except TimeoutError:
                if not alive:
                    return b""
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
    """One fabric Connection, opened at the first `start` and kept for the whole run."""

    def __init__(self, options: SshOptions, *, name: str | None = None) -> None:
        self.options = options
        self.name = name or options.host
        self.python = options.python
        self.execs = 0
        self.connects = 0
        self._connection: Any = None

    @property
    def is_root(self) -> bool:
        """Whether the login user is root."""
        return bool(self._get().user == "root")

    def start(self, argv: Sequence[str]) -> SshChannel:
        """Start `argv` by one exec request; connects if need be."""
        channel = self._session()
        self.execs += 1
        import paramiko  # noqa: PLC0415 - see the module's first line

        try:
            channel.exec_command(shlex.join(argv))
        except (paramiko.SSHException, OSError, EOFError) as error:
            channel.close()
            # the request may have arrived before the link broke
            raise LinkLost(
                f"{self.name}: the link was lost: {_text(error)}", fix="run the command again"
            ) from error
        return SshChannel(channel, self.name)

    def _session(self) -> Any:
        """Open a session; once more on a new connection if the old one turns out to be dead."""
        import paramiko  # noqa: PLC0415

        connection = self._get()
        fresh = not connection.is_connected
        if fresh:
            self._open(connection)
        try:
            return connection.transport.open_session(timeout=self.options.connect_timeout_s)
        except paramiko.ChannelException as error:
            raise HostUnreachable(
                f"{self.name}: the host starts no more processes: {_text(error)}",
                fix="raise MaxSessions in its sshd_config, or end other sessions",
            ) from error
        except (paramiko.SSHException, OSError, EOFError) as error:
            if fresh:
                raise LinkLost(
                    f"{self.name}: the link was lost: {_text(error)}", fix="run the command again"
                ) from error
            self.close()
            return self._session()

    def close(self) -> None:
        """Close the connection and those to its jump hosts."""
        for connection in _chain(self._connection):
            connection.client.close()
            connection.transport = None

    def _get(self) -> Any:
        if self._connection is None:
            self._connection = _connection(self.options, self.name)
        return self._connection

    def _open(self, connection: Any) -> None:
        self.close()  # what is left of a link that broke
        self.connects += 1
        for hop in reversed(_chain(connection)):
            policy = _trust(hop, self.options, self.name)
            try:
                hop.open()
            except HostUnreachable:
                self.close()
                raise
            except Exception as error:
                self.close()
                reason = _unreachable(error, hop, self.options, self.name, policy.file)
                if reason is None:
                    raise
                raise reason from error
            _keep_alive(hop, self.options.keepalive_s)


class _Policy:
    """What happens with the key of a host that known_hosts does not name."""

    def __init__(self, name: str, file: Path, *, accept: bool) -> None:
        self.name = name
        self.file = file
        self.accept = accept

    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
        if self.accept:
            _append_known_host(self.file, f"{hostname} {key.get_name()} {key.get_base64()}\n")
            client.get_host_keys().add(hostname, key.get_name(), key)
            return
        import paramiko  # noqa: PLC0415

        try:
            paramiko.RejectPolicy().missing_host_key(client, hostname, key)
        except paramiko.SSHException as error:
            raise HostUnreachable(
                f"{self.name}: the host key of {hostname} is not in {self.file}: "
                f"{key.get_name()} {_fingerprint(key)}",
                fix="compare the fingerprint with the host's own (there: ssh-keygen -lf "
                "/etc/ssh/ssh_host_ed25519_key.pub), then connect once with ssh, or give "
                "--accept-new-host-key",
            ) from error


def _connection(options: SshOptions, name: str) -> Any:
    """Make the Connection; nothing is sent yet."""
    import fabric  # noqa: PLC0415 - 0.2 s that local runs do not pay
    import paramiko  # noqa: PLC0415

    # without a handler, paramiko's log of a refused connection would reach the terminal
    logging.getLogger("paramiko").addHandler(logging.NullHandler())

    class Config(fabric.Config):  # type: ignore[misc]
        """Reads no file of fabric's own: not now, and not when cloned for a jump host."""

        def load_base_conf_files(self) -> None:
            """Read nothing."""

    file = (options.ssh_config or Path("~/.ssh/config")).expanduser()
    ssh_config = paramiko.SSHConfig()
    try:
        if options.ssh_config is not None or file.is_file():
            with file.open(encoding="utf-8") as text:
                ssh_config.parse(text)
        connection = fabric.Connection(
            options.host,
            user=options.user,
            port=options.port,
            config=Config(lazy=True, ssh_config=ssh_config),
        )
    except (OSError, ValueError, paramiko.SSHException) as error:
        raise HostUnreachable(
            f"{name}: no way to {options.host} by {file}: {_text(error)}",
            fix="correct that file, or the host in the inventory",
        ) from error
    for hop in _chain(connection):
        _authentication(hop, options, options.key if hop is connection else None)
    return connection


def _authentication(hop: Any, options: SshOptions, key: Path | None) -> None:
    """Say which keys are tried: the one named, those of ~/.ssh/config, the agent's, ~/.ssh/id_*."""
    only = hop.ssh_config.get("identitiesonly") == "yes"
    given = dict(hop.connect_kwargs)
    # as with ssh, an IdentityFile that is not there is passed over
    keys = [file for file in given.get("key_filename", ()) if Path(file).is_file()]
    if key is not None:
        key = key.expanduser()
        if not key.is_file():
            raise HostUnreachable(
                f"{options.host}: there is no key {key}", fix="correct `key` in the inventory"
            )
        keys = [str(key)]
    hop.connect_kwargs = {
        **given,
        "key_filename": keys,
        "allow_agent": options.use_agent and not only,
        "look_for_keys": not only and key is None,
        "banner_timeout": options.connect_timeout_s,
        "auth_timeout": options.connect_timeout_s,
        "channel_timeout": options.connect_timeout_s,
    }
    hop.connect_timeout = options.connect_timeout_s


def _chain(connection: Any) -> list[Any]:
    """Give the connection, then the jump hosts it goes through, nearest to it first."""
    hops = []
    while connection is not None and hasattr(connection, "client"):
        hops.append(connection)
        connection = connection.gateway
    return hops


def _trust(hop: Any, options: SshOptions, name: str) -> _Policy:
    """Load known_hosts anew and set what happens to a key that is in none of the files."""
    import paramiko  # noqa: PLC0415

    if options.known_hosts is not None:
        files = [options.known_hosts.expanduser()]
    else:
        named = hop.ssh_config.get("userknownhostsfile", "~/.ssh/known_hosts").split()
        files = [Path(word).expanduser() for word in named] + [_SYSTEM_KNOWN_HOSTS]
    hop.client = paramiko.SSHClient()
    keys = hop.client.get_host_keys()
    for file in files:
        for line in _lines(file):
            entry = _entry(line)
            if entry is not None:
                for host in entry.hostnames:
                    keys.add(host, entry.key.get_name(), entry.key)
    policy = _Policy(name, files[0], accept=options.accept_new_host_key)
    hop.client.set_missing_host_key_policy(policy)
    return policy


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _entry(line: str) -> Any:
    """Parse one line; a bad one is skipped, as ssh does, and not the whole file."""
    import paramiko  # noqa: PLC0415
    from paramiko.hostkeys import HostKeyEntry, InvalidHostKey  # noqa: PLC0415

    line = line.strip()
    if not line or line.startswith(("#", "@")):
        return None
    try:
        return HostKeyEntry.from_line(line)
    except (paramiko.SSHException, InvalidHostKey, ValueError, IndexError):
        return None


def _append_known_host(file: Path, line: str) -> None:
    """Append; paramiko would write the file anew and drop what it cannot read."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            size = os.fstat(handle).st_size
            if size and os.pread(handle, 1, size - 1) != b"\n":
                line = "\n" + line
            os.write(handle, line.encode())
        finally:
            os.close(handle)
    except OSError as error:
        raise HostUnreachable(
            f"the new host key cannot be kept in {file}: {error.strerror}",
            fix="make the file writable",
        ) from error


def _fingerprint(key: Any) -> str:
    digest = hashlib.sha256(key.asbytes()).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def _keep_alive(hop: Any, keepalive_s: float) -> None:
    """Let a dead link be noticed, also one that no packet says is dead."""
    hop.transport.set_keepalive(max(1, int(keepalive_s)))
    sock = hop.transport.sock
    if isinstance(sock, socket.socket) and hasattr(socket, "TCP_USER_TIMEOUT"):
        # keepalives that are not acknowledged end the connection
        with contextlib.suppress(OSError):
            sock.setsockopt(
                socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(2000 * max(1.0, keepalive_s))
            )


def _unreachable(
    error: Exception, hop: Any, options: SshOptions, name: str, known_hosts: Path
) -> HostUnreachable | None:
    """Say in a user's words why a connection failed; None for a fault of our own."""
    import paramiko  # noqa: PLC0415

    where = hop.host if hop.port == 22 else f"[{hop.host}]:{hop.port}"
    port = "" if hop.port == 22 else f" -p {hop.port}"
    match error:
        case paramiko.BadHostKeyException():
            message = (
                f"the host key of {where} is not the one in {known_hosts}: it now shows "
                f"{error.key.get_name()} {_fingerprint(error.key)}"
            )
            fix = (
                "if the board was installed anew: "
                f"ssh-keygen -f {known_hosts} -R '{where}'; if not, somebody is in between"
            )
        case paramiko.PasswordRequiredException():
            message = f"the key for {hop.user}@{where} has a passphrase"
            fix = "hand it to the agent: ssh-add"
        case paramiko.AuthenticationException():
            message = f"{where} does not let {hop.user} in: {_text(error)}"
            fix = f"install a key: ssh-copy-id{port} {hop.user}@{hop.host}"
        case socket.gaierror():
            message = f"there is no host named {hop.host}"
            fix = "correct the name in the inventory, or give an address"
        case paramiko.ssh_exception.NoValidConnectionsError() | ConnectionRefusedError():
            message = f"nothing answers at {where}: {_refusal(error)}"
            fix = "is the board on, is the port right, does sshd run (systemctl status ssh)?"
        case TimeoutError():
            message = f"no answer from {where} within {options.connect_timeout_s:g} s"
            fix = "is the board on and in this network?"
        case paramiko.SSHException() | OSError() | EOFError():
            message = f"no ssh connection to {where}: {_text(error)}"
            fix = f"try it by hand: ssh{port} {hop.user}@{hop.host} true"
        case _:
            return None
    return HostUnreachable(f"{name}: {message}", fix=fix)


def _refusal(error: Exception) -> str:
    errors = getattr(error, "errors", None) or {None: error}
    return ", ".join(sorted({_text(one) for one in errors.values()}))


def _text(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or error) or type(error).__name__
