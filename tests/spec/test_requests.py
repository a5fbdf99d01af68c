"""What a generator cannot send is refused where it stands, by name."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from runner.spec.load import Load

CLOSED = {"connections": 4, "url": "http://127.0.0.1:80/"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"generator": "h2load", "keep_alive": False}, "h2load keeps its connections"),
        ({"generator": "wrk", "url": "https://a/"}, "wrk checks no certificate"),
        ({"generator": "h2load", "url": "https://a/"}, "h2load checks no certificate"),
        ({"generator": "wrk", "timeout": "500ms"}, "wrk takes whole seconds"),
        ({"generator": "wrk", "urls": ["http://a/", "http://b/"]}, "wrk asks one server"),
        ({"generator": "command", "argv": ["x"], "method": "POST"}, "told by its argv alone"),
        ({"generator": "wrk", "script": "x.lua"}, "script is not passed to wrk"),
        ({"generator": "wrk", "expect": {"status": "ok"}}, "is not a status"),
    ],
)
def test_refused_by_name(given, said):
    with pytest.raises(ValidationError, match=said):
        Load.model_validate({**CLOSED, **given})


@pytest.mark.parametrize(
    ("given", "ranges"),
    [(201, ((201, 201),)), ("2xx", ((200, 299),)), (["200-204", 302], ((200, 204), (302, 302)))],
)
def test_statuses_are_ranges(given, ranges):
    assert Load.model_validate({**CLOSED, "expect": {"status": given}}).expect.status == ranges
