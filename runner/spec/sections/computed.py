"""What computed metrics are computed from: each once, however many ways lead there."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from runner.spec.expressions import references

if TYPE_CHECKING:
    from runner.spec.metrics import Metric


def in_order(metrics: Mapping[str, "Metric"], first: str | None = None) -> Iterator[str]:
    """Name every metric behind those that it is computed from, wherever they are declared.

    With `first` only that one and what it is computed from. A circle, which is refused where
    it is declared, is left at the place where it closes.
    """
    seen: set[str] = set()
    for name in metrics if first is None else (first,):
        todo = [(name, False)]
        while todo:
            here, known = todo.pop()
            if known:
                yield here
            elif here in metrics and here not in seen:
                seen.add(here)
                todo.append((here, True))
                todo += [(below, False) for below in reversed(directly(metrics[here]))]


def directly(metric: "Metric") -> tuple[str, ...]:
    """Name what a metric's own arithmetic reads."""
    expression = metric.expression
    return () if expression is None else tuple(ref.name for ref in references(expression))


def circles(metrics: Mapping[str, "Metric"]) -> Iterator[str]:
    """Name of every circle the metric that is declared first."""
    place = {name: index for index, name in enumerate(metrics)}
    done: set[str] = set()
    for name in metrics:
        way: dict[str, Iterator[str]] = {}
        todo = [name]
        while todo:
            here = todo[-1]
            if here not in way:
                if here in done or here not in metrics:
                    todo.pop()
                    continue
                way[here] = iter(directly(metrics[here]))
            for below in way[here]:
                if below in way:
                    names = [*way]
                    circle = names[names.index(below) :]
                    yield min(circle, key=place.__getitem__)
                elif below in metrics and below not in done:
                    todo.append(below)
                    break
            else:
                done.add(todo.pop())
                del way[here]
