"""Events: every kind that a host says, decoded once, and nothing else."""

from __future__ import annotations

import ast
import contextlib
import gzip
import json
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

import runner.host
from runner.records.event import Event
from runner.records.events import AnyEvent, EventError, decode
from runner.records.trial_events import Output, Sample

HOST = Path(runner.host.__path__[0])
REPORTS = Path(__file__).resolve().parents[2] / "reports"
KINDS = {kind.__struct_config__.tag: kind for kind in get_args(AnyEvent)}
DEEP = 100_000


def emitted():
    """Yield file, kind and fields of every `emit(…)` and `say(…)` of the host agent."""
    for path in sorted(HOST.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = (
                node.func.attr
                if isinstance(node.func, ast.Attribute)
                else getattr(node.func, "id", "")
            )
            first = node.args[0]
            if name in {"emit", "_emit"} and isinstance(first, ast.Constant):
                yield path.name, first.value, {word.arg for word in node.keywords if word.arg}


def fields(kind: type[Event]) -> set[str]:
    return set(kind.__struct_encode_fields__)


def test_every_event_of_the_agent_has_a_type_with_its_fields():
    said = list(emitted())
    assert len(said) > 40
    for file, kind, words in said:
        assert kind in KINDS, f"{file} emits {kind}"
        assert words <= fields(KINDS[kind]), f"{file}: {kind} has {words - fields(KINDS[kind])}"


def test_every_type_is_an_event_that_the_agent_says():
    # `need_agent` is said by BOOT, a text
    assert {kind for _, kind, _ in emitted()} >= KINDS.keys() - {"need_agent"}


@pytest.mark.parametrize("path", sorted(REPORTS.glob("*/*/events")), ids=lambda p: p.parent.name)
def test_committed_records_decode(path):
    for file in path.glob("*.jsonl.gz"):
        with gzip.open(file) as lines:
            for line in lines:
                event = decode(line)
                given = json.loads(line)
                assert event.kind == given["event"]
                assert event.at == given["at"]
                # nothing that a record says is left out
                assert given.keys() - {"event"} <= fields(type(event))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"event":"zz"}', "Invalid value 'zz'"),
        (b'{"at":1}', "missing required field `event`"),
        (b"[]", "got `array`"),
        (b"", "truncated"),
        (b"\xff", "malformed"),
        (b'{"event":"sample","t":NaN,"v":[]}', "malformed"),
        (b'{"event":"output","stream":"stdout","text":"\\udcff","t":NaN}', "NaN is not a number"),
        (b'{"event":"sample","t":1e999,"v":[]}', "out of range"),
        (b'{"event":"sample","t":"1","v":[]}', "Expected `float`"),
        (b'{"event":"end"}', "missing required field `ok`"),
        (b'{"event":"value","id":"x","value":' + b"[" * DEEP + b"]" * DEEP + b"}", "too deeply"),
        (b'{"event":"end","ok":true,"new":' + b"[" * DEEP + b"]" * DEEP + b"}", "too deeply"),
        (b'{"event":"value","id":"\\udcff","value":' + b"[" * DEEP + b"]" * DEEP + b"}", "deeply"),
    ],
    ids=range(13),
)
def test_what_is_no_event_says_why(line, why):
    with pytest.raises(EventError, match=why):
        decode(line)


@given(st.binary() | st.recursive(st.none() | st.booleans() | st.floats() | st.text(),
       lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)).map(lambda v: json.dumps(v).encode()))  # fmt: skip
def test_nothing_else_than_an_event_or_its_error_comes_out(line):
    with contextlib.suppress(EventError):
        assert isinstance(decode(line), Event)


@given(st.binary())
def test_bytes_that_are_no_text_come_back_as_they_were(data):
    text = data.decode(errors="surrogateescape")
    line = json.dumps({"event": "output", "stream": "stdout", "text": text}).encode("ascii")
    event = decode(line)
    assert isinstance(event, Output)
    assert event.text.encode(errors="surrogateescape") == data


def test_fields_of_a_newer_host_are_left_out():
    event = decode(b'{"event":"sample","t":1,"v":[1,null,2.5],"new":{"a":[1]}}')
    assert event == Sample(t=1.0, v=[1, None, 2.5])
