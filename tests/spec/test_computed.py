"""Metrics that are computed from others: however many ways lead there, and in whatever order."""

from __future__ import annotations

import resource

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.analysis.claims.claims import _slow
from runner.analysis.claims.estimates import is_exact
from runner.spec.dimensions import measure
from runner.spec.sections.computed import circles, directly, in_order
from runner.specfile import SpecFaults, parse_text

BASE = 'schema: experiment/1\nname: x\nworkload: {argv: [sleep, "1"], run: once}\nbuild: {go: "1.22.10"}\nmetrics:\n'


def spec(**computed: str) -> str:
    return BASE + "".join(f'  {name}: {{compute: "{of}"}}\n' for name, of in computed.items())


def doubled(count: int, op: str = "+") -> str:
    """Metrics of which each is computed twice from the one before: 2^count ways lead down."""
    return spec(**{f"x{n}": f"x{n - 1} {op} x{n - 1}" for n in range(1, count)}) + (
        "  x0: {from: build.size, kind: exact}\n"
    )


def read(text: str):
    began = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    found = parse_text(text, "spec.yaml").experiment
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - began < 2
    return found


def test_many_ways_to_one_metric_cost_as_one():
    experiment = read(doubled(60))
    assert measure(experiment.metrics["x59"], experiment.metrics).unit == "B"
    exact = experiment.metrics["x59"].model_copy(update={"kind": "exact"})
    assert is_exact("x59", {**experiment.metrics, "x59": exact})
    assert not _slow("x59", experiment)
    assert measure(read(doubled(40, "*")).metrics["x1"], experiment.metrics).powers[0] == 2


def test_a_unit_is_carried_up_any_number_of_metrics():
    """From the fifty-first on it was a plain number."""
    text = spec(**{f"x{n}": f"x{n - 1} + 1KiB" for n in range(1, 400)})
    experiment = read(text + "  x0: {from: procfs.rss, unit: KiB}\n")
    assert measure(experiment.metrics["x399"], experiment.metrics).powers[0] == 1
    with pytest.raises(SpecFaults, match="`x398` is bytes"):
        parse_text(text + "  x0: {from: procfs.rss}\n  t: {compute: x398 + 1s}\n", "spec.yaml")


@pytest.mark.parametrize("sign", ["+", "*", "and", "- -"])
def test_a_sum_without_end_is_a_fault(sign):
    with pytest.raises(SpecFaults, match="more than 400 words and signs"):
        parse_text(spec(a=f" {sign} ".join(["b"] * 5000), b="a"), "spec.yaml")


def test_the_longest_expression_is_read_and_measured():
    experiment = read(spec(a=" + ".join(["b"] * 200)) + "  b: {from: procfs.rss}\n")
    assert measure(experiment.metrics["a"], experiment.metrics).unit == "B"


def test_each_circle_is_told_once_at_its_first_metric():
    text = spec(a="b + 1", b="c + d", c="b", d="d * 2", e="a", f="g", g="h", h="f + a")
    with pytest.raises(SpecFaults) as caught:
        parse_text(text, "spec.yaml")
    told = [fault.message for fault in caught.value.faults]
    assert told == [f"`{name}` is computed from itself" for name in "bdf"]


GRAPHS = st.dictionaries(
    st.sampled_from("abcdefg"), st.lists(st.sampled_from("abcdefgz"), min_size=1, max_size=4)
)


class Stand:
    """As much of a metric as its place among others needs."""

    def __init__(self, below: list[str]) -> None:
        from runner.spec.expressions import parse_expression

        self.expression = parse_expression(" + ".join(below))


@given(GRAPHS)
def test_order_and_circles_of_any_graph(graph):
    """Each once; behind all that it stands on where there is no circle; else a circle is named."""
    metrics = {name: Stand(below) for name, below in graph.items()}
    order = list(in_order(metrics))  # type: ignore[arg-type]
    assert sorted(order) == sorted(metrics)
    early = [
        (name, below)
        for name in order
        for below in directly(metrics[name])  # type: ignore[arg-type]
        if below in metrics and order.index(below) >= order.index(name)
    ]
    assert bool(early) == bool(list(circles(metrics)))  # type: ignore[arg-type]
