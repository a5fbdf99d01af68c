"""What a run edits keeps every byte that the spec does not own."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.kinds.resources.kernel_cmdline import KIND, KernelCmdlineModel, edited, holds
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


@pytest.mark.parametrize(
    ("line", "word", "right"),
    [
        ("psi=1", "psi=1", True),
        ("psi=0 psi=1", "psi=1", True),
        ("psi=1 psi=0", "psi=1", False),
        ("psi=1 psi=0 psi=1", "psi=1", True),
        ("transparent-hugepage=never transparent_hugepage=always", "transparent-hugepage=never", False),
        ("console=ttyS0 console=tty1", "console=ttyS0", True),
        ("cgroup_enable=memory cgroup_enable=cpuset", "cgroup_enable=memory", True),
        ("cgroup_enable=memory cgroup_disable=memory", "cgroup_enable=memory", False),
        ("psi.x=1 psi=0", "psi.x=1", True),
        ("quiet quiet", "quiet", True),
    ],
)  # fmt: skip
def test_of_two_values_for_one_word_the_later_counts(line, word, right):
    assert holds(line.split(), word) is right


@pytest.mark.parametrize(
    "words", [["psi=0", "psi=1"], ["cgroup_enable=memory", "cgroup_disable=memory"]]
)
def test_words_that_undo_each_other_are_refused(words):
    with pytest.raises(ValueError, match="undoes"):
        KernelCmdlineModel(present=words)
    assert KernelCmdlineModel(present=["console=ttyS0", "console=tty1"]).present
