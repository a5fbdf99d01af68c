"""Which figures a report has, what they are called, and what is left out."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from runner.analysis.claims.levels import on_board
from runner.analysis.trial import arrivals
from runner.kinds import discovery
from runner.report.figure_kinds.interface import Asked, Shown
from runner.report.figures import (
    forest,
    health,
    load,
    memory,
    noise,
    over_time,
    run_order,
    strip,
)
from runner.report.figures.labels import MOST, by_treatment, label, of, suffix
from runner.report.format.markdown import Md, image
from runner.report.sections import atlas, baseline, searches
from runner.spec.sections.report import Figure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from runner.analysis.model import Analysis, Trial
    from runner.report.figure_kinds.interface import FigureKind
    from runner.spec.experiment import Experiment
    from runner.spec.metrics import Metric

FOLDER: Final = "figures"
_SHOWN: Final = 6
"""Metrics of a figure that nobody asked for."""


def draw(experiment: Experiment, analysis: Analysis) -> tuple[dict[str, bytes], dict[str, object]]:
    """Draw the figures: files by name, and what the template shows of them."""
    files: dict[str, bytes] = {}

    def add(name: str, alt: str, data: bytes | None) -> Md | None:
        if data is None:
            return None
        path = f"{FOLDER}/{_file_name(name, files)}.svg"
        files[path] = data
        return image(alt, path)

    groups = by_treatment(analysis.trials)
    steps = [
        add(
            f"load{suffix(name)}",
            f"Throughput and p99 latency per step{of(name)}",
            load.draw(trials, of(name)),
        )
        for name, trials in list(groups.items())[:MOST]
    ]
    rates = [
        add(
            f"arrivals-{trial.id}",
            f"Requests declared, sent and answered over time in {trial.id}",
            over_time.draw(
                trial,
                [s for s in analysis.series if s.trial == trial.id and s.name in arrivals.NAMES],
                f"Requests declared, sent and answered in {label(trial)}",
            ),
        )
        for trial in chosen(analysis)[: max(1, len(groups))][:MOST]
    ]
    lines = [
        add(
            f"memory-{trial.id}",
            f"Memory over time of {trial.id}",
            memory.draw(trial, [s for s in analysis.series if s.trial == trial.id], label(trial)),
        )
        for trial in chosen(analysis)[:MOST]
    ]
    search = searches.normal(analysis.search)
    shown = {
        "steps": [figure for figure in steps if figure],
        "arrivals": [figure for figure in rates if figure],
        "memory": [figure for figure in lines if figure],
        # one of each treatment comes first and stands open
        "first": max(1, len(groups)),
        "search": add("search", "Share of healthy trials by level", health.draw(search))
        if search
        else None,
        "claims": {
            claim.id: figure
            for claim in analysis.claims
            if (
                figure := add(
                    f"claim-{claim.id}",
                    f"Repetitions of claim {claim.id} beside what was published",
                    strip.draw(claim),
                )
            )
        },
        "orders": {
            claim.id: figure
            for claim in analysis.claims
            if (
                figure := add(
                    f"order-{claim.id}",
                    f"Claim {claim.id} in the order of measuring",
                    run_order.draw(claim),
                )
            )
        },
        "against": _against(experiment, analysis, add),
        "noise": add("noise", "Noise of the host by trial", noise.draw(analysis.trials)),
        "atlas": atlas.views(analysis, add),
        "asked": _asked(experiment, analysis, add),
        "left_out": sum(bool(trial.steps) for trial in analysis.trials) - sum(map(bool, lines)),
    }
    return files, shown


def _against(
    experiment: Experiment, analysis: Analysis, add: Callable[[str, str, bytes | None], Md | None]
) -> list[Md]:
    """Draw treatments against the baseline: of all boards, and of each of several."""
    if not experiment.baseline:
        return []
    whole = Shown(analysis, {})
    boards = _split(whole, "board")
    found = []
    for board, shown in [("", whole), *(boards[:MOST] if len(boards) > 1 else [])]:
        title = "Ratio to the baseline" + (f" on {board}" if board else "")
        svg = forest.draw(baseline.ratios(shown.analysis, experiment), title)
        found.append(add(f"against{suffix(board)}", title, svg))
    return [figure for figure in found if figure]


def _asked(
    experiment: Experiment, analysis: Analysis, add: Callable[[str, str, bytes | None], Md | None]
) -> list[Md]:
    """Draw what the spec's `report.figures` ask for, each by its kind."""
    whole = Shown(analysis, by_treatment(analysis.trials))
    found: list[Md | None] = []
    given = experiment.report.figures
    wanted = [*(given or _default(experiment, analysis)), *_printed(experiment.metrics, given)]
    for number, figure in enumerate(wanted, 1):
        asked = Asked(figure.show, figure.over, figure.heading)
        kind: FigureKind = discovery.module("figures", figure.drawn).KIND
        for board, shown in _split(whole, figure.split):
            titled = replace(asked, title=f"{asked.title} on {board}") if board else asked
            for drawing in kind.draw(titled, shown):
                title = f"{titled.title}{of(drawing.of)}"
                tail = f"{suffix(board)}{suffix(drawing.of)}"
                found.append(add(f"asked-{number}{tail}", title, drawing.svg))
    return [drawing for drawing in found if drawing]


