"""Hosts as they are found: noisy shells, silence, slow links, no Python; the real agent over sshd."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading

import pytest

from runner.errors import HostUnreachable, ProgramRefused
from runner.executor import agent as conversation
from runner.executor.agent import Agent
from runner.executor.limits import limits
from runner.executor.probe import probe
from runner.host import boot
from runner.transports.bounds import Bounds
from runner.transports.lines import LimitError, Silence
from runner.transports.local import LocalTransport
from tests.sshd import start_sshd, stop_sshd

NOISE = {
    "no-newline": "printf 'Welcome '",
    "title": r"printf '\033]0;pi@pi4\007'",
    "csh": "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do "
    "echo 'set: Variable name must begin with a letter.'; done",
    "json": 'echo \'{"not": "an event"}\'; echo 17; echo null',
    "bytes": r"printf '\377\376\000 \r\n'",
    "much": "yes | head -c 3000000",
}


@pytest.fixture(params=NOISE)
def noisy(request, tmp_path):
    folder = tmp_path / "sshd"
    folder.mkdir()
    (folder / "rc").write_text(NOISE[request.param] + "\n" + NOISE[request.param] + " >&2\n")
    server = start_sshd(
        folder, f"ForceCommand /bin/sh -c '. {folder}/rc; exec sh -c \"$SSH_ORIGINAL_COMMAND\"'"
    )
    yield server
    stop_sshd(server)


def asked(transport, state, **more) -> Agent:
    return Agent(transport, run_id="r1", state_dir=str(state), **more)


def test_what_a_start_up_file_prints_costs_no_event(noisy, tmp_path):
    transport = noisy.transport(tmp_path)
    agent = asked(transport, tmp_path / "state")
    for _ in range(2):  # the first time with the agent on its way
        assert probe(agent, facts=False).host.journal_entries == 0
    transport.close()


@pytest.mark.parametrize("shell", ["sh", "bash", "dash", "tcsh", "csh", "fish", "zsh", "ksh"])
def test_every_login_shell_hands_the_command_on(shell, tmp_path):
    """A C shell ends a quoted word at the end of a line."""
    import shlex

    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"no {shell} here")
    command = shlex.join(boot.command(str(tmp_path / "state"), sys.executable))
    assert "\n" not in command
    program = b'{"version": 1, "run": "r1", "program": "status"}'
    done = subprocess.run(
        [path, "-c", command],
        input=boot.frame(program) + boot.frame(boot.agent_zip()),
        capture_output=True,
        check=False,
    )
    assert b'"event":"end"' in done.stdout, done.stderr


class Script(LocalTransport):
    """A host that plays what a test tells it, in place of the agent."""

    def __init__(self, text: str) -> None:
        super().__init__(name="board")
        self._text = text

    def start(self, argv):
        del argv
        return super().start(
            [sys.executable, "-I", "-S", "-c", "import os, sys, time\n" + self._text]
        )


FRAME = "sys.stdin.buffer.readline()\n"


def test_silence_behind_a_link_that_stands_is_said_and_ends(tmp_path, monkeypatch):
    monkeypatch.setenv("RUNNER_LIMITS", "silent_s=2,quiet_s=1")
    told = []
    agent = asked(Script(FRAME + "sys.stdin.read()"), tmp_path, on_quiet=told.append)
    with pytest.raises(Silence, match=r"nothing was heard for .* \(limit silent_s: 2\)"):
        probe(agent)
    assert told
    assert "board: nothing heard for 1 s" in told[0]


def test_a_sign_of_life_is_none_of_the_events(tmp_path, monkeypatch):
    monkeypatch.setenv("RUNNER_LIMITS", "silent_s=2")
    text = FRAME + (
        "for _ in range(8): os.write(1, b'\\n'); time.sleep(0.4)\n"
        """print('{"event": "host"}\\n{"event": "end", "ok": true}')"""
    )
    assert probe(asked(Script(text), tmp_path), facts=False).host.busy is None


def test_a_stopped_agent_is_silent(tmp_path, monkeypatch):
    """The real one, frozen: nothing says that the link is dead."""
    monkeypatch.setenv("RUNNER_LIMITS", "silent_s=3")
    transport = LocalTransport(name="board")
    agent = asked(transport, tmp_path / "state")
    probe(agent, facts=False)
    start = transport.start

    def frozen(argv):
        channel = start(argv)
        os.kill(channel.pid, signal.SIGSTOP)
        threading.Timer(8, lambda: os.kill(channel.pid, signal.SIGCONT)).start()
        return channel

    monkeypatch.setattr(transport, "start", frozen)
    with pytest.raises(Silence):
        probe(agent, facts=False)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("while True: os.write(1, b'x' * 65536)", LimitError, "a line of more than 1000000 bytes"),
        (
            "while True: os.write(1, b'{\"event\": \"idle_started\"}\\n' * 1000)",
            LimitError, "more than 5000 events (limit events)",
        ),
        (
            "while True: os.write(1, b'{\"event\": \"value\", \"id\": \"' + b'x' * 9999 + b'\"}\\n')",
            LimitError, "more than 3000000 bytes of events (limit stream_bytes)",
        ),
        ("while True: os.write(1, b'\\n'); time.sleep(0.05)", LimitError, "nothing"),
        ("""print('{"event": "end", "ok": true}')""", ProgramRefused, "the probe ended without FactsRead, HostSaid"),
        (
            """print('{"event": "facts", "facts": {"a": NaN}}')""",
            Exception, "board",
        ),
    ],
)  # fmt: skip
def test_what_a_hostile_host_sends_is_one_clear_error(tmp_path, monkeypatch, text, error, message):
    if message == "nothing":
        pytest.skip("signs of life alone are bounded by program_s, an hour")
    monkeypatch.setenv("RUNNER_LIMITS", "line_bytes=1000000,events=5000,stream_bytes=3000000")
    with pytest.raises(error) as caught:
        probe(asked(Script(FRAME + text), tmp_path))
    assert message in str(caught.value)


def test_limits_are_named_where_they_are_wrong(monkeypatch):
    for text in ("lines=3", "events", "events=x", "events=0"):
        monkeypatch.setenv("RUNNER_LIMITS", text)
        with pytest.raises(Exception, match="RUNNER_LIMITS"):
            limits()
    monkeypatch.setenv("RUNNER_LIMITS", "stream_bytes=2GiB, events=7")
    assert (limits().stream_bytes, limits().events) == (2 << 30, 7)
    assert Bounds().silent_s == limits().silent_s


def test_an_upload_goes_on_where_it_was_cut(sshd, proxy, tmp_path, monkeypatch):
    monkeypatch.setattr(conversation, "UPLOAD_PAUSE_S", 0)
    transport = sshd.transport(tmp_path, port=proxy.port)
    agent = asked(transport, tmp_path / "state")
    transport.start(["true"]).close()
    proxy.cut_after_sent = 150_000
    before = proxy.carried["cut_after_sent"]
    assert probe(agent, facts=False).host.journal_entries == 0
    assert proxy.cuts == 1
    # both parts together are little more than the agent, whatever was in flight
    sent = proxy.carried["cut_after_sent"] - before
    assert sent < len(boot.agent_zip()) + 120_000
    assert not list((tmp_path / "state").glob("*.part"))
    transport.close()


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("sudo") is None, reason="wants sudo")
def test_no_python_under_become_is_said_to_be_that(sshd, tmp_path):
    import dataclasses

    options = dataclasses.replace(sshd.options(tmp_path), python="python3.99")

    class NotRoot(type(sshd.transport(tmp_path))):
        is_root = False

    transport = NotRoot(options, name="board")
    with pytest.raises(HostUnreachable, match=r"cannot run python3\.99"):
        probe(asked(transport, tmp_path / "state", become=True))
    transport.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system")
def test_a_read_only_state_folder_is_said_with_what_to_do(tmp_path):
    folder = tmp_path / "ro"
    folder.mkdir()
    inner = f'mount -t tmpfs -o ro none {folder} && exec "$@"'

    class Mounted(LocalTransport):
        def start(self, argv):
            return super().start(["unshare", "-m", "sh", "-c", inner, "sh", *argv])

    with pytest.raises(ProgramRefused, match="Read-only file system") as caught:
        probe(asked(Mounted(name="board"), folder / "state"))
    assert "state in hosts.yaml" in caught.value.fix
