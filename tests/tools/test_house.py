"""The numbers of `make check` find what they say."""

from tools import house

EDGES = {
    "a": {"b"},
    "b": {"c"},
    "c": {"a", "d"},
    "d": set(),
    "e": {"d", "f"},
    "f": {"e"},
    "g": {"g"},
}


def test_every_circle_is_found_once():
    found = list(house._knots(set(EDGES), EDGES.__getitem__))
    assert sorted(found) == [["a", "b", "c"], ["e", "f"]]


def test_each_measure_names_what_is_above_its_limit(monkeypatch, tmp_path):
    room = tmp_path / "runner" / "room"
    room.mkdir(parents=True)
    for number in range(house.MOST_FILES + 1):
        (room / f"f{number}.py").write_text("")
    (room / "__init__.py").write_text("a = 1\n" * (house.MOST_LINES + 1))
    monkeypatch.setattr(house, "ROOT", tmp_path)
    assert house.rooms().where == ("runner/room: 19 files",)
    assert house.long_files().where == ("runner/room/__init__.py: 351 lines",)
