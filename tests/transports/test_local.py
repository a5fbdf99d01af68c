"""What is the local transport's own."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from runner.errors import HostUnreachable
from runner.transports.local import LocalTransport


def test_program_that_is_not_there():
    with pytest.raises(HostUnreachable, match="cannot start /no/such") as caught:
        LocalTransport().start(["/no/such"])
    assert isinstance(caught.value.__cause__, FileNotFoundError)


def test_interpreter_is_the_one_at_hand():
    assert LocalTransport().python == sys.executable
    assert LocalTransport(python="/usr/bin/python3").python == "/usr/bin/python3"


def test_root_is_seen():
    assert LocalTransport().is_root == (os.geteuid() == 0)


def test_ctrl_c_reaches_the_controller_alone(tmp_path):
    """The agent must not be interrupted in the middle of a change."""
    text = """
        import os, signal, sys
        from runner.transports.local import LocalTransport
        channel = LocalTransport().start(["sh", "-c", "echo ready; read x; echo unharmed"])
        lines = iter(channel)
        next(lines)
        try:
            os.killpg(0, signal.SIGINT)
            signal.pause()
        except KeyboardInterrupt:
            channel.write(b"x\\n")
            sys.stdout.write(next(lines).decode())
            channel.close()
    """
    out = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text)],
        capture_output=True, text=True, check=True, process_group=0,
    )  # fmt: skip
    assert out.stdout == "unharmed\n"


def test_close_insists():
    channel = LocalTransport().start(
        ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.02; done"]
    )
    assert next(iter(channel)) == b"ready\n"
    channel.close(0.1)
    assert channel.exit_code() == -signal.SIGKILL
    assert channel.stderr() == ""


def test_last_words_are_there_after_close():
    channel = LocalTransport().start(["sh", "-c", "echo why >&2"])
    assert channel.exit_code() == 0
    channel.close()
    assert channel.stderr() == "why\n"
    assert list(channel) == []
    with pytest.raises(OSError):
        channel.write(b"x")


def test_exit_code_of_a_process_that_runs_on():
    channel = LocalTransport().start(["sleep", "60"])
    assert channel.exit_code(0.05) is None
    os.kill(channel.pid, signal.SIGKILL)
    assert channel.exit_code() == -9
    channel.close()
