"""What is ssh's own: trust, errors that say what to do, one connection, a link that breaks."""

import dataclasses
import logging
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from runner.errors import HostUnreachable
from runner.transports.interface import LinkLost
from runner.transports.ssh import SshTransport
from runner.transports.ssh_config import ways
from runner.transports.ssh_options import SshOptions
from tests.sshd import start_sshd, stop_sshd
from tests.waiting import until
from tests.workers import free_port


def run(transport, *argv):
    channel = transport.start(argv)
    try:
        return b"".join(channel), channel.exit_code()
    finally:
        channel.close()


def refused(transport) -> HostUnreachable:
    with pytest.raises(HostUnreachable) as caught:
        transport.start(["true"])
    transport.close()
    assert caught.value.exit_code == 4
    assert caught.value.fix
    assert str(caught.value).startswith("board: ")
    return caught.value


@pytest.fixture
def other_key(tmp_path):
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "other")], check=True
    )
    return tmp_path / "other"


# trust


def test_unknown_host_key_is_refused(sshd, tmp_path):
    before = sshd.sessions()
    error = refused(sshd.transport(tmp_path, trusted=False))
    shown = subprocess.run(
        ["ssh-keygen", "-lf", str(sshd.folder / "host_key.pub")],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()[1]
    assert f"[127.0.0.1]:{sshd.port} is not in {tmp_path / 'known_hosts'}" in str(error)
    assert shown in str(error)  # the fingerprint as ssh-keygen shows it
    assert "--accept-new-host-key" in error.fix
    assert sshd.sessions() == before
    assert not (tmp_path / "known_hosts").exists()


def test_accept_new_trusts_once_and_appends(sshd, tmp_path):
    known_hosts = tmp_path / "ssh" / "known_hosts"
    first = sshd.transport(
        tmp_path, trusted=False, known_hosts=known_hosts, accept_new_host_key=True
    )
    assert run(first, "echo", "a") == (b"a\n", 0)
    first.close()
    assert known_hosts.read_text() == f"[127.0.0.1]:{sshd.port} {sshd.host_key}\n"
    assert stat.S_IMODE(known_hosts.stat().st_mode) == 0o600
    assert stat.S_IMODE(known_hosts.parent.stat().st_mode) == 0o700
    # from now on without the flag, and with it nothing is appended again
    for accept in (False, True):
        again = sshd.transport(
            tmp_path, trusted=False, known_hosts=known_hosts, accept_new_host_key=accept
        )
        assert run(again, "echo", "a") == (b"a\n", 0)
        again.close()
    assert len(known_hosts.read_text().splitlines()) == 1


def test_accept_new_keeps_every_line_of_the_file(sshd, tmp_path):
    """paramiko's own AutoAddPolicy writes the file anew without what it cannot parse."""
    old = (
        "# my boards\n@cert-authority *.example ssh-ed25519 AAAA\npi ssh-ed25519 not=base64=\n"
        "one-field\npi2 ssh-unheard-of AAAA"
    )
    (tmp_path / "known_hosts").write_text(old)  # no newline at its end
    transport = sshd.transport(tmp_path, trusted=False, accept_new_host_key=True)
    assert run(transport, "true") == (b"", 0)
    transport.close()
    new = f"\n[127.0.0.1]:{sshd.port} {sshd.host_key}\n"
    assert (tmp_path / "known_hosts").read_text() == old + new


def test_changed_host_key_is_refused_even_with_accept_new(sshd, tmp_path, other_key):
    kind, text, *_ = Path(f"{other_key}.pub").read_text().split()
    line = f"[127.0.0.1]:{sshd.port} {kind} {text}\n"
    for accept in (False, True):
        (tmp_path / "known_hosts").write_text(line)
        error = refused(sshd.transport(tmp_path, trusted=False, accept_new_host_key=accept))
        assert "is not the one in" in str(error)
        assert "ssh-keygen -f" in error.fix
        assert (tmp_path / "known_hosts").read_text() == line
    # the command of the fix does what it says
    command = error.fix.split(": ", 1)[1].split(";")[0]
    subprocess.run(command, shell=True, check=True, capture_output=True)
    assert "is not in" in str(refused(sshd.transport(tmp_path, trusted=False)))


def test_hashed_known_hosts(sshd, tmp_path):
    options = sshd.options(tmp_path)
    subprocess.run(
        ["ssh-keygen", "-q", "-H", "-f", str(options.known_hosts)], check=True, capture_output=True
    )
    assert options.known_hosts.read_text().startswith("|1|")
    transport = SshTransport(options, name="board")
    assert run(transport, "true") == (b"", 0)
    transport.close()


def test_known_hosts_that_cannot_be_written(sshd, tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("")
    error = refused_any(
        sshd.transport(
            tmp_path, trusted=False, known_hosts=blocker / "known_hosts", accept_new_host_key=True
        )
    )
    assert "cannot be kept" in str(error)


def refused_any(transport):
    with pytest.raises(HostUnreachable) as caught:
        transport.start(["true"])
    transport.close()
    return caught.value


# errors


def test_wrong_port(sshd, tmp_path):
    error = refused(sshd.transport(tmp_path, port=free_port()))
    assert "nothing answers at [127.0.0.1]:" in str(error)
    assert "refused" in str(error)


def test_no_such_name(sshd, tmp_path):
    error = refused(sshd.transport(tmp_path, host="no-such-board.invalid"))
    assert "no host named no-such-board.invalid" in str(error)


def test_wrong_key(sshd, tmp_path, other_key):
    error = refused(sshd.transport(tmp_path, key=other_key))
    assert "does not let" in str(error)
    assert f"ssh-copy-id -p {sshd.port}" in error.fix


def test_key_file_missing(sshd, tmp_path):
    with pytest.raises(HostUnreachable, match="there is no key") as caught:
        sshd.transport(tmp_path, key=tmp_path / "none").start(["true"])
    assert caught.value.fix


def test_key_with_passphrase(sshd, tmp_path):
    key = tmp_path / "locked"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", str(key)], check=True
    )
    error = refused(sshd.transport(tmp_path, key=key))
    assert "passphrase" in str(error)
    assert "ssh-add" in error.fix


def test_a_port_that_is_silent(sshd, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        begin = time.monotonic()
        port = server.getsockname()[1]
        error = refused(sshd.transport(tmp_path, port=port, connect_timeout_s=1))
        assert time.monotonic() - begin < 8
        assert "no ssh connection to" in str(error)
        assert f"-p {port}" in error.fix


def test_a_port_that_is_no_ssh(sshd, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            peer, _ = server.accept()
            with peer:
                peer.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
                peer.recv(1000)

        thread = threading.Thread(target=answer)
        thread.start()
        error = refused(sshd.transport(tmp_path, port=server.getsockname()[1], connect_timeout_s=1))
        thread.join()
    assert "no ssh connection to" in str(error)


def test_paramiko_says_nothing_on_the_terminal(sshd, tmp_path, capfd):
    refused(sshd.transport(tmp_path, port=free_port()))
    refused(sshd.transport(tmp_path, trusted=False))
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("paramiko").handlers


# configuration


def test_ssh_config_is_honoured(sshd, tmp_path):
    options = sshd.options(tmp_path)
    options.ssh_config.write_text(
        f"Host pi-lab\n  HostName 127.0.0.1\n  Port {sshd.port}\n  User {options.user}\n"
        f"  IdentityFile {sshd.key}\n  IdentityFile {tmp_path}/none\n"
        f"  UserKnownHostsFile {tmp_path}/known_hosts\n  IdentitiesOnly yes\n"
    )
    transport = SshTransport(SshOptions(host="pi-lab", ssh_config=options.ssh_config), name="board")
    assert run(transport, "echo", "a") == (b"a\n", 0)
    assert transport.is_root == (options.user == "root")
    transport.close()


def test_options_win_over_ssh_config(sshd, tmp_path):
    options = sshd.options(tmp_path)
    options.ssh_config.write_text("Host *\n  User nobody-at-all\n  Port 1\n")
    transport = SshTransport(options)
    assert run(transport, "true") == (b"", 0)
    transport.close()


def test_broken_ssh_config(sshd, tmp_path):
    (tmp_path / "ssh_config").write_text("Host\n  Port = = x y\nMatch nonsense\n")
    error = refused(sshd.transport(tmp_path))
    assert "no way to 127.0.0.1 by ssh's configuration" in str(error)
    assert "bad configuration options" in str(error)


def test_ssh_config_that_is_not_there(sshd, tmp_path):
    error = refused(sshd.transport(tmp_path, ssh_config=tmp_path / "none"))
    assert "No such file" in str(error)


def way(tmp_path, host, text, **more):
    (tmp_path / "ssh_config").write_text(text)
    return ways(SshOptions(host=host, ssh_config=tmp_path / "ssh_config", **more), "board")


def test_include_and_match_mean_what_they_mean_to_ssh(tmp_path):
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "lab").write_text("Host pi4\n  User bob\n  HostName 192.0.2.7\n")
    text = f"Include {tmp_path}/conf.d/*\nMatch host pi5\n  Port 2205\nHost *\n  User other\n"
    (found,) = way(tmp_path, "pi4", text)
    assert (found.user, found.host, found.port) == ("bob", "192.0.2.7", 22)
    (found,) = way(tmp_path, "pi5", text)
    assert (found.user, found.host, found.port) == ("other", "pi5", 2205)


def test_the_inventory_wins_over_the_configuration(tmp_path):
    (found,) = way(tmp_path, "pi4", "Host *\n User a\n Port 1\n", user="b", port=2)
    assert (found.user, found.port) == ("b", 2)
    (found,) = way(tmp_path, "pi4", "Host *\n User a\n", args=("-l", "c", "-o", "Port=3"))
    assert (found.user, found.port) == ("c", 3)


def test_proxyjump_none_goes_straight(tmp_path):
    text = "Host pi4 bastion\n  ProxyJump none\nHost *\n  ProxyJump bastion\n"
    assert [one.host for one in way(tmp_path, "pi4", text)] == ["pi4"]
    assert [one.host for one in way(tmp_path, "pi5", text)] == ["pi5", "bastion"]


def test_several_jump_hosts_are_gone_through_in_order(tmp_path):
    text = "Host c\n  Port 7\nHost b\n  User bob\n"
    found = way(tmp_path, "pi", text, args=("-J", "a@a.lab:2022,[::1]:23,b"))
    assert [(one.host, one.port) for one in found] == [
        ("pi", 22),
        ("b", 22),
        ("::1", 23),
        ("a.lab", 2022),
    ]
    assert [found[1].user, found[3].user] == ["bob", "a"]


def test_jump_hosts_in_a_circle_are_said(tmp_path):
    with pytest.raises(HostUnreachable, match=r"loop|circle|more than 8"):
        way(tmp_path, "a", "Host a\n ProxyJump b\nHost b\n ProxyJump a\n")
    with pytest.raises(HostUnreachable, match="jumphost loop"):
        way(tmp_path, "pi5", "Host *\n  ProxyJump bastion\n")


def test_a_file_of_known_hosts_may_have_a_blank_in_its_name(tmp_path):
    """ssh -G writes it without quotes; its second half was taken for a file of this folder."""
    config = tmp_path / "config"
    config.write_text('Host h\n  UserKnownHostsFile /tmp/a "/tmp/my hosts" ~/b\n')
    (way,) = ways(SshOptions(host="h", ssh_config=config), "h")
    assert [str(file) for file in way.known_hosts][:3] == [
        "/tmp/a", "/tmp/my hosts", str(Path.home() / "b"),
    ]  # fmt: skip


def test_tokens_are_filled_in(tmp_path):
    text = (
        "Host pi\n HostName h\n User u\n ProxyCommand nc %h %p %r %n 100%%\n IdentityFile ~/%r-%h\n"
    )
    (found,) = way(tmp_path, "pi", text)
    assert found.command == "nc h 22 u pi 100%"
    assert found.keys == (Path("~/u-h").expanduser(),)


def test_ssh_is_asked_once_a_host(tmp_path, monkeypatch):
    asked = tmp_path / "asked"
    real = shutil.which("ssh")
    (tmp_path / "ssh").write_text(f'#!/bin/sh\necho x >> {asked}\nexec {real} "$@"\n')
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    for _ in range(3):
        way(tmp_path, "asked-once", "Host *\n User a\n")
    assert asked.read_text() == "x\n"
    monkeypatch.setenv("PATH", "")
    with pytest.raises(HostUnreachable, match="no ssh on this machine") as caught:
        way(tmp_path, "never-asked", "")
    assert "openssh-client" in caught.value.fix


def test_a_proxy_command_carries_the_bytes(sshd, tmp_path):
    options = sshd.options(tmp_path)
    program = tmp_path / "relay.py"
    program.write_text(
        "import os, socket, sys, threading\n"
        "s = socket.create_connection((sys.argv[1], int(sys.argv[2])))\n"
        "def up():\n"
        "    while data := os.read(0, 65536): s.sendall(data)\n"
        "threading.Thread(target=up, daemon=True).start()\n"
        "while data := s.recv(65536): os.write(1, data)\n"
    )
    options.ssh_config.write_text(f"Host *\n  ProxyCommand {sys.executable} {program} %h %p\n")
    transport = SshTransport(options, name="board")
    assert run(transport, "echo", "a") == (b"a\n", 0)
    transport.close()


# known_hosts


def known(sshd, tmp_path, *lines, **more):
    """A connection where known_hosts has these lines; KEY is the server's, OTHER another one."""
    options = sshd.options(tmp_path, **more)
    where = f"[127.0.0.1]:{sshd.port}"
    text = "".join(f"{line}\n" for line in lines)
    options.known_hosts.write_text(text.replace("KEY", sshd.host_key).replace("HOST", where))
    return SshTransport(options, name="board")


@pytest.mark.parametrize(
    "lines",
    [
        ["HOST KEY a comment with words"],
        ["other,HOST,third KEY"],
        ["[127.0.0.*]:* KEY"],
        ["# HOST ssh-rsa AAAA", "", "garbage", "HOST KEY"],
        ["127.0.0.1 KEY"],
        ["HOST ssh-rsa AAAA not base64 =", "HOST KEY"],
        ["@cert-authority * KEY", "HOST KEY"],
        ["@revoked elsewhere KEY", "HOST KEY"],
        ["@unheard-of HOST ssh-rsa AAAA", "HOST KEY\r"],
    ],
)
def test_lines_of_known_hosts_that_trust(sshd, tmp_path, lines):
    transport = known(sshd, tmp_path, *lines)
    assert run(transport, "true") == (b"", 0)
    transport.close()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["@revoked HOST KEY", "HOST KEY"], "is revoked in"),
        (["HOST KEY", "@revoked * KEY"], "is revoked in"),
        # of the host at every port: ssh does not take it either
        (["127.0.0.1 KEY", "@revoked 127.0.0.1 KEY"], "is not in"),
        (["!HOST,!127.0.0.1,* KEY"], "is not in"),
        (["[127.0.0.2]:* KEY"], "is not in"),
        (["@cert-authority HOST KEY"], "has no certificate of"),
        (["# HOST KEY"], "is not in"),
        (["HOST KEYx"], "is not in"),
    ],
)
def test_lines_of_known_hosts_that_do_not(sshd, tmp_path, lines, message):
    error = refused(known(sshd, tmp_path, *lines))
    assert message in str(error)


