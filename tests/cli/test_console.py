"""What is printed does nothing to a terminal, whoever said it."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.cli import console


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
