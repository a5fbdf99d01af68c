"""Which host keys are trusted: what known_hosts says, and a refusal for all others.

Part of the ssh transport: imported by a connection alone.
"""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import tempfile
from typing import TYPE_CHECKING, Any, Final

from runner.errors import HostUnreachable
from runner.transports.known_hosts import AUTHORITY, REVOKED, hashed, known_keys, name_of

if TYPE_CHECKING:
    from pathlib import Path

    from runner.transports.known_hosts import KnownKey
    from runner.transports.ssh_config import Way

_KRL: Final = b"SSHKRL\n\0"
_RSA: Final = ("rsa-sha2-512", "rsa-sha2-256")


class Trust:
    """Judges the key that one hop shows; is a paramiko policy for keys that it does not know.

    paramiko is told of no known key, so that it asks for every one.
    """

    def __init__(self, way: Way, name: str, *, accept: bool) -> None:
        self.way, self.name = way, name
        self.accept = accept or way.accept_new
        self.shown = way.alias or name_of(way.host, way.port)
        self.known = known_keys(way.known_hosts, self.shown)
        if not self.known and way.alias is None and way.port != 22:
            # as ssh does: a key of the host itself counts at every port, unless it is revoked there
            named = known_keys(way.known_hosts, way.host)
            revoked = {key.blob for key in named if key.marker == REVOKED}
            self.known = [key for key in named if key.blob not in revoked]
        self.plain = [key for key in self.known if not key.marker]
        self.authorities = [key for key in self.known if key.marker == AUTHORITY]

    @property
    def file(self) -> Path:
        """Where a new key would be kept."""
        return self.way.known_hosts[0]

    def transport(self, sock: object, **how: object) -> object:
        """Make paramiko's transport; it asks first for keys, or certificates, that are known."""
        import paramiko

        class CertificatesFirst(paramiko.Transport):  # type: ignore[misc]  # paramiko has no types
            @property
            def preferred_keys(self) -> tuple[str, ...]:
                return tuple(
                    sorted(super().preferred_keys, key=lambda kind: "-cert-v01@" not in kind)
                )

        transport = (CertificatesFirst if self.authorities else paramiko.Transport)(sock, **how)
        kinds = [kind for key in self.plain for kind in _algorithms(key.kind)]
        options = transport.get_security_options()
        first = [kind for kind in dict.fromkeys(kinds) if kind in options.key_types]
        rest = [kind for kind in options.key_types if kind not in first]
        options.key_types = [*first, *rest]
        return transport

    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
        """Pass a trusted key; append one where new ones are accepted; else HostUnreachable."""
        del client, hostname
        blob = key.asbytes()
        self._refuse_revoked(blob, key.get_name())
        why = self._not_certified(key)
        if not why or any(known.blob == blob for known in self.plain):
            return
        if self.authorities and not self.accept:
            raise self._refused(
                why,
                "let the authority sign the host's key anew (ssh-keygen -h -s CA -n NAMES), or add "
                f"the key itself: ssh-keyscan -p {self.way.port} {self.way.host} >> {self.file}, "
                f"once its fingerprint is compared: {fingerprint(blob)}",
            )
        if self.plain:
            raise self._changed(key, blob)
        if not self.accept:
            raise self._refused(
                f"is not in {self.file}: {key.get_name()} {fingerprint(blob)}",
                "compare the fingerprint with the host's own (there: ssh-keygen -lf "
                "/etc/ssh/ssh_host_ed25519_key.pub), then connect once with ssh, or give "
                "--accept-new-host-key",
            )
        name = hashed(self.shown) if self.way.hashed else self.shown
        _append(self.file, f"{name} {key.get_name()} {key.get_base64()}\n")

    def _not_certified(self, key: Any) -> str:
        """Say why no authority of known_hosts vouches for a key; empty where one does.

        As to ssh, a certificate that does not hold leaves its key to be looked for as it is.
        """
        from runner.transports.host_certificate import host_certificate

        shown = key.public_blob and host_certificate(key.public_blob.key_blob)
        authority = next(
            (ca for ca in self.authorities if shown and ca.blob == shown.authority), None
        )
        if not shown or authority is None:
            return f"has no certificate of {', '.join(ca.place for ca in self.authorities)}"
        self._refuse_revoked(shown.authority, authority.kind)
        self._refuse_revoked(shown.blob, shown.kind)
        fault = shown.fault(self.way.alias or self.way.host)
        return fault and f"has a certificate of {authority.place} that {fault}"

    def _refuse_revoked(self, blob: bytes, kind: str) -> None:
        """Refuse what known_hosts revokes, or RevokedHostKeys: a list, or a KRL."""
        for known in self.known:
            if known.marker == REVOKED and known.blob == blob:
                raise self._refused(
                    f"is revoked in {known.place}: {kind} {fingerprint(blob)}",
                    "somebody may have the key: give the host a new one before you connect",
                )
        file = self.way.revoked
        if file is not None and _is_listed(file, kind, blob):
            raise self._refused(
                f"is revoked by {file}, or that cannot be read: {fingerprint(blob)}",
                "look at RevokedHostKeys in ssh's configuration",
            )

    def _changed(self, key: Any, blob: bytes) -> HostUnreachable:
        same = [known for known in self.plain if known.kind == key.get_name()]
        known: KnownKey = (same or self.plain)[0]
        other = "" if same else f", where a {known.kind} is known"
        return HostUnreachable(
            f"{self.name}: the host key of {self.shown} is not the one in {known.file}: it now "
            f"shows {key.get_name()} {fingerprint(blob)}{other} (line {known.line})",
            fix="if the board was installed anew: "
            f"ssh-keygen -f {known.file} -R '{self.shown}'; if not, somebody is in between",
        )

    def _refused(self, why: str, fix: str) -> HostUnreachable:
        return HostUnreachable(f"{self.name}: the host key of {self.shown} {why}", fix=fix)


def _is_listed(file: Path, kind: str, blob: bytes) -> bool:
    """Whether a file of revoked keys has a key; true where it cannot be read, as to ssh."""
    encoded = base64.b64encode(blob)
    try:
        text = file.read_bytes()
    except OSError:
        return True
    if not text.startswith(_KRL):
        lines = (line.split() for line in text.splitlines() if not line.lstrip().startswith(b"#"))
        return any(encoded in words for words in lines)
    with tempfile.NamedTemporaryFile("w", suffix=".pub") as public:
        public.write(f"{kind} {encoded.decode()}\n")
        public.flush()
        argv = ["ssh-keygen", "-Q", "-f", str(file), public.name]
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return done.returncode != 0


def _algorithms(kind: str) -> tuple[str, ...]:
    """Give the names by which a key of a kind is asked for."""
    return _RSA if kind == "ssh-rsa" else (kind,)


def _append(file: Path, line: str) -> None:
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


def fingerprint(blob: bytes) -> str:
    """Give the SHA-256 of a key as ssh-keygen -l prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
