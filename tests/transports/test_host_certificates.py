"""Host certificates: what OpenSSH's own client takes and refuses, with one real sshd."""

from __future__ import annotations

import base64
import shutil
import signal
import subprocess

import pytest

from runner.errors import HostUnreachable
from runner.transports.ssh import SshTransport
from tests.sshd import answers, start_sshd, stop_sshd
from tests.waiting import until


def keygen(*args):
    subprocess.run(["ssh-keygen", "-q", *map(str, args)], check=True, stdin=subprocess.DEVNULL)


class Certified:
    """An sshd whose host key can be signed anew."""

    def __init__(self, folder):
        folder.joinpath("sshd").mkdir()
        self.folder = folder
        self.server = start_sshd(
            folder / "sshd", f"HostCertificate {folder}/sshd/host_key-cert.pub"
        )
        for name, kind in (("ca", "ed25519"), ("rsa_ca", "rsa"), ("other_ca", "ecdsa")):
            keygen("-t", kind, "-N", "", "-f", folder / name)

    def public(self, name):
        return " ".join((self.folder / f"{name}.pub").read_text().split()[:2])

    def sign(self, *args, ca="ca"):
        key = self.server.folder / "host_key"
        keygen("-s", self.folder / ca, "-I", "board", *args, f"{key}.pub")
        self.reread()

    def reread(self):
        begun = self.server.log().count("Server listening")
        self.server.process.send_signal(signal.SIGHUP)
        until(lambda: self.server.log().count("Server listening") > begun)
        until(lambda: answers(self.server.port))

    def answers_of(self, tmp_path, *lines, **more):
        """What runner says, and what ssh does, with these lines in known_hosts."""
        options = self.server.options(tmp_path, trusted=False, **more)
        text = "".join(f"{line}\n" for line in lines)
        for name in ("ca", "rsa_ca", "other_ca"):
            text = text.replace(f"KEY({name})", self.public(name))
        text = text.replace("KEY", self.server.host_key)
        options.known_hosts.write_text(text.replace("HOST", f"[127.0.0.1]:{self.server.port}"))
        said = ""
        transport = SshTransport(options, name="board")
        try:
            channel = transport.start(["true"])
            assert (b"".join(channel), channel.exit_code()) == (b"", 0)
            channel.close()
        except HostUnreachable as error:
            said = f"{error}; {error.fix}"
        finally:
            transport.close()
        argv = [
            "ssh", "-F", str(options.ssh_config), "-p", str(self.server.port), "-i", str(self.server.key),
            "-o", f"UserKnownHostsFile={options.known_hosts}", "-o", "GlobalKnownHostsFile=none",
            "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "IdentitiesOnly=yes",
            "127.0.0.1", "true",
        ]  # fmt: skip
        done = subprocess.run(argv, capture_output=True, stdin=subprocess.DEVNULL, check=False)
        return said, done.returncode == 0


@pytest.fixture(scope="module")
def certified(tmp_path_factory):
    if shutil.which("ssh") is None:
        pytest.skip("no ssh on this machine")
    made = Certified(tmp_path_factory.mktemp("certified"))
    yield made
    stop_sshd(made.server)


CA = "@cert-authority HOST KEY(ca)"


@pytest.mark.parametrize(
    ("signed", "lines"),
    [
        (["-h", "-n", "127.0.0.1"], [CA]),
        (["-h", "-n", "elsewhere,127.0.0.1"], ["@cert-authority * KEY(ca)"]),
        (["-h"], [CA]),
        (["-h", "-n", "127.0.0.1", "-V", "-1d:+1d"], [CA]),
        # of several authorities one is enough; the key itself is, too
        (["-h", "-n", "127.0.0.1"], ["@cert-authority * KEY(other_ca)", CA]),
        (["-h", "-n", "127.0.0.1"], ["@cert-authority * KEY(other_ca)", "HOST KEY"]),
        (["-h", "-n", "elsewhere"], ["HOST KEY"]),
        # one that does not hold leaves the key as it is
        (["-h", "-n", "elsewhere"], [CA, "HOST KEY"]),
        (["-n", "127.0.0.1"], [CA, "HOST KEY"]),
        # a key that changed is no matter to who trusts its authority
        (["-h", "-n", "127.0.0.1"], [CA, "HOST KEY(other_ca)"]),
    ],
)
def test_certificates_that_hold(certified, tmp_path, signed, lines):
    certified.sign(*signed)
    assert certified.answers_of(tmp_path, *lines) == ("", True)