def test_a_revoked_key_is_refused_even_with_accept_new(sshd, tmp_path):
    assert "is revoked" in str(
        refused(known(sshd, tmp_path, "@revoked * KEY", accept_new_host_key=True))
    )


def test_an_alias_is_looked_for_in_place_of_the_host(sshd, tmp_path):
    options = sshd.options(tmp_path)
    options.ssh_config.write_text("Host *\n  HostKeyAlias pi-lab\n")
    options.known_hosts.write_text(f"pi-lab {sshd.host_key}\n")
    transport = SshTransport(options, name="board")
    assert run(transport, "true") == (b"", 0)
    transport.close()


def test_a_key_of_another_kind_is_known(sshd, tmp_path, other_key):
    """What is known is asked for; a server that cannot show it is not the one that was known."""
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", str(tmp_path / "ecdsa")], check=True
    )
    kind, text, *_ = (tmp_path / "ecdsa.pub").read_text().split()
    error = refused(known(sshd, tmp_path, f"HOST {kind} {text}", accept_new_host_key=True))
    assert f"where a {kind} is known" in str(error)


def test_strict_host_key_checking_and_hashed_names_of_the_configuration(sshd, tmp_path):
    options = sshd.options(tmp_path, trusted=False)
    options.ssh_config.write_text(
        "Host *\n  StrictHostKeyChecking accept-new\n  HashKnownHosts yes\n"
    )
    for _ in range(2):
        transport = SshTransport(options, name="board")
        assert run(transport, "true") == (b"", 0)
        transport.close()
    (line,) = options.known_hosts.read_text().splitlines()
    assert line.startswith("|1|")
    asked = ["ssh-keygen", "-F", f"[127.0.0.1]:{sshd.port}", "-f", str(options.known_hosts)]
    assert sshd.host_key in subprocess.run(asked, check=True, capture_output=True, text=True).stdout


