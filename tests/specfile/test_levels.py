"""Levels by ranges, patterns and sets; cells that are left out or listed."""

import json

import pytest

from runner.spec.treatments import treatments, with_levels
from runner.specfile import SpecFaults, parse_text

REST = {"schema": "experiment/1", "metrics": {"wall": {"from": "workload.wall"}}}


def read(factors, argv=("echo",), folder=None, **more):
    workload = {"argv": list(argv), "run": "once", **more.pop("workload", {})}
    data = {**REST, "factors": factors, "workload": workload, **more}
    return parse_text(json.dumps(data), folder=folder).experiment


def faults(*words, **more):
    with pytest.raises(SpecFaults) as caught:
        read(*words, **more)
    return caught.value.message


@pytest.mark.parametrize(
    ("asked", "levels"),
    [
        ({"from": 256, "to": 2048, "times": 2}, ["256", "512", "1024", "2048"]),
        ({"from": "8MiB", "to": "64MiB", "times": 2}, ["8MiB", "16MiB", "32MiB", "64MiB"]),
        ({"from": "8MiB", "to": 30, "step": 8}, ["8MiB", "16MiB", "24MiB"]),
        ({"from": 0, "to": 1, "step": 0.25}, ["0", "0.25", "0.5", "0.75", "1"]),
        ({"from": 1, "to": 10, "times": 3.1622776601683795}, ["1", "3.16227766"]),
        ({"from": 5, "to": 5, "step": 1}, ["5"]),
    ],
)
def test_a_range_is_its_levels(asked, levels):
    assert list(read({"size": asked}).factors["size"].names())[: len(levels)] == levels


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"from": 8, "to": 64}, "exactly one of `times` and `step`"),
        ({"from": 8, "to": 64, "times": 2, "step": 2}, "exactly one of `times` and `step`"),
        ({"from": 64, "to": 8, "times": 2}, "from 64 to 8 is empty"),
        ({"from": 0, "to": 8, "times": 2}, "begins above 0"),
        ({"from": 0, "to": 8, "step": 0}, "has to be above 0"),
        ({"from": "8MiB", "to": "1s", "times": 2}, "has one unit"),
        ({"from": 0, "to": 1e9, "step": 1}, "more than 1000 levels"),
        ({"from": "x", "to": 8, "times": 2}, "`x` is not a number"),
        ({"from": 1, "to": 8, "times": 1}, "greater than 1"),
    ],
)
def test_a_range_that_cannot_be_is_named(asked, said):
    assert said in faults({"size": asked})


def test_levels_may_be_called_from_and_to():
    made = read({"way": {"from": {"set": {"x": 1}}, "to": {"set": {"x": 2}}}}, ["echo", "{x}"])
    assert made.factors["way"].names() == ("from", "to")


def test_a_pattern_is_the_files_beside_the_spec(tmp_path):
    (tmp_path / "programs").mkdir()
    for name in ("b.c", "a.c", "c.h"):
        (tmp_path / "programs" / name).touch()
    (tmp_path / "programs" / "link.c").symlink_to("/etc/passwd")
    made = read({"task": {"glob": "programs/*.c"}}, ["echo", "{task}"], tmp_path)
    assert made.factors["task"].names() == ("programs/a.c", "programs/b.c")


@pytest.mark.parametrize(
    ("pattern", "said"),
    [("../*", "leaves the spec's folder"), ("/etc/*", "leaves"), ("no/*.c", "no file beside")],
)
def test_a_pattern_stays_in_the_folder(tmp_path, pattern, said):
    assert said in faults({"task": {"glob": pattern}}, folder=tmp_path)


BENCH = {"Sieve": {"set": {"iter": 60, "n": "300000"}}, "Queens": {"set": {"iter": 10, "n": 8}}}


def test_a_level_sets_words_that_are_filled_in_anywhere():
    exp = read(
        {"bench": BENCH}, ["run", "{bench}", "{iter}", "-n={n}"], workload={"env": {"N": "{n}"}}
    )
    made = with_levels(exp, {"bench": "Sieve"})
    assert made.workload.argv == ("run", "Sieve", "60", "-n=300000")
    assert made.workload.env == {"N": "300000"}
    assert with_levels(exp, {"bench": "Queens"}).workload.argv[2] == "10"


