"""smaps against what the kernel itself sums up."""

from __future__ import annotations

import re

import pytest

from runner.kinds.sources import maps, smaps
from runner.kinds.sources.interface import Page, Printed
from tests.goserver import moment

BUILDS = pytest.mark.parametrize("go", ["1.22.10", "1.26.6"])


def printed(go):
    found = moment(go)
    return Printed(pages=(Page("smaps", found.smaps), Page("dump", None, found.dump)))


@BUILDS
def test_sums_are_those_of_smaps_rollup(go):
    """Of a process that stands still: Rss and Private_Dirty exactly, Pss to a kB a mapping."""
    found = moment(go)
    mappings = smaps.parse(found.smaps)
    (rollup,) = smaps.parse(found.rollup)
    for key in ("Rss", "Private_Dirty", "Anonymous", "Swap"):
        assert sum(one.amounts[key] for one in mappings) == rollup.amounts[key]
    pss = sum(one.amounts["Pss"] for one in mappings)
    assert abs(pss - rollup.amounts["Pss"]) <= 1024 * len(mappings)


@BUILDS
def test_the_sum_of_the_classes_is_vm_rss(go):
    """VmRSS is kept per thread and added up now and then: 64 pages a CPU at most beside it."""
    numbers = smaps.PARSER.parse(printed(go)).numbers
    rss = sum(numbers[f"smaps.{name}.rss"] for name in maps.CLASSES)
    assert rss == numbers["smaps.total.rss"]
    said = int(re.search(r"VmRSS:\s+(\d+) kB", moment(go).status)[1]) * 1024
    assert abs(rss - said) <= 64 * 4096 * 2
    assert {*numbers} == {f"smaps.{name}" for name in smaps.PARSER.known}


def test_regions_are_those_of_maps():
    found = moment("1.22.10")
    assert tuple(one.region for one in smaps.parse(found.smaps)) == maps.parse(found.maps)


def test_maps_is_no_smaps_and_a_rollup_is_no_process():
    found = moment("1.22.10")
    assert smaps.looks_like(found.smaps)
    assert not smaps.looks_like(found.maps)
    assert not smaps.PARSER.parse(Printed(pages=(Page("m", found.maps),))).numbers
    assert not maps.PARSER.parse(Printed(pages=(Page("r", found.rollup),))).numbers
