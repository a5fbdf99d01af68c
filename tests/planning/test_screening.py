"""Designs in which every difference is told from every other."""

import pytest

from runner.errors import SpecError
from runner.planning.ids import treatment_id
from runner.planning.layers import declared_of, kernels_of
from runner.planning.screening import MOST, design, factor_names, hadamard, screening
from runner.spec.experiment import Experiment

NUMBERS = [1, 2, 3, 4, 7, 8, 11, 12, 19, 23, MOST]


@pytest.mark.parametrize("order", [n for n in range(1, 49) if hadamard(n)])
def test_rows_of_a_hadamard_matrix_are_orthogonal(order):
    matrix = hadamard(order)
    assert matrix is not None
    assert all(row[0] == 1 for row in matrix)
    for i, one in enumerate(matrix):
        for j, other in enumerate(matrix):
            wanted = order if i == j else 0
            assert sum(x * y for x, y in zip(one, other, strict=True)) == wanted


@pytest.mark.parametrize("n", NUMBERS)
def test_two_differences_meet_in_all_four_pairs_equally_often(n):
    rows = design(n)
    for i in range(n):
        for j in range(i):
            pairs = [(row[i], row[j]) for row in rows]
            assert len({pairs.count(pair) for pair in set(pairs)}) == 1
            assert len(set(pairs)) == 4


@pytest.mark.parametrize("n", NUMBERS)
def test_a_pair_of_others_is_never_taken_for_a_difference(n):
    rows = design(n)
    for i in range(min(n, 6)):
        for j in range(i):
            for k in range(n if n > 2 else 0):
                assert sum(row[i] * row[j] * row[k] for row in rows) == 0


@pytest.mark.parametrize("n", NUMBERS)
def test_both_extremes_are_run(n):
    assert {(1,) * n, (-1,) * n} <= set(design(n))
    assert len(design(n)) <= max(2, 4 * n)


def test_more_differences_than_a_design_takes_are_refused():
    with pytest.raises(SpecError, match="48 differences are more than 47"):
        design(48)


def test_factors_are_named_by_the_last_words_and_never_twice():
    made = factor_names(["sysctl.vm.swappiness", "vm/swappiness", "build.go", "url"], ["build_go"])
    assert list(made.values()) == ["vm_swappiness", "vm_swappiness_2", "build_go_2", "url_2"]


def test_the_experiments_own_factors_are_crossed_or_chosen():
    spec = Experiment.model_validate(
        {
            "name": "x",
            "factors": {"mb": ["1", "40"]},
            "workload": {"argv": ["true", "{mb}"], "run": "once"},
            "metrics": {"wall": {"from": "workload.wall"}},
            "repeat": 5,
        }
    )
    sides = {"gogc": ({"workload": {"env": {"GOGC": "50"}}}, {"workload": {"env": {"GOGC": None}}})}
    crossed = screening(spec, sides, {}, 3)
    assert [treatment_id(one) for one in crossed.treatments] == ["1-b", "1-a", "40-b", "40-a"]
    assert crossed.repeat.between == (3, 3)
    assert crossed.name == "x-why"
    chosen = screening(spec, sides, {"mb": "40"}, 3)
    assert [dict(one) for one in chosen.treatments] == [{"gogc": "b"}, {"gogc": "a"}]
    assert chosen.workload is not None
    assert chosen.workload.argv == ("true", "40")


def test_the_kernel_command_line_is_a_factor_whose_blocks_are_booted_with_either():
    """Each treatment's own line, equal ones together; without it nothing is booted."""
    spec = Experiment.model_validate(
        {"name": "x", "workload": {"argv": ["true"], "run": "once"}, "repeat": 5}
    )
    line = [{"system": {"kernel_cmdline": {key: ["isolcpus=3"], "reboot": "allowed"}}}
            for key in ("present", "absent")]  # fmt: skip
    queue = [{"system": {"sysctl": {"net.core.somaxconn": n}}} for n in ("128", "4096")]
    made = screening(spec, {"line": tuple(line), "queue": tuple(queue)}, {}, 2)
    assert made.repeat.levels is not None
    assert made.repeat.levels.boot == "block"
    declared = declared_of(made)
    assert declared.boots
    kernels = kernels_of(declared, made.treatments)
    assert kernels is not None
    assert len(set(kernels)) == 2
    by_line = {one["line"]: number for one, number in zip(made.treatments, kernels, strict=True)}
    assert [by_line[one["line"]] for one in made.treatments] == kernels
    assert screening(spec, {"queue": tuple(queue)}, {}, 2).repeat.levels is None