def test_certificate_of_an_rsa_authority(certified, tmp_path):
    certified.sign("-h", "-n", "127.0.0.1", ca="rsa_ca")
    assert certified.answers_of(tmp_path, "@cert-authority HOST KEY(rsa_ca)") == ("", True)


@pytest.mark.parametrize(
    ("signed", "lines", "message"),
    [
        (["-h", "-n", "elsewhere"], [CA], "that is for elsewhere, not for 127.0.0.1"),
        (["-h", "-n", "127.0.0.*"], [CA], "that is for 127.0.0.*, not for 127.0.0.1"),
        (["-n", "127.0.0.1"], [CA], "that is of a user, not of a host"),
        (["-h", "-n", "127.0.0.1", "-V", "-2d:-1d"], [CA], "that was valid until 20"),
        (["-h", "-n", "127.0.0.1", "-V", "+1d:+2d"], [CA], "that is not valid before 20"),
        (["-h", "-n", "127.0.0.1"], ["@cert-authority * KEY(other_ca)"], "has no certificate of"),
        (["-h", "-n", "127.0.0.1"], ["@cert-authority nobody KEY(ca)"], "is not in"),
        (["-h", "-n", "127.0.0.1"], [CA, "@revoked * KEY(ca)"], "is revoked in"),
        (["-h", "-n", "127.0.0.1"], [CA, "@revoked * KEY"], "is revoked in"),
        (["-h", "-n", "elsewhere"], [CA, "HOST KEY(other_ca)"], "that is for elsewhere"),
    ],
)  # fmt: skip
def test_certificates_that_do_not(certified, tmp_path, signed, lines, message):
    certified.sign(*signed)
    said, taken = certified.answers_of(tmp_path, *lines)
    assert message in said
    assert not taken


def test_certificate_signed_with_sha1(certified, tmp_path):
    certified.sign("-h", "-n", "127.0.0.1", "-t", "ssh-rsa", ca="rsa_ca")
    said, taken = certified.answers_of(tmp_path, "@cert-authority HOST KEY(rsa_ca)")
    assert "is signed with SHA-1" in said
    assert not taken


def test_certificate_revoked_by_a_list(certified, tmp_path):
    """RevokedHostKeys by serial number, which only a KRL can say."""
    certified.sign("-h", "-n", "127.0.0.1", "-z", "7")
    (tmp_path / "serials").write_text("serial: 7\n")
    keygen("-k", "-f", tmp_path / "krl", "-s", certified.folder / "ca.pub", tmp_path / "serials")
    (tmp_path / "ssh_config").write_text(f"Host *\n  RevokedHostKeys {tmp_path}/krl\n")
    said, taken = certified.answers_of(tmp_path, CA)
    assert "is revoked by" in said
    assert not taken


def test_a_certificate_that_was_changed_is_none(certified, tmp_path):
    """Its signature is checked: a name that somebody wrote into it is not believed."""
    certified.sign("-h", "-n", "127.0.0.9")
    path = certified.server.folder / "host_key-cert.pub"
    kind, text, *rest = path.read_text().split()
    forged = base64.b64decode(text).replace(b"127.0.0.9", b"127.0.0.1")
    path.write_text(" ".join([kind, base64.b64encode(forged).decode(), *rest]) + "\n")
    certified.reread()
    said, taken = certified.answers_of(tmp_path, CA)
    assert "has no certificate of" in said or "is not signed by its authority" in said
    assert not taken
