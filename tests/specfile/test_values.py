"""What YAML bends is refused; what would break a reader is a clean error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.specfile import SpecFaults, parse_text
from runner.specfile.values import read as read_yaml
from tests.specfile.reading import faults, read


def test_numbers_and_words_keep_their_meaning():
    document = read_yaml(
        "x", "a: 0\nb: 1.5\nc: 2026-11-22\nd: ~\n1000: {on: yes}\ne: 0x10\nf: 1_000\n"
    )
    assert document.data == {
        "a": 0, "b": 1.5, "c": "2026-11-22", "d": None, "1000": {"on": True}, "e": 16, "f": 1000,
    }  # fmt: skip
    assert document.raw[("c",)] == "2026-11-22"


@pytest.mark.parametrize(
    ("word", "number"), [("0x10", 16), ("1_0", 10), ("+3", 3), ("-0", 0), ("0xFF", 255)]
)
def test_a_number_that_is_spelled_otherwise_is_no_text(word, number):
    """`0x10` would reach the program as 16; where a number is asked for it is one."""
    assert faults(f"workload: {{argv: [{word}]}}\n") == [
        f'1:19 `{word}` reads as {number}, not as text: write "{word}" in quotes'
    ]
    text = f'workload: {{argv: ["{word}", 12, -3]}}\nrepeat: 0x10\n'
    made = parse_text(text + "system: {sysctl: {vm.swappiness: 0xa}}\n").experiment
    assert (made.workload.argv, made.repeat.maximum) == ((word, "12", "-3"), 16)


@pytest.mark.parametrize("word", ["on", "off", "yes", "no", "On", "OFF", "true"])
def test_booleans_in_text_positions_are_refused_with_the_fix(word):
    assert faults(f"workload: {{argv: [{word}]}}\n") == [
        f'1:19 `{word}` reads as a boolean in YAML: write "{word}" in quotes'
    ]
    assert read(f'workload: {{argv: ["{word}"]}}\n').workload.argv == (word,)


def test_versions_without_quotes_are_refused_with_the_fix():
    assert faults("build: {go: 1.30}\n") == [
        '1:13 `1.30` reads as the number 1.3, not as text: write "1.30" in quotes'
    ]
    assert read('build: {go: "1.30"}\n').build.go == "1.30"
    assert read("build: {go: 1.22.10}\n").build.go == "1.22.10"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0644", "reads as 420, not as it is written"),
        ("0b11", "reads as 3, not as it is written"),
        ("22:30", "reads as a number of base 60"),
        ("1:30.5", "reads as a number of base 60"),
        (".inf", "is not a number that can be measured"),
        (".nan", "is not a number that can be measured"),
        ("1" * 50, "a number of 50 digits"),
    ],
)
def test_numbers_that_are_not_what_they_look_like(text, message):
    (fault,) = faults(f"title: {text}\n")
    assert fault.startswith("1:8 ")
    assert message in fault


def test_duplicate_keys_are_refused_wherever_they_are():
    assert faults("name: a\nname: b\nload: {threads: 1, connections: 2, threads: 3}\n") == [
        "2:1 the key `name` is there twice (first in line 1)",
        "3:36 the key `threads` is there twice (first in line 3)",
    ]


def test_keys_that_merge_are_no_duplicates():
    exp = read("vars: {base: &b {threads: 3, connections: 7}}\nload: {<<: *b, threads: 4}\n")
    assert (exp.load.threads, exp.load.connections) == (4, 7)


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n"
    for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "1:1 is empty: a spec is a YAML mapping"),
        (b"# nothing\n", "1:1 is empty: a spec is a YAML mapping"),
        (b"- a\n", "1:1 has to be a mapping with keys such as `workload:`"),
        (b"name: a\n---\nname: b\n", "2:1 a second document begins"),
        (b"\xef\xbb\xbfname: a\n", "1:1 starts with a byte order mark"),
        ("name: a\n".encode("utf-16"), "1:1 is UTF-16: save it as UTF-8"),
        (b"name: a\ntitle: \xff\n", "2:8 byte 0xff is not UTF-8"),
        (b"title: a\x00b\n", "1:9 the character U+0000 cannot be in YAML"),
        (b"a: &x [*x]\n", "1:4 an anchor contains itself"),
        (b"a: &x {b: *x}\n", "1:4 an anchor contains itself"),
        (b"a: &x {<<: *x}\n", "1:4 an anchor contains itself"),
        (BOMB.encode(), "is too large once its aliases are filled in (an alias bomb?)"),
        (b"a: *nowhere\n", "1:4 found undefined alias 'nowhere'"),
        (b"[" * 5000, "is nested too deeply (more than 60 levels)"),
        (b"a: " + b"[" * 80 + b"]" * 80, "is nested too deeply"),
        (b"a: [1, 2\n", "is not YAML while parsing a flow sequence that begins in line 1"),
        (b"a: b: c\n", "1:5 mapping values are not allowed here; `: ` inside a text"),
        (b"a: !!python/object/apply:os.system [ls]\n", "the tag `!!python/object/apply:os.system`"),
        (b"a: !x y\n", "the tag `!x` is not known"),
        (b"x" * (1 << 21), "a spec has at most 1048576"),
        (b"? [a]\n: b\n", "1:3 a key has to be a text"),
        (b'title: "\\ud800x"\n', "1:8 holds half a character"),
        (b"%YAML 9.9\n---\na: b\n", "found incompatible YAML document"),
    ],
)
def test_broken_files_are_clean_errors(text, message):
    found = faults(text)
    assert any(message in fault for fault in found), found


def test_an_alias_used_twice_is_two_values():
    exp = read("vars: {e: &e {A: x}}\nbuild: {env: *e}\nworkload: {argv: [a], env: *e}\n")
    assert exp.build.env == exp.workload.env == {"A": "x"}


def test_a_file_that_is_not_there_is_no_traceback(tmp_path):
    from runner.errors import SpecError
    from runner.specfile import load

    with pytest.raises(SpecError, match="no such file"):
        load(tmp_path / "none.yaml")
    with pytest.raises(SpecError, match="is a directory"):
        load(tmp_path)


@given(st.text(max_size=200))
def test_any_text_is_a_spec_or_its_faults(text):
    try:
        parse_text(text)
    except SpecFaults as error:
        assert error.faults  # noqa: PT017 - either outcome is right


@given(st.binary(max_size=200))
def test_any_bytes_are_a_spec_or_its_faults(raw):
    try:
        parse_text(raw)
    except SpecFaults as error:
        assert error.faults  # noqa: PT017 - either outcome is right


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["from", "levels", "env", "steps", "a"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)
KEYS = [
    "schema", "name", "source", "vars", "hosts", "requires", "system", "build", "workload", "load",
    "healthy", "guards", "faults", "search", "factors", "baseline", "skip", "repeat", "metrics",
    "claims", "report", "lint", "sample",
]  # fmt: skip


@given(st.dictionaries(st.sampled_from(KEYS), JSON, max_size=4))
def test_any_shape_of_data_is_a_spec_or_its_faults(data):
    import json

    try:
        parse_text(json.dumps(data))
    except SpecFaults as error:
        assert error.faults  # noqa: PT017 - either outcome is right


def test_a_character_written_as_two_escapes_is_one():
    assert read('title: "\\ud83d\\ude00"\n').title == "\U0001f600"
