"""Which programs end by themselves, and the times that are theirs."""

from __future__ import annotations

import pytest

from runner.compile.workload import workload_part
from runner.spec.sections.workload import Workload
from runner.specfile import SpecFaults, parse_text

HEAD = "schema: experiment/1\nname: x\nworkload: "


@pytest.mark.parametrize(
    ("workload", "place", "said"),
    [
        ("{argv: [a], run: once, ready: {stdout: up}}", "3:", "runs once is waited for to its end"),
        ("{go_test: {package: ./p}, ready: {stdout: up}}", "3:", "waited for to its end"),
        ("{argv: [a], within: 3s}", "3:", "a server has no end"),
        ("{argv: [a], timeout: 3s}", "3:", "a server has no end"),
        ("{argv: [a], run: once, timeout: 0s}", "3:", "in no time"),
        ("{argv: [a], run: once, timeout: 3s, within: 5s}", "3:", "one of them ends it"),
    ],
)
def test_a_time_of_the_other_kind_is_refused(workload, place, said):
    """Each did nothing: the program was healthy though it never said that it is ready."""
    with pytest.raises(SpecFaults, match=said) as caught:
        parse_text(HEAD + workload + "\n", "spec.yaml")
    assert f"spec.yaml:{place}" in caught.value.message


@pytest.mark.parametrize("within", [None, "20min"])
@pytest.mark.parametrize("what", [{"go_test": {"package": "./p"}}, {"argv": ["a"], "run": "once"}])
def test_what_ends_by_itself_has_the_time_that_is_said(what, within):
    """Go benchmarks were stopped after 10 s, whatever was said."""
    workload = Workload.model_validate(what | ({} if within is None else {"within": within}))
    sent = workload_part(workload, {}, "t", None, "r", {}, None, {})
    assert (sent["run"], sent["within_s"]) == ("once", 600.0 if within is None else 1200.0)