def test_a_list_of_revoked_keys(sshd, tmp_path):
    options = sshd.options(tmp_path)
    options.ssh_config.write_text(f"Host *\n  RevokedHostKeys {tmp_path}/revoked\n")
    (tmp_path / "revoked").write_text("# none\n")
    transport = SshTransport(options, name="board")
    assert run(transport, "true") == (b"", 0)
    transport.close()
    (tmp_path / "revoked").write_text(f"{sshd.host_key}\n")
    assert "is revoked by" in str(refused(SshTransport(options, name="board")))
    krl = ["ssh-keygen", "-q", "-k", "-f", str(tmp_path / "revoked")]
    subprocess.run([*krl, str(sshd.folder / "user_key.pub")], check=True)
    assert run(transport, "true") == (b"", 0)
    transport.close()
    subprocess.run([*krl, str(sshd.folder / "host_key.pub")], check=True)
    assert "is revoked by" in str(refused(SshTransport(options, name="board")))
    (tmp_path / "revoked").unlink()
    assert "is revoked by" in str(refused(SshTransport(options, name="board")))


def jump(sshd, tmp_path, *, known: str) -> SshTransport:
    options = sshd.options(tmp_path)
    options.ssh_config.write_text(
        f"Host target\n  HostName localhost\n  Port {sshd.port}\n  ProxyJump hop\n"
        f"Host hop\n  HostName 127.0.0.1\n  Port {sshd.port}\n  User {options.user}\n"
        f"  IdentityFile {sshd.key}\n"
    )
    options.known_hosts.write_text(known)
    return SshTransport(dataclasses.replace(options, host="target", port=None), name="board")


