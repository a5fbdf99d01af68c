"""What is printed does nothing to a terminal, whoever said it."""

import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.cli import console
from runner.cli.terminal import Terminal
from runner.records.trial_events import Columns, Sample


class Tty(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    "text",
    ["a\x1b]0;title\x07b", "a\x1b[2Jb", "a\x1b[8mb", "a\x9b31mb", "a\rb", "a\x08b", "a\u202eb", "a\u2066b",
     "a\x1b]8;;http://x\x1b\\\\b", "a\x1bcb", "a\ud800b", "a\x00b", "a\u2028b"],
)  # fmt: skip
def test_what_acts_is_taken_out(text):
    found = console.hidden(text)
    assert found.startswith("a\ufffd")
    assert found.endswith("b")
    assert not set(found) & set("\x1b\x07\x9b\r\x08\x00\u202e\u2066\u2028")


def test_our_colours_line_ends_and_words_stay(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    text = console.colour("ok", "ok", Tty()) + "\n\tGröße 大页 é 👍"
    assert console.hidden(text) == text


@given(st.text())
def test_nothing_printable_is_lost(text):
    found = console.hidden(text)
    assert [c for c in found if c.isprintable() and c != "\ufffd"] == [
        c for c in console._UNSEEN.sub("", text) if c.isprintable() and c != "\ufffd"
    ]
    found.encode()  # what is no character is gone


def test_a_line_of_progress_cannot_be_two(capsys):
    progress = console.Progress(io.StringIO())
    progress.line("a\x1b[1Ab")
    assert "\x1b" not in progress.stream.getvalue()


class Screen(io.StringIO):
    """A terminal of 40 × 6."""

    def isatty(self):
        return True

    def fileno(self):
        return 1


def test_every_board_has_a_live_line(monkeypatch):
    """As many lines as boards, replaced where they stand, gone before a line that stays."""
    monkeypatch.setattr(console.os, "get_terminal_size", lambda _: os.terminal_size((40, 6)))
    monkeypatch.setenv("NO_COLOR", "1")
    clock = iter(range(1, 100))
    monkeypatch.setattr(console.time, "monotonic", lambda: float(next(clock)))
    screen = Screen()
    terminal = Terminal(progress=console.Progress(screen))
    for board in ("a", "b"):
        terminal.trial_started(f"{board}: t-r1-a1", {}, 1, 4, 30.0)
        terminal.event(f"{board}: t-r1-a1", Columns(names=("procfs.status.VmRSS",)))
    screen.truncate(0)
    terminal.event("a: t-r1-a1", Sample(t=1.0, v=[1024]))
    terminal.event("b: t-r1-a1", Sample(t=1.0, v=[2048]))
    said = screen.getvalue()
    first, second = said.rpartition("\r\x1b[2K")[2].split("\n")
    assert first.startswith("   a: ")
    assert first.endswith("rss 1.0 MiB")
    assert second.startswith("   b: ")
    assert second.endswith("rss 2.0 MiB")
    terminal.event("a: t-r1-a1", Sample(t=1.1, v=[4096]))
    assert "\r\x1b[2K\x1b[1A\x1b[2K" in screen.getvalue(), "both lines are taken away first"
    terminal.progress.line("stays")
    assert screen.getvalue().endswith("stays\n")


def test_more_boards_than_lines_are_counted(monkeypatch):
    monkeypatch.setattr(console.os, "get_terminal_size", lambda _: os.terminal_size((40, 6)))
    screen = Screen()
    console.Progress(screen).status(*(f"board {n}" for n in range(9)))
    assert screen.getvalue().endswith("board 3\n   and 5 more")


def test_elsewhere_a_board_has_plain_lines(capsys):
    stream = io.StringIO()
    terminal = Terminal(progress=console.Progress(stream))
    terminal.trial_started("a: t-r1-a1", {}, 1, 4, 30.0)
    terminal.event("a: t-r1-a1", Sample(t=1.0, v=[1024]))
    assert stream.getvalue().splitlines() == ["   a: trial t-r1-a1 (1 of 4, about 30 s)"]