@pytest.mark.parametrize(
    ("factors", "said"),
    [
        ({"b": {"x": {"set": {"i": 1}}, "y": {}}}, "the level `y` does not set `i`"),
        ({"b": {"x": {"set": {"port": 1}}}}, "`port` cannot be set: {port} is filled in"),
        ({"b": {"x": {"set": {"c": 1}}}, "c": ["p"]}, "`c` cannot be set: it is a factor"),
        ({"b": {"x": {"set": {"a b": 1}}}}, "cannot stand in braces"),
        ({"b": {"x": {"set": {"i": [1]}}}}, "has to be a text or a number"),
        ({"b": {"x": {"set": 3}}}, "has to be a mapping"),
        ({"a": {"x": {"workload": {"cwd": "/p"}}}, "b": {"y": {"workload": {"cwd": "/q"}}}},
         "the factors `a` and `b` both set `workload.cwd`"),
        ({"a": {"x": {"set": {"i": 1}}}, "b": {"y": {"set": {"i": 2}}}},
         "the factors `a` and `b` both set `set.i`"),
    ],
)  # fmt: skip
def test_words_and_keys_have_one_owner(factors, said):
    assert said in faults(factors)


def test_a_level_can_be_a_number_of_any_key():
    exp = read(
        {"size": {"from": "8MiB", "to": "16MiB", "times": 2}, "bench": BENCH},
        workload={"cgroup": {"memory.max": "{size}"}, "limits": {"nofile": "{iter}"}},
    )
    limits = {
        cell["size"]: with_levels(exp, cell).workload.cgroup.knobs()["memory.max"]
        for cell in treatments(exp)
    }
    assert limits == {"8MiB": str(8 << 20), "16MiB": str(16 << 20)}
    files = {c["bench"]: with_levels(exp, c).workload.limits.nofile for c in treatments(exp)}
    assert {name: str(limit) for name, limit in files.items()} == {
        "Sieve": str(files["Sieve"]), "Queens": str(files["Queens"]),
    }  # fmt: skip
    assert "60" in str(files["Sieve"])
    assert "10" in str(files["Queens"])


def test_a_level_that_its_key_cannot_take_is_a_fault():
    assert "quantity" in faults(
        {"size": ["8MiB", "much"]}, workload={"cgroup": {"memory.max": "{size}"}}
    )


def test_words_of_a_load_are_free_without_one():
    exp = read({"threads": [1, 2], "rate": [5]}, ["x", "{threads}", "{rate}"])
    assert with_levels(exp, {"threads": "2", "rate": "5"}).workload.argv == ("x", "2", "5")
    assert "cannot be called `port`" in faults({"port": [1]})
    load = {"url": "http://127.0.0.1:{port}/", "connections": 2}
    assert "cannot be called `threads`" in faults({"threads": [1]}, load=load)


def test_skip_takes_several_levels_of_a_factor():
    exp = read({"a": [1, 2, 3], "b": ["x", "y"]}, skip={"when": {"a": [1, 2], "b": "y"}})
    assert [(c["a"], c["b"]) for c in treatments(exp)] == [
        ("1", "x"), ("2", "x"), ("3", "x"), ("3", "y"),
    ]  # fmt: skip
    assert "has no level `9`" in faults({"a": [1]}, skip=[{"when": {"a": [9]}, "why": "x"}])


def test_treatments_may_be_listed():
    factors = {"a": [1, 2], "b": ["x", "y"]}
    cells = [{"a": "1", "b": "x"}, {"a": "2", "b": "y"}]
    assert treatments(read(factors, treatments=cells)) == tuple(cells)
    assert "names no level of `b`" in faults(factors, treatments=[{"a": "1"}])
    assert "is there twice" in faults(factors, treatments=[cells[0], cells[0]])
    assert "has no level `7`" in faults(factors, treatments=[{"a": "7", "b": "x"}])
    assert "nothing is left to skip" in faults(
        factors, treatments=cells, skip=[{"when": {"a": "1"}, "why": "x"}]
    )
