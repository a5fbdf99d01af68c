"""The section of the memory atlas: for each step that has one, its figures and tables."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from runner.kinds.sources.maps import CLASSES
from runner.records.outcome import MEASURED
from runner.report.figures import address_map, flame
from runner.report.format import units, words
from runner.report.format.markdown import Md, code, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from runner.analysis.model import Analysis, Step, Trial

MOST: Final = 4
"""Steps whose atlas is shown: the first trial that counts of each treatment and step."""
PARTS: Final = {
    "objects": "objects",
    "slots": "free slots beside them",
    "frames": "stack frames",
    "stacks": "rest of the pages with frames",
    "free": "pages with neither",
}
UNKNOWN: Final = (
    (
        "Which objects the next collection would free: a dump holds what the last one has left and "
        "what was allocated since. HeapAlloc is more where that one's garbage was not yet swept."
    ),
    (
        "Where spans begin. A page with neither object nor frame is a free span, an emptied one or "
        "an unused stack; MemStats knows only their sums."
    ),
    (
        "Types: objects have addresses and stacks that allocated them, but since Go 1.5 a dump has "
        "no types of them."
    ),
    (
        "The place of what a heap profile counts: it has stacks and no addresses, and is as of the "
        "last finished collection, so that its total is not that of the dump."
    ),
)


@dataclass(frozen=True)
class View:
    """One atlas as the template shows it."""

    title: str
    figure: Md
    classes: Md
    said: tuple[str, ...]
    flame: Md | None
    sites: Md
    sizes: Md


def chosen(analysis: Analysis) -> list[tuple[Trial, Step]]:
    """Give the steps whose atlas is shown; those of invalid trials are not repetitions."""
    steps: dict[tuple[str, str], tuple[Trial, Step]] = {}
    for trial in analysis.trials:
        for step in trial.steps:
            if step.atlas and trial.outcome in MEASURED:
                steps.setdefault((words.treatment(trial.treatment), step.name), (trial, step))
    return list(steps.values())[:MOST]


def trimmed(analysis: Analysis) -> Analysis:
    """Keep only what is shown: an atlas is as large as all other numbers of its step."""
    kept = {(trial.id, step.index) for trial, step in chosen(analysis)}
    trials = tuple(
        dataclasses.replace(
            trial,
            steps=tuple(
                step if (trial.id, step.index) in kept or step.atlas is None
                else dataclasses.replace(step, atlas=None)
                for step in trial.steps
            ),
        )
        for trial in analysis.trials
    )  # fmt: skip
    return dataclasses.replace(analysis, trials=trials)


def views(analysis: Analysis, add: Callable[[str, str, bytes | None], Md | None]) -> list[View]:
    """Draw and word what is shown; `add` takes a figure's name, its alt text and its bytes."""
    shown = []
    for trial, step in chosen(analysis):
        atlas: dict[str, Any] = step.atlas or {}
        levels = words.treatment(trial.treatment)
        label = ", ".join(part for part in (levels, f"step {step.name}", trial.id) if part)
        name = f"{trial.id}-{step.index}"
        figure = add(
            f"atlas-{name}",
            f"Memory by address, {label}",
            address_map.draw(atlas, trial.limit_bytes, label),
        )
        drawn = flame.draw(atlas["flame"], label) if atlas["flame"] else None
        shown.append(
            View(
                title=label,
                figure=figure or Md(""),
                classes=classes(atlas, trial.limit_bytes),
                said=tuple(sentences(atlas)),
                flame=add(f"flame-{name}", f"Heap by stack, {label}", drawn),
                sites=_sites(atlas),
                sizes=_sizes(atlas),
            )
        )
    return shown


