"""Making a connection with fabric, and saying in a user's words why it failed.

Part of the ssh transport: imported by a connection alone.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from runner.errors import HostUnreachable
from runner.transports.ssh_config import ways
from runner.transports.ssh_trust import Trust

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.transports.ssh_config import Way
    from runner.transports.ssh_options import SshOptions

_FAMILIES: Final = {"inet": socket.AF_INET, "inet6": socket.AF_INET6}
_AGENT: Final = threading.Lock()


class Link:
    """One connection to a host, by way of its jump hosts; opened by `open`."""

    def __init__(self, options: SshOptions, name: str, hops: list[Way]) -> None:
        self._options, self._name = options, name
        self.ways = hops
        self._connections: list[Any] = []
        """Those that are open, nearest to this machine first."""

    @property
    def transport(self) -> Any:
        """Paramiko's transport to the host; None while there is no connection."""
        return self._connections[-1].transport if len(self._connections) == len(self.ways) else None

    @property
    def alive(self) -> bool:
        """Whether it stands, as far as is known."""
        transport = self.transport
        return transport is not None and bool(transport.is_active())

    def channels(self) -> int:
        """How many sessions are open on it, as far as this side knows."""
        return sum(not channel.closed for channel in self.transport._channels.values())  # noqa: SLF001

    def open(self) -> None:
        """Connect hop after hop; HostUnreachable says which one failed, and why."""
        self.close()
        for way in reversed(self.ways):
            trust = Trust(way, self._name, accept=self._options.accept_new_host_key)
            try:
                self._connections.append(self._hop(way, trust))
            except HostUnreachable:
                self.close()
                raise
            except Exception as error:
                self.close()
                reason = unreachable(error, way, self._options, self._name)
                if reason is None:
                    raise
                raise reason from error
        for connection in self._connections:
            connection.transport.set_keepalive(max(1, int(self._options.keepalive_s)))

    def _hop(self, way: Way, trust: Trust) -> object:
        import fabric
        import paramiko

        # without a handler, paramiko's log of a refused connection would reach the terminal
        logging.getLogger("paramiko").addHandler(logging.NullHandler())

        class Config(fabric.Config):  # type: ignore[misc]
            """Reads no file of fabric's own."""

            def load_base_conf_files(self) -> None:
                """Read nothing."""

        connection = fabric.Connection(
            way.host,
            user=way.user,
            port=way.port,
            config=Config(lazy=True, ssh_config=paramiko.SSHConfig()),
            connect_timeout=self._options.connect_timeout_s,
            connect_kwargs={
                **self._authentication(way),
                "sock": self._socket(way),
                "transport_factory": trust.transport,
            },
        )
        connection.client = paramiko.SSHClient()
        connection.client.set_missing_host_key_policy(trust)
        try:
            with _agent_at(way.agent):
                connection.open()
        except BaseException:
            # a server counts connections that nobody logged in on (MaxStartups)
            connection.client.close()
            raise
        return connection

    def _authentication(self, way: Way) -> dict[str, object]:
        """Say which keys are tried: the one named, or those of ssh's configuration and the agent's.

        As with ssh, an IdentityFile that is not there is passed over.
        """
        own = self._options.key if way is self.ways[0] else None
        if own is not None and not own.expanduser().is_file():
            raise HostUnreachable(
                f"{self._options.host}: there is no key {own.expanduser()}",
                fix="correct `key` in the inventory",
            )
        agent = self._options.use_agent and way.agent != "none"
        within = self._options.connect_timeout_s
        return {
            "key_filename": [str(file) for file in way.keys if file.is_file()],
            "allow_agent": agent and not way.only_these_keys,
            "look_for_keys": False,
            "banner_timeout": within,
            "auth_timeout": within,
            "channel_timeout": within,
        }

    def _socket(self, way: Way) -> object:
        """Give what carries the bytes to a hop: through the hop before it, a command, or TCP."""
        import paramiko

        if self._connections:
            before, within = self._connections[-1].transport, self._options.connect_timeout_s
            to = (way.host, way.port)
            return before.open_channel("direct-tcpip", to, ("", 0), timeout=within)
        if way.command is not None:
            return paramiko.ProxyCommand(way.command)
        return _connected(way, self._options)

    def close(self) -> None:
        """Close the connection and those to its jump hosts."""
        for connection in reversed(self._connections):
            with contextlib.suppress(OSError, EOFError):
                connection.client.close()
        self._connections = []


