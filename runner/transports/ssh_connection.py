"""Making a connection with fabric, and saying in a user's words why it failed.

Part of the ssh transport: imported by a connection alone.
"""

from __future__ import annotations

import contextlib
import logging
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.errors import HostUnreachable
from runner.transports.ssh_trust import fingerprint

if TYPE_CHECKING:
    from runner.transports.ssh_options import SshOptions


def connection_to(options: SshOptions, name: str) -> Any:
    """Make the Connection; nothing is sent yet."""
    import fabric
    import paramiko

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
            f"{name}: no way to {options.host} by {file}: {text_of(error)}",
            fix="correct that file, or the host in the inventory",
        ) from error
    for hop in chain(connection):
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


def chain(connection: Any) -> list[Any]:
    """Give the connection, then the jump hosts it goes through, nearest to it first."""
    hops = []
    while connection is not None and hasattr(connection, "client"):
        hops.append(connection)
        connection = connection.gateway
    return hops


def keep_alive(hop: Any, keepalive_s: float) -> None:
    """Let a dead link be noticed, also one that no packet says is dead."""
    hop.transport.set_keepalive(max(1, int(keepalive_s)))
    sock = hop.transport.sock
    if isinstance(sock, socket.socket) and hasattr(socket, "TCP_USER_TIMEOUT"):
        # keepalives that are not acknowledged end the connection
        with contextlib.suppress(OSError):
            sock.setsockopt(
                socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(2000 * max(1.0, keepalive_s))
            )


def unreachable(
    error: Exception, hop: Any, options: SshOptions, name: str, known_hosts: Path
) -> HostUnreachable | None:
    """Say in a user's words why a connection failed; None for a fault of our own."""
    import paramiko

    where = hop.host if hop.port == 22 else f"[{hop.host}]:{hop.port}"
    port = "" if hop.port == 22 else f" -p {hop.port}"
    match error:
        case paramiko.BadHostKeyException():
            message = (
                f"the host key of {where} is not the one in {known_hosts}: it now shows "
                f"{error.key.get_name()} {fingerprint(error.key)}"
            )
            fix = (
                "if the board was installed anew: "
                f"ssh-keygen -f {known_hosts} -R '{where}'; if not, somebody is in between"
            )
        case paramiko.PasswordRequiredException():
            message = f"the key for {hop.user}@{where} has a passphrase"
            fix = "hand it to the agent: ssh-add"
        case paramiko.AuthenticationException():
            message = f"{where} does not let {hop.user} in: {text_of(error)}"
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
            message = f"no ssh connection to {where}: {text_of(error)}"
            fix = f"try it by hand: ssh{port} {hop.user}@{hop.host} true"
        case _:
            return None
    return HostUnreachable(f"{name}: {message}", fix=fix)


def _refusal(error: Exception) -> str:
    errors = getattr(error, "errors", None) or {None: error}
    return ", ".join(sorted({text_of(one) for one in errors.values()}))


def text_of(error: BaseException) -> str:
    """Give what an error says; its type where it says nothing."""
    return str(getattr(error, "strerror", None) or error) or type(error).__name__
