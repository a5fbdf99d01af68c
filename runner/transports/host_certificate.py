"""Certificates of hosts (openssh-portable/PROTOCOL.certkeys; sshkey.c, sshkey_cert_check_host).

Part of the ssh transport: imported where known_hosts names an authority for a host.
"""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.serialization import SSHCertificate

SHA1: Final = "ssh-rsa"
"""An algorithm of signatures that ssh takes from no authority any more."""


@dataclass(frozen=True)
class HostCertificate:
    """What a host showed in place of a bare key."""

    certificate: SSHCertificate
    blob: bytes
    authority: bytes
    """The authority's public key, as known_hosts has it (decoded)."""
    signed_by: str
    """Algorithm of the signature: `ssh-ed25519`, `rsa-sha2-512`, ..."""

    @property
    def kind(self) -> str:
        """The first word of it as text: `ssh-ed25519-cert-v01@openssh.com`."""
        return _kind(self.blob)

    def fault(self, host: str, now: float | None = None) -> str:
        """Say why it is not valid for a host, by name or address; empty where it is.

        ``now`` is in seconds since 1970 (default: the present).
        """
        from cryptography.hazmat.primitives.serialization import SSHCertificateType

        now = time.time() if now is None else now
        shown = self.certificate
        names = [name.decode("utf-8", "replace") for name in shown.valid_principals]
        options = b", ".join(shown.critical_options).decode("utf-8", "replace")
        faults = (
            (self.signed_by == SHA1, "is signed with SHA-1"),
            (not self._is_signed(), "is not signed by its authority"),
            (shown.type != SSHCertificateType.HOST, "is of a user, not of a host"),
            (now < shown.valid_after, f"is not valid before {_date(shown.valid_after)}"),
            (now >= shown.valid_before, f"was valid until {_date(shown.valid_before)}"),
            # one without names is for every host; names are not patterns
            (
                bool(names) and host.lower() not in names,
                f"is for {', '.join(names)}, not for {host}",
            ),
            (bool(options), f"has options that no host certificate has: {options}"),
        )
        return next((text for holds, text in faults if holds), "")

    def _is_signed(self) -> bool:
        try:
            self.certificate.verify_cert_signature()
        except Exception:  # noqa: BLE001  # whatever is wrong in it, it is not signed
            return False
        return True


def host_certificate(blob: bytes) -> HostCertificate | None:
    """Read a certificate; None for bytes that are none, or are none that can be read."""
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        SSHCertificate,
        load_ssh_public_identity,
    )

    if "-cert-v01@" not in _kind(blob):
        return None
    try:
        line = _kind(blob).encode() + b" " + base64.b64encode(blob)
        certificate = load_ssh_public_identity(line)
        if not isinstance(certificate, SSHCertificate):
            return None
        public = certificate.signature_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        authority = base64.b64decode(public.split()[1])
        # the signature is the last of the certificate's strings, after its authority's key
        at = blob.rindex(len(authority).to_bytes(4, "big") + authority) + 4 + len(authority)
        return HostCertificate(certificate, blob, authority, _kind(blob[at + 4 :]))
    except Exception:  # noqa: BLE001  # bytes of a host: whatever they break, they are not a certificate
        return None


def _kind(blob: bytes) -> str:
    """Give the first string of a blob."""
    return blob[4 : 4 + int.from_bytes(blob[:4], "big")].decode("ascii", "replace")


def _date(seconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(min(seconds, 2**37)))