def classes(atlas: Mapping[str, Any], limit: int | None) -> Md:
    """Make the table of classes, the arena by its parts, and what is charged besides."""
    rows: list[list[object]] = []

    def row(name: str, size: int | None, held: Sequence[int | None]) -> None:
        share = None if not limit or held[0] is None else held[0] / limit
        rows.append([name, units.size(size), *map(units.size, held), units.percent(share)])

    total = [0, 0, 0]
    for name, words_of in CLASSES.items():
        areas = [area for area in atlas["areas"] if area[2] == name]
        held = [sum(area[i] for area in areas) for i in (4, 5, 6)]
        total = [a + b for a, b in zip(total, held, strict=True)]
        if not areas:
            continue
        row(words_of, sum(a[1] - a[0] for a in areas if not a[3]), held)
        if name == "arena":
            for part, its in PARTS.items():
                inside = (atlas["resident"] or {}).get(part)
                row(f"– {its}", atlas["virtual"][part], (inside, None, None))
    row("all mappings", None, total)
    kernel = atlas["kernel"]
    if "page_tables" in kernel:
        row("page tables (VmPTE)", None, (kernel["page_tables"], None, None))
    for name, its in (("anon", "anonymous"), ("file", "file"), ("kernel", "kernel")):
        if name in kernel:
            row(f"charged to the group: {its}", None, (kernel[name], None, None))
    head = ["area", "accessible", "in memory", "Pss", "private dirty", "of the limit"]
    return table(head, rows, "lrrrrr")


def sentences(atlas: Mapping[str, Any]) -> Iterator[str]:
    """Say what was joined, how much of it, and what is left over."""
    shares, stats = atlas["shares"], atlas["memstats"]
    bytes_of = units.size(atlas["virtual"]["objects"])
    yield (
        f"{units.percent(shares['joined_share'])} of the bytes of "
        f"{units.count(stats['HeapObjects'])} objects ({bytes_of}) lie in a mapping of the Go "
        f"arena, {units.percent(shares['brk_heap_share'])} in a brk heap; "
        f"{units.percent(shares['frames_in_arena'])} of the bytes of the stack frames of "
        f"{units.count(atlas['goroutines'])} goroutines lie in the arena, too."
    )
    yield (
        f"{units.percent(shares['stacked_share'])} of the objects' bytes have the stack that "
        f"allocated them. {units.count(atlas['left_out'])} records of the dump are not objects "
        "but bitmaps at the ends of spans, and left out."
    )
    if atlas["resident"] is None:
        yield "pagemap was not fetched: which pages of the arena are in memory is unknown."
    else:
        loose = atlas["resident"]["free"]
        yield (
            f"{units.percent(shares['explained_share'])} of the arena's bytes in memory are on "
            f"pages with an object or a stack frame. The other {units.size(loose)} are on pages "
            f"with neither. By MemStats' sums {units.size(stats['HeapInuse'])} of heap are in "
            f"use, {units.size(stats['StackInuse'])} of stacks, and "
            f"{units.size(stats['HeapIdle'] - stats['HeapReleased'])} are idle and not given "
            f"back: {units.percent(shares['sums_share'])} of what smaps has in memory there."
        )
        yield (
            f"Between pagemap and the dump {units.size(shares['late'])} of objects came to lie "
            "on pages that had not been in memory"
            + (
                f"; from smaps before the dump to smaps after it the process changed by "
                f"{_signed(shares['drift'])}."
                if shares["drift"] is not None
                else "."
            )
        )
    own = ("MSpanSys", "MCacheSys", "BuckHashSys", "GCSys", "OtherSys")
    named = ", ".join(f"{name} {units.size(stats[name])}" for name in own if name in stats)
    yield f"Of its own memory the runtime says: {named}."


def _signed(size: int) -> str:
    return ("−" if size < 0 else "+") + units.size(abs(size))


def _sites(atlas: Mapping[str, Any]) -> Md:
    rows = [
        [code(function), code(caller) if caller else "", units.count(count), units.size(size)]
        for function, caller, count, size in atlas["sites"]
    ]
    return table(["allocated by", "called by", "objects", "bytes"], rows, "llrr")


def _sizes(atlas: Mapping[str, Any]) -> Md:
    rows = [
        [units.size(size), units.count(count), units.size(held)]
        for size, count, held in atlas["sizes"]
    ]
    return table(["size class", "objects", "bytes"], rows, "rrr")