def link_to(options: SshOptions, name: str) -> Link:
    """Make a link; nothing is sent yet. HostUnreachable where ssh's configuration refuses."""
    return Link(options, name, ways(options, name))


def _connected(way: Way, options: SshOptions) -> socket.socket:
    """Connect to the first address that answers."""
    family = _FAMILIES.get(way.family, socket.AF_UNSPEC)
    faults: list[OSError] = []
    until = time.monotonic() + options.connect_timeout_s
    for kind, _, _, _, address in socket.getaddrinfo(
        way.host, way.port, family, socket.SOCK_STREAM
    ):
        sock = socket.socket(kind, socket.SOCK_STREAM)
        sock.settimeout(max(1.0, until - time.monotonic()))
        try:
            sock.connect(address)
        except OSError as fault:
            sock.close()
            faults.append(fault)
            continue
        _notice_silence(sock, options.keepalive_s)
        return sock
    raise faults[0]


def _notice_silence(sock: socket.socket, keepalive_s: float) -> None:
    """Let a dead link be noticed, also one that no packet says is dead.

    What is sent and not acknowledged within two times the interval ends the connection.
    """
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        with contextlib.suppress(OSError):
            sock.setsockopt(
                socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(2000 * max(1.0, keepalive_s))
            )


@contextlib.contextmanager
def _agent_at(path: str | None) -> Iterator[None]:
    """Let paramiko find the agent of IdentityAgent, which it looks for in the environment."""
    if path is None or path == "none":
        yield
        return
    with _AGENT:
        before = os.environ.get("SSH_AUTH_SOCK")
        os.environ["SSH_AUTH_SOCK"] = os.path.expandvars(path)
        try:
            yield
        finally:
            if before is None:
                del os.environ["SSH_AUTH_SOCK"]
            else:
                os.environ["SSH_AUTH_SOCK"] = before


def unreachable(
    error: Exception, way: Way, options: SshOptions, name: str
) -> HostUnreachable | None:
    """Say in a user's words why a connection failed; None for a fault of our own."""
    import paramiko

    where = way.host if way.port == 22 else f"[{way.host}]:{way.port}"
    port = "" if way.port == 22 else f" -p {way.port}"
    match error:
        case paramiko.PasswordRequiredException():
            message = f"the key for {way.user}@{where} has a passphrase"
            fix = "hand it to the agent: ssh-add"
        case paramiko.AuthenticationException():
            message = f"{where} does not let {way.user} in: {text_of(error)}"
            fix = f"install a key: ssh-copy-id{port} {way.user}@{way.host}"
        case socket.gaierror():
            message = f"there is no host named {way.host}"
            fix = "correct the name in the inventory, or give an address"
        case ConnectionRefusedError():
            message = f"nothing answers at {where}: {text_of(error)}"
            fix = "is the board on, is the port right, does sshd run (systemctl status ssh)?"
        case TimeoutError():
            message = f"no answer from {where} within {options.connect_timeout_s:g} s"
            fix = "is the board on and in this network?"
        case paramiko.SSHException() | OSError() | EOFError():
            message = f"no ssh connection to {where}: {text_of(error)}"
            fix = f"try it by hand: ssh{port} {way.user}@{way.host} true"
        case _:
            return None
    return HostUnreachable(f"{name}: {message}", fix=fix)


def text_of(error: BaseException) -> str:
    """Give what an error says; its type where it says nothing."""
    return str(getattr(error, "strerror", None) or error) or type(error).__name__