def test_jump_host(sshd, tmp_path):
    name = f"[127.0.0.1]:{sshd.port},[localhost]:{sshd.port}"
    transport = jump(sshd, tmp_path, known=f"{name} {sshd.host_key}\n")
    assert run(transport, "echo", "a") == (b"a\n", 0)
    assert run(transport, "echo", "b") == (b"b\n", 0)
    assert transport.connects == 1
    transport.close()


def test_fabric_files_are_not_read(sshd, tmp_path, monkeypatch):
    """Nor by the copy of its configuration that fabric makes for a jump host."""
    home = tmp_path / "home"
    home.mkdir()
    for name in (".fabric.yaml", ".fabric.py", ".invoke.yaml"):
        (home / name).write_text("this: [is not: yaml\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("FABRIC_PORT", "1")
    name = f"[127.0.0.1]:{sshd.port},[localhost]:{sshd.port}"
    transport = jump(sshd, tmp_path, known=f"{name} {sshd.host_key}\n")
    assert run(transport, "true") == (b"", 0)
    transport.close()


def test_unknown_jump_host_is_refused(sshd, tmp_path):
    """fabric gives a jump host the policy that accepts everything."""
    transport = jump(sshd, tmp_path, known=f"[localhost]:{sshd.port} {sshd.host_key}\n")
    assert f"[127.0.0.1]:{sshd.port} is not in" in str(refused(transport))
    transport = jump(sshd, tmp_path, known=f"[127.0.0.1]:{sshd.port} {sshd.host_key}\n")
    assert f"[localhost]:{sshd.port} is not in" in str(refused(transport))


# one connection


def test_one_connection_for_many_processes(sshd, tmp_path):
    transport = sshd.transport(tmp_path)
    before = sshd.log().count("Accepted publickey")
    for _ in range(4):
        assert run(transport, "true") == (b"", 0)
    assert sshd.log().count("Accepted publickey") == before + 1
    assert (transport.connects, transport.execs) == (1, 4)
    transport.close()
    transport.close()
    assert run(transport, "true") == (b"", 0)  # opens again
    transport.close()


def counted(transport, count):
    channels = []
    try:
        for _ in range(count):
            channels.append(transport.start(["sleep", "9"]))
    finally:
        for channel in channels:
            channel.close()
        transport.close()


def test_more_processes_at_once_than_a_connection_takes(sshd, tmp_path):
    transport = sshd.transport(tmp_path)
    counted(transport, 12)
    assert transport.connects == 2


@pytest.fixture(scope="module")
def one_session(tmp_path_factory):
    server = start_sshd(tmp_path_factory.mktemp("one"), "MaxSessions 1")
    yield server
    stop_sshd(server)


def test_a_server_with_one_session_a_connection(one_session, tmp_path):
    """A session that has just ended is waited for; one that goes on is joined by a connection."""
    transport = one_session.transport(tmp_path)
    for n in range(5):
        assert run(transport, "echo", str(n)) == (f"{n}\n".encode(), 0)
    assert transport.connects == 1
    channel = transport.start(["cat"])
    assert run(transport, "echo", "beside") == (b"beside\n", 0)
    assert transport.connects == 2
    channel.write(b"still here\n")
    channel.close_stdin()
    assert list(channel) == [b"still here\n"]
    channel.close()
    transport.close()
    with pytest.raises(HostUnreachable, match="starts no more processes") as caught:
        counted(one_session.transport(tmp_path), 5)
    assert "MaxSessions" in caught.value.fix


# a link that breaks


def test_cut_while_a_process_runs(sshd, proxy, tmp_path):
    transport = sshd.transport(tmp_path, port=proxy.port)
    channel = transport.start(["sh", "-c", "echo a; read go; printf b; exec sleep 30"])
    seen = []
    for line in channel:
        seen.append(line)
        if line == b"a\n":
            carried = proxy.carried["cut_after"]
            channel.write(b"\n")
            until(lambda: proxy.carried["cut_after"] > carried)  # noqa: B023 - used at once
            proxy.cut()
    assert seen == [b"a\n", b"b"]
    assert channel.exit_code() is None
    assert not channel.link_alive()
    with pytest.raises(OSError):
        channel.write(b"x")
    channel.close_stdin()
    channel.close()
    # the same transport connects again
    assert run(transport, "echo", "again") == (b"again\n", 0)
    assert transport.connects == 2
    transport.close()


def test_link_that_stays_down(sshd, proxy, tmp_path):
    transport = sshd.transport(tmp_path, port=proxy.port)
    channel = transport.start(["cat"])
    proxy.down = True
    proxy.cut()
    until(lambda: not channel.link_alive())
    channel.close()
    with pytest.raises(HostUnreachable) as caught:
        transport.start(["true"])
    assert caught.value.exit_code == 4
    proxy.down = False
    assert run(transport, "true") == (b"", 0)
    transport.close()


def test_link_lost_is_unreachable():
    assert issubclass(LinkLost, HostUnreachable)
    assert LinkLost("x").exit_code == 4


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux only")
def test_dead_peer_is_noticed(sshd, tmp_path):
    transport = sshd.transport(tmp_path, keepalive_s=7)
    assert run(transport, "true") == (b"", 0)
    sock = transport._links[0].transport.sock
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 14000
    transport.close()


def test_root_is_told_by_the_login_name(sshd, tmp_path):
    assert sshd.transport(tmp_path, user="root").is_root
    assert not sshd.transport(tmp_path, user="pi").is_root


# lazy


def test_fabric_is_imported_only_when_needed():
    text = (
        "import sys\n"
        "import runner.cli, runner.transports.local, runner.transports.ssh\n"
        "import runner.executor.trial, runner.executor.converge, runner.executor.probe\n"
        "from runner.transports.ssh import SshTransport\n"
        "from runner.transports.ssh_options import SshOptions\n"
        "SshTransport(SshOptions(host='pi')).close()\n"
        "print([m for m in ('fabric', 'paramiko', 'invoke', 'cryptography') if m in sys.modules])\n"
    )
    out = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert out.stdout == "[]\n"


def test_only_the_ssh_transport_names_fabric():
    package = Path(__file__).parents[2] / "runner"
    naming = [
        str(file.relative_to(package))
        for file in package.rglob("*.py")
        for line in file.read_text().splitlines()
        if line.strip().startswith(
            ("import fabric", "from fabric", "import paramiko", "from paramiko")
        )
    ]
    assert set(naming) == {
        "transports/ssh.py", "transports/ssh_connection.py", "transports/ssh_trust.py",
    }  # fmt: skip


def test_slow_start_files_are_paid_once_a_program(tmp_path):
    """A login shell's start-up file may fork a hundred times: one exec, one start-up."""
    folder = tmp_path / "sshd"
    folder.mkdir()
    (folder / "rc").write_text(f"echo x >> {folder}/starts\n")
    server = start_sshd(
        folder, f'ForceCommand /bin/sh {folder}/rc; exec sh -c "$SSH_ORIGINAL_COMMAND"'
    )
    try:
        transport = server.transport(tmp_path)
        assert run(transport, "echo", "it's") == (b"it's\n", 0)
        transport.close()
        assert (folder / "starts").read_text() == "x\n"
    finally:
        stop_sshd(server)
