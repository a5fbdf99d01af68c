"""Ids of treatments: any text of a level gives a file's name of its own."""

from hypothesis import given
from hypothesis import strategies as st

from runner.planning.ids import is_plain, shown, treatment_id
from runner.store.names import safe_name

LEVELS = st.lists(st.text(max_size=220), max_size=3)


def of(*texts):
    return {f"f{index}": text for index, text in enumerate(texts)}


def test_plain_words_stand_as_they_are():
    assert treatment_id({}) == "all"
    assert treatment_id(of("nethttp")) == "nethttp"
    assert treatment_id(of("nethttp", "100")) == "nethttp-100"
    assert treatment_id(of("go1.22")) == "go1.22"


def test_any_other_text_is_a_slug_and_a_hash():
    assert treatment_id(of("GET /ping")).startswith("GET-ping-")
    assert treatment_id(of("-s -w")).startswith("s-w-")
    assert treatment_id(of("大页")).startswith("level-")
    assert treatment_id(of("")).startswith("level-")


def test_levels_that_join_to_one_text_are_two_ids():
    assert treatment_id(of("a-b", "c")) != treatment_id(of("a", "b-c"))
    assert treatment_id(of("a/b")) != treatment_id(of("a|b"))


def test_what_is_shown_is_the_text():
    assert shown({"flags": "a|b", "other": ""}) == 'flags=a|b, other=""'
    assert is_plain(of("a", "b"))
    assert not is_plain(of("a b"))


@given(LEVELS, LEVELS)
def test_every_id_names_a_file_and_only_one_treatment(one, other):
    first, second = treatment_id(of(*one)), treatment_id(of(*other))
    assert safe_name(f"{first}-r1-a1") == f"{first}-r1-a1"
    assert len(first) <= 60
    assert (first == second) == (one == other) or not one or not other
