import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import SpecError
from runner.kinds.resources.interface import Cell
from runner.kinds.resources.order import ordered


def cell(name, *after):
    return Cell(id=name, via="pseudo", path=f"/proc/sys/{name}", want="1", after=after)


def test_stable_without_relations():
    assert [c.id for c in ordered([cell("b"), cell("a"), cell("c")])] == ["b", "a", "c"]


def test_what_is_not_there_is_no_constraint():
    assert [c.id for c in ordered([cell("a", "skipped")])] == ["a"]


def test_a_cycle_names_its_members():
    with pytest.raises(SpecError, match="a → b → c → a"):
        ordered([cell("a", "b"), cell("b", "c"), cell("c", "a")])


def test_itself():
    with pytest.raises(SpecError, match="a → a"):
        ordered([cell("a", "a")])


@given(st.permutations(range(8)), st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7))))
def test_every_relation_holds(given_order, pairs):
    """Whatever the order written: who is named in `after` comes first, nobody is lost."""
    edges = {(max(p), min(p)) for p in pairs if p[0] != p[1]}
    cells = [cell(str(n), *(str(b) for a, b in edges if a == n)) for n in given_order]
    found = [c.id for c in ordered(cells)]
    assert sorted(found) == sorted(map(str, given_order))
    assert all(found.index(str(b)) < found.index(str(a)) for a, b in edges)
