"""Equality of kernel values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.host.cells import normal_forms

words = st.lists(st.text("abcz019._", min_size=1, max_size=6), min_size=1, max_size=5)
numbers = st.integers(-(2**40), 2**62)
sets_of_cpus = st.sets(st.integers(0, 200), max_size=40)
pages = st.sampled_from([4096, 16384, 65536])


@pytest.mark.parametrize("form", sorted(normal_forms.FORMS))
@given(text=st.text(max_size=30))
def test_every_form_says_that_a_text_equals_itself(form: str, text: str) -> None:
    if form == "set" and text.split() and all(w[0] in "+-" for w in text.split()):
        return  # asks for changes, which is not a value that can be read
    assert normal_forms.equal(form, text, text)


@pytest.mark.parametrize("form", sorted(set(normal_forms.FORMS) - {"set", "file"}))
@given(
    a=st.text("0123456789-,[]xkM \tmax", max_size=8),
    b=st.text("0123456789-,[]xkM \tmax", max_size=8),
)
def test_equality_does_not_depend_on_the_side(form: str, a: str, b: str) -> None:
    assert normal_forms.equal(form, a, b) == normal_forms.equal(form, b, a)


@pytest.mark.parametrize("form", sorted(normal_forms.FORMS))
@given(text=st.text(max_size=5))
def test_absence_equals_only_absence(form: str, text: str) -> None:
    assert normal_forms.equal(form, None, None)
    assert not normal_forms.equal(form, None, text)
    assert not normal_forms.equal(form, text, None)


@given(parts=words, blanks=st.sampled_from([" ", "\t", "  ", "\t\t", "\n"]))
def test_words_ignore_how_they_are_parted(parts: list[str], blanks: str) -> None:
    assert normal_forms.equal("words", " ".join(parts), blanks.join(parts))
    assert not normal_forms.equal("words", " ".join(parts), " ".join([*parts, "more"]))


@given(n=numbers)
def test_an_integer_is_the_same_in_any_base(n: int) -> None:
    if n >= 0:
        assert normal_forms.equal("integer", hex(n), str(n))
        assert normal_forms.equal("integer", f"0{n:o}", str(n))
    assert not normal_forms.equal("integer", str(n), str(n + 1))


def test_zero_is_a_value() -> None:
    for form in ("integer", "words", "exact", "page", "ranges"):
        assert normal_forms.equal(form, "0", "0")
        assert not normal_forms.equal(form, "0", "")
        assert not normal_forms.equal(form, "0", None)
        assert not normal_forms.equal(form, "0", "4096")


def test_octal_is_read_as_the_kernel_reads_it() -> None:
    assert normal_forms.integer("010") == 8
    assert normal_forms.integer("08") is None
    assert normal_forms.integer("") is None
    assert normal_forms.integer("1 2") is None


@given(cpus=sets_of_cpus, data=st.data())
def test_ranges_are_the_numbers_in_them(cpus: set[int], data: st.DataObject) -> None:
    listed = data.draw(st.permutations(sorted(cpus)))
    plain = ",".join(map(str, listed))
    spans, run = [], []
    for n in [*sorted(cpus), None]:
        if run and n != run[-1] + 1:
            spans.append(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]))
            run = []
        run.append(n)
    assert normal_forms.equal("ranges", plain, ",".join(spans))
    assert not normal_forms.equal("ranges", plain, ",".join([*spans, "201"]))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("0,1", "0-1"),
        ("8080,8081,8082", "8080-8082"),
        ("0-7:1/2", "0,2,4,6"),
        ("0-7:2/4", "0-1,4-5"),
        ("0-9:3/4", "0-2,4-6,8-9"),
        ("", " "),
        ("0-3,2-5", "0-5"),
    ],
)
def test_ranges_known(a: str, b: str) -> None:
    assert normal_forms.equal("ranges", a, b)


def test_a_range_that_is_none_is_words_and_costs_no_memory() -> None:
    assert normal_forms.equal("ranges", "all", "all")
    assert not normal_forms.equal("ranges", "3-1", "1-3")
    assert not normal_forms.equal("ranges", "0-999999999999", "0-1")


@given(n=st.integers(0, 2**50), page=pages)
def test_a_limit_is_equal_within_its_page(n: int, page: int) -> None:
    kept = str(n // page * page)
    assert normal_forms.equal("page", str(n), kept, page)
    assert not normal_forms.equal("page", str(n), str(int(kept) + page), page)


@given(page=pages)
def test_all_ways_to_say_unlimited_are_one(page: int) -> None:
    ways = [
        "max",
        "-1",
        "9223372036854771712",
        "9223372036854775807",
        str((2**63 - 1) // page * page),
        str((2**31 - 1) * 4096),
    ]
    for a in ways:
        for b in ways:
            assert normal_forms.equal("page", a, b, page)
        assert not normal_forms.equal("page", a, "33554432", page)
        assert not normal_forms.equal("page", a, "0", page)


def test_suffixes_are_binary() -> None:
    assert normal_forms.equal("page", "1G", "1073741824")
    assert normal_forms.equal("page", "32M", str(32 << 20))
    assert normal_forms.equal("page", "4k", "4096")


def test_the_bracket_is_the_value() -> None:
    assert normal_forms.equal("bracket", "madvise", "always [madvise] never")
    assert not normal_forms.equal("bracket", "always", "always [madvise] never")
    assert normal_forms.plain("bracket", "[none] mq-deadline") == "none"


@given(parts=words, data=st.data())
def test_a_set_has_no_order_and_no_doubles(parts: list[str], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations([*parts, parts[0]]))
    assert normal_forms.equal("set", " ".join(parts), " ".join(shuffled))


def test_signs_ask_for_single_words_of_a_set() -> None:
    assert normal_forms.equal("set", "+memory", "cpu memory pids")
    assert not normal_forms.equal("set", "+memory +io", "cpu memory pids")
    assert normal_forms.equal("set", "-io", "cpu memory pids")
    assert not normal_forms.equal("set", "-cpu", "cpu memory pids")
    assert not normal_forms.equal("set", "memory", "cpu memory pids")


def test_what_a_file_value_leaves_out_is_not_compared() -> None:
    have = {
        "type": "file",
        "bytes_b64": "aGk=",
        "mode": 0o644,
        "uid": 0,
        "gid": 0,
        "xattrs": {"user.a": "MQ==", "security.x": "eA=="},
        "mtime_ns": 5,
    }
    assert normal_forms.equal("file", {"type": "file", "bytes_b64": "aGk="}, have)
    assert normal_forms.equal("file", {"type": "file", "xattrs": {"user.a": "MQ=="}}, have)
    assert normal_forms.equal("file", {"type": "file", "mtime_ns": 1}, have)
    assert not normal_forms.equal("file", {"type": "file", "mode": 0}, have)
    assert not normal_forms.equal("file", {"type": "file", "xattrs": {"user.b": "MQ=="}}, have)
    assert not normal_forms.equal("file", {"type": "symlink", "target": "x"}, have)


def test_an_unknown_form_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown form 'wrods'"):
        normal_forms.equal("wrods", "a", "a")


@given(text=st.text(max_size=20))
def test_the_plain_value_equals_the_one_shown(text: str) -> None:
    for form in ("words", "exact", "integer", "ranges", "page"):
        assert normal_forms.equal(form, normal_forms.plain(form, text), text)
