"""Factors, repetitions, searches."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from runner.spec import Experiment
from runner.spec.design import Search
from runner.spec.treatments import merge, treatments, with_levels


def test_a_list_of_levels_fills_in_their_names():
    exp = Experiment.model_validate(
        {
            "factors": {"server": ["nethttp", "fasthttp"], "gogc": [50, 100]},
            "workload": {"argv": ["./x", "-server={server}", "{port}"], "env": {"GOGC": "{gogc}"}},
        }
    )
    assert len(treatments(exp)) == 4
    made = with_levels(exp, {"server": "fasthttp", "gogc": "50"})
    assert made.workload.argv == ("./x", "-server=fasthttp", "{port}")
    assert made.workload.env == {"GOGC": "50"}


def test_a_level_merges_mappings_and_replaces_lists():
    exp = Experiment.model_validate(
        {
            "build": {"go": "1.22.10", "env": {"A": "1", "B": "2"}, "ldflags": ["-s"]},
            "factors": {
                "flags": {
                    "default": None,
                    "all": {"build": {"ldflags": ["-w"], "env": {"A": "3", "B": None}}},
                }
            },
        }
    )
    assert with_levels(exp, {"flags": "default"}).build == exp.build
    made = with_levels(exp, {"flags": "all"}).build
    assert (made.go, made.ldflags, made.env) == ("1.22.10", ("-w",), {"A": "3"})


def test_merge_leaves_its_arguments_alone():
    base, over = {"a": {"b": 1}}, {"a": {"c": {"d": None}}}
    assert merge(base, over) == {"a": {"b": 1, "c": {}}}
    assert base == {"a": {"b": 1}}


def test_skipped_cells_are_left_out():
    exp = Experiment.model_validate(
        {
            "factors": {"a": ["1", "2"], "b": ["x", "y"]},
            "skip": [{"when": {"a": "1", "b": "y"}, "why": "same program"}],
        }
    )
    assert treatments(exp) == ({"a": "1", "b": "x"}, {"a": "2", "b": "x"}, {"a": "2", "b": "y"})


def test_without_factors_there_is_one_empty_cell():
    assert treatments(Experiment()) == ({},)


def test_repeat_as_a_number_is_exactly_that():
    assert Experiment.model_validate({"repeat": 6}).repeat.between == (6, 6)


def test_a_search_has_a_goal_bounds_and_a_resolution():
    search = Search.model_validate({"between": [8, 4096], "resolution": "2%"})
    assert (search.goal.direction, search.goal.variable) == ("highest", "connections")
    assert (search.low, search.high) == (8, 4096)
    assert [search.step_at(level) for level in (8, 100, 1000)] == [1, 2, 20]
    assert Search.model_validate({"between": [8, 4096], "resolution": 5}).step_at(1000) == 5


def test_a_search_may_be_for_the_lowest_rate():
    search = Search.model_validate({"find": "lowest  healthy rate", "between": ["50/s", "4000/s"]})
    assert search.goal == ("lowest", "rate")
    assert (search.low, search.high) == (50, 4000)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"between": [9, 9]}, "has to rise"),
        ({"between": [0, 9]}, "above 0"),
        ({"between": [1, "9s"]}, "are not of one kind"),
        ({"between": [1, 9], "find": "most connections"}, "is not a goal"),
        ({"between": [1, 9], "find": "lowest healthy Mem max"}, "is not a goal"),
        ({"between": ["1s", "9s"]}, "is not a number, a size or a rate"),
        ({"between": ["1B", "4000B"]}, "has to rise"),
        ({"between": [1, 9], "confirm": {"trials": 3, "healthy": 4}}, "cannot be healthy"),
        ({"between": [1, 9], "resolution": 0}, "above 0"),
    ],
)
def test_searches_that_cannot_be(data, message):
    with pytest.raises(ValidationError) as caught:
        Search.model_validate(data)
    assert message in str(caught.value)


def test_a_search_is_on_fresh_workloads_unless_said_otherwise():
    assert Search.model_validate({"between": [1, 9]}).workload == "fresh"
    assert Search.model_validate({"between": [1, 9], "workload": "keep"}).workload == "keep"
    with pytest.raises(ValidationError, match="'fresh' or 'keep'"):
        Search.model_validate({"between": [1, 9], "workload": "kept"})
