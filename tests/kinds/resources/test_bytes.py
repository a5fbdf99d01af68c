"""What a run edits keeps every byte that the spec does not own."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.kinds.resources.kernel_cmdline import KIND, KernelCmdlineModel, edited
from runner.kinds.resources.templates import _rendered
from runner.planning.state import plan_state

WORDS = KernelCmdlineModel(present=("psi=1",), absent=("quiet",))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a  b\n", "a  b psi=1\n"),
        ("a b", "a b psi=1\n"),
        ("a b\r\n", "a b psi=1\r\n"),
        ("a quiet b \n", "a b psi=1 \n"),
        ("quiet a\n", "a psi=1\n"),
        ("a quiet\n# a note\n\n", "a psi=1\n# a note\n\n"),
        ("psi=1 a quieter\n", "a quieter psi=1\n"),
        ("quiet\n", "psi=1\n"),
        ("a b\tc\r\nsecond  line \r\n", "a b\tc psi=1\r\nsecond  line \r\n"),
    ],
)
def test_the_command_line_keeps_its_bytes(before, after):
    assert edited(before, WORDS, ["a"]) == after


@given(st.binary().filter(lambda data: b"{" not in data and b"#" not in data))
def test_a_template_without_tags_is_its_source(source):
    assert _rendered(source, {}) == source


def test_line_ends_beside_tags_stay():
    assert _rendered(b"a={{ x }}\r\n{% if x %}b\r\n{% endif %}\xff\n", {"x": 1}) == (
        b"a=1\r\nb\r\n\xff\n"
    )


def test_words_in_force_are_said_to_be():
    values = {"kernel_cmdline:now": "root=/dev/x psi=1"}
    (cell,) = KIND.plan(WORDS, {}, values)
    assert cell.id == "kernel_cmdline:in force: psi=1 no quiet"
    assert cell.secret
    plan = plan_state({"kernel_cmdline": {"present": ["psi=1"]}}, {}, values)
    assert [c.via for c in plan.cells] == ["pseudo"]


def test_several_lines_are_edited_in_the_first():
    text = base64.b64encode(b"a b\n# mine\n").decode()
    values = {
        "kernel_cmdline:now": "a b",
        "kernel_cmdline:/boot/cmdline.txt": {"type": "file", "bytes_b64": text},
    }
    allowed = KernelCmdlineModel(present=("psi=1",), reboot="allowed")
    (cell,) = KIND.plan(allowed, {}, values)
    assert base64.b64decode(cell.want["bytes_b64"]) == b"a b psi=1\n# mine\n"
