"""What a spec may ask to be fetched, and how it is sent to the host."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from runner.compile.workload import fetch_part
from runner.spec.sections.workload import Fetch


def test_a_page_in_the_middle_of_a_step_is_sent_with_its_seconds():
    asked = Fetch(
        name="heap", url="http://127.0.0.1:1/", when="during_step", after="1500ms", binary=True
    )
    assert fetch_part(asked) == {
        "name": "heap", "url": "http://127.0.0.1:1/", "path": None, "binary": True,
        "when": "during_step", "after_s": 1.5,
    }  # fmt: skip
    assert fetch_part(Fetch(name="m", path="/proc/{pid}/maps"))["after_s"] is None


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "`a` needs exactly one of url and path"),
        ({"url": "http://x", "path": "/y"}, "`a` needs exactly one of url and path"),
        ({"url": "http://x", "after": "3s"}, "`after` of `a` needs `when: during_step`"),
        ({"url": "http://x", "when": "sometimes"}, "during_step"),
    ],
)
def test_what_makes_no_sense_is_refused(more, said):
    with pytest.raises(ValidationError, match=said):
        Fetch(name="a", **more)
