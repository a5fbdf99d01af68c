"""Which host keys are trusted: known_hosts as ssh reads it, and a refusal for all others.

Part of the ssh transport: imported by a connection alone.
"""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runner.errors import HostUnreachable

if TYPE_CHECKING:
    from runner.transports.ssh_options import SshOptions

_SYSTEM_KNOWN_HOSTS: Final = Path("/etc/ssh/ssh_known_hosts")


class Policy:
    """What happens with the key of a host that known_hosts does not name."""

    def __init__(self, name: str, file: Path, *, accept: bool) -> None:
        self.name = name
        self.file = file
        self.accept = accept

    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
        """Append the key where new ones are accepted; else HostUnreachable names it."""
        if self.accept:
            _append_known_host(self.file, f"{hostname} {key.get_name()} {key.get_base64()}\n")
            client.get_host_keys().add(hostname, key.get_name(), key)
            return
        import paramiko

        try:
            paramiko.RejectPolicy().missing_host_key(client, hostname, key)
        except paramiko.SSHException as error:
            raise HostUnreachable(
                f"{self.name}: the host key of {hostname} is not in {self.file}: "
                f"{key.get_name()} {fingerprint(key)}",
                fix="compare the fingerprint with the host's own (there: ssh-keygen -lf "
                "/etc/ssh/ssh_host_ed25519_key.pub), then connect once with ssh, or give "
                "--accept-new-host-key",
            ) from error


def trust(hop: Any, options: SshOptions, name: str) -> Policy:
    """Load known_hosts anew and set what happens to a key that is in none of the files."""
    import paramiko

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
    policy = Policy(name, files[0], accept=options.accept_new_host_key)
    hop.client.set_missing_host_key_policy(policy)
    return policy


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _entry(line: str) -> Any:
    """Parse one line; a bad one is skipped, as ssh does, and not the whole file."""
    import paramiko
    from paramiko.hostkeys import HostKeyEntry, InvalidHostKey

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


def fingerprint(key: Any) -> str:
    """Give the SHA-256 of a key as ssh-keygen -l prints it."""
    digest = hashlib.sha256(key.asbytes()).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