def _split(whole: Shown, by: str | None) -> list[tuple[str, Shown]]:
    """Give what one drawing shows, or what is of each board."""
    if by is None:
        return [("", whole)]
    found = []
    for board in dict.fromkeys(trial.host for trial in whole.analysis.trials):
        trials = tuple(trial for trial in whole.analysis.trials if trial.host == board)
        own = {trial.id for trial in trials}
        analysis = replace(
            whole.analysis,
            trials=trials,
            estimates=tuple(on_board(one, board) for one in whole.analysis.estimates),
            series=tuple(line for line in whole.analysis.series if line.trial in own),
        )
        found.append((board, Shown(analysis, by_treatment(trials))))
    return found


def _default(experiment: Experiment, analysis: Analysis) -> list[Figure]:
    """Declared metrics by treatment on common axes, where the spec asks for no figure."""
    factors = experiment.factors
    over = next((name for name, factor in factors.items() if len(factor.levels) > 1), None)
    numbers = {e.metric for e in analysis.estimates if e.median is not None and not e.exact}
    show = tuple(name for name in experiment.metrics if name in numbers)[:_SHOWN]
    if over is None or not show:
        return []
    return [Figure.model_construct(show=show, over=over, title=f"Metrics by {over}")]


def _printed(metrics: Mapping[str, Metric], given: Sequence[Figure]) -> list[Figure]:
    """Draw what a program printed over time, where no figure of the spec shows it already."""
    drawn = {name for figure in given if figure.over == "time" for name in figure.show}
    return [
        Figure.model_construct(show=(name,), title=metric.title)
        for name, metric in metrics.items()
        if metric.series is not None and name not in drawn
    ]


def chosen(analysis: Analysis) -> list[Trial]:
    """Order the trials whose memory is drawn: the first of each treatment, then the others."""
    drawn = {series.trial for series in analysis.series}
    first = [group[0].id for group in by_treatment(analysis.trials).values()]
    found = [trial for trial in analysis.trials if trial.id in drawn]
    return sorted(found, key=lambda trial: trial.id not in first)


def _file_name(wanted: str, taken: Mapping[str, bytes]) -> str:
    """Make a name that every file system and every link takes; distinct names stay distinct."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", wanted).strip("-.")
    if name != wanted or len(name) > 100 or f"{FOLDER}/{name}.svg" in taken:
        name = f"{name[:80]}-{hashlib.sha256(wanted.encode()).hexdigest()[:6]}"
    return name
