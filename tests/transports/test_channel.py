"""What every transport must do, by the same tests: plain processes, no agent."""

import sys
import time

import pytest

from runner.transports.local import LocalTransport
from tests.transports.fake import FakeTransport
from tests.waiting import until


@pytest.fixture(params=["local", "ssh", "fake"])
def transport(request, tmp_path):
    if request.param == "local":
        made = LocalTransport()
    elif request.param == "fake":
        made = FakeTransport()
    else:
        made = request.getfixturevalue("sshd").transport(tmp_path)
    yield made
    made.close()


def python(text: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", text]


def talk(transport, argv, data=b""):
    channel = transport.start(argv)
    try:
        if data:
            channel.write(data)
        channel.close_stdin()
        lines = list(channel)
        return lines, channel.exit_code(), channel.stderr()
    finally:
        channel.close()


def test_lines_exit_code_and_stderr(transport):
    lines, code, stderr = talk(transport, ["sh", "-c", "echo a; echo b; echo oops >&2; exit 3"])
    assert (lines, code, stderr) == ([b"a\n", b"b\n"], 3, "oops\n")


def test_argv_arrives_as_it_was(transport):
    argv = ["", "a b", "it's", '"', "$HOME", "*", "\\", "`id`", "a\nb", "ü", "%s", "!", "{x}"]
    lines, code, _ = talk(transport, [*python("import sys; print(ascii(sys.argv[1:]))"), *argv])
    assert code == 0
    assert lines == [ascii(argv).encode() + b"\n"]


def test_last_line_without_newline_is_kept_apart(transport):
    lines, _, _ = talk(transport, ["printf", "a\\nb"])
    assert lines == [b"a\n", b"b"]


def test_bytes_pass_unchanged(transport):
    data = bytes(range(256)) * 7 + b"\r\n\x00\xff"
    lines, _, _ = talk(transport, ["cat"], data)
    assert b"".join(lines) == data


def test_large_input_is_fast(transport):
    """fabric's own input takes 10 ms for each character: this would be 9 hours."""
    data = b"x" * 3_000_000 + b"\n"
    begin = time.monotonic()
    lines, code, _ = talk(
        transport, python("import sys; print(len(sys.stdin.buffer.read()))"), data
    )
    assert (lines, code) == ([b"3000001\n"], 0)
    assert time.monotonic() - begin < 20


def test_large_output_and_much_stderr_do_not_block(transport):
    text = "import sys\nfor i in range(40000): print('o'*99); print('e'*99, file=sys.stderr)"
    lines, code, stderr = talk(transport, python(text))
    assert (len(lines), code) == (40000, 0)
    assert len(stderr) == 65536  # the tail


def test_stderr_alone_does_not_block(transport):
    text = "import sys\nfor i in range(50000): print('e'*99, file=sys.stderr)\nprint('done')"
    lines, code, _ = talk(transport, python(text))
    assert (lines, code) == ([b"done\n"], 0)


def test_a_line_comes_when_it_is_written(transport):
    """An answer can be read before the process ends, and answered in turn."""
    channel = transport.start(
        python("print('ready', flush=True); print(input()[::-1], flush=True); input()")
    )
    try:
        lines = iter(channel)
        assert next(lines) == b"ready\n"
        channel.write(b"abc\n")
        assert next(lines) == b"cba\n"
    finally:
        channel.close()


def test_nobody_reads(transport):
    """A write to an ended process is an OSError, and its last words are still there."""
    channel = transport.start(["sh", "-c", "echo why >&2; exit 5"])
    try:
        assert list(channel) == []
        with pytest.raises(OSError):  # noqa: PT012
            for _ in range(100):
                channel.write(b"x" * 65536)
        assert channel.exit_code() == 5
        assert channel.stderr() == "why\n"
    finally:
        channel.close()


def test_close_ends_a_process_that_waits_for_input(transport, tmp_path):
    mark = tmp_path / "mark"
    channel = transport.start(["sh", "-c", f"cat; touch {mark}"])
    channel.close()
    channel.close()
    until(mark.exists)


def test_many_processes_in_turn(transport):
    for i in range(12):  # more than sshd's MaxSessions at once
        lines, _, _ = talk(transport, ["echo", str(i)])
        assert lines == [f"{i}\n".encode()]
    assert transport.execs == 12


def test_killed_process(transport):
    lines, code, _ = talk(transport, ["sh", "-c", "echo a; kill -9 $$"])
    assert lines == [b"a\n"]
    assert code in {-9, None}  # ssh hands the signal on in a message that paramiko drops


def test_link_is_alive_after_a_process_ended(transport):
    channel = transport.start(["true"])
    assert list(channel) == []
    assert channel.link_alive()
    channel.close()
