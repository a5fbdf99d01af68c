"""Several boards: what differs between them first, what each ran, which of them died."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, Final

from runner.analysis.claims import levels
from runner.report.format import markdown, units, words
from runner.report.format.markdown import Md, code, escape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.analysis.model import Analysis, Estimate, Trial
    from runner.records.manifest import Manifest, PowerCycle

FACTS: Final = (
    ("model", "board.model"), ("revision", "board.revision"), ("kernel", "kernel.release"),
    ("clock at most", "cpu.max_khz"), ("governor", "cpu.governor"),
    ("memory", "memory.total_bytes"),
)  # fmt: skip
"""What is told of each board, in the order a reader asks."""


def table(
    manifest: Manifest, facts: Mapping[str, Mapping[str, object]], analysis: Analysis
) -> Md | None:
    """Give a row per board; columns that differ between boards come first. None for one board."""
    boards = list(dict.fromkeys(plan.host for plan in manifest.trials.values()))
    if len(boards) < 2:
        return None
    columns: list[tuple[str, list[str]]] = []
    for name, fact in FACTS:
        values = [facts.get(board, {}).get(fact) for board in boards]
        if any(value is not None for value in values):
            shown = ["–" if v is None else escape(words.fact(fact, v), 80) for v in values]
            columns.append((name, shown))
    own = {board: [t for t in analysis.trials if t.host == board] for board in boards}
    columns += _measured(own)
    columns.sort(key=lambda column: len(set(column[1])) < 2)
    columns.append(("blocks", [str(len({t.repetition for t in own[b]})) for b in boards]))
    columns.append(("trials", [str(len(own[b])) for b in boards]))
    rows = [[code(board), *(cells[at] for _, cells in columns)] for at, board in enumerate(boards)]
    return markdown.table(["board", *(name for name, _ in columns)], rows, "l" * len(rows[0]))


def spreads(analysis: Analysis) -> Md | None:
    """Give each metric by board, and its spread between boards and within; None for one board."""
    names = levels.boards(analysis.estimates)
    if len(names) < 2:
        return None
    rows: list[list[object]] = []
    for estimate in analysis.estimates:
        if estimate.exact or estimate.texts:
            continue
        where = ", ".join(filter(None, (words.treatment(estimate.treatment), estimate.step)))
        own = [levels.on_board(estimate, name) for name in names]
        row: list[object] = [code(estimate.metric), escape(where) or "–"]
        row += [f"{units.amount(one.median, estimate.unit)} ({one.n})" for one in own]
        rows.append([*row, *_spread(estimate)])
    head = ["metric", "treatment", *names, "between boards", "within a board"]
    return markdown.table(head, rows, "ll" + "r" * (len(names) + 2)) if rows else None


def _spread(estimate: Estimate) -> list[str]:
    parts = levels.spread(estimate)
    if parts is None:
        return ["–", "–"]
    ends = ((parts.between, parts.between_interval), (parts.within, parts.within_interval))
    return [f"{_share(sd, parts.mean)} [{_share(low, parts.mean)}, {_share(high, parts.mean)}]"
            for sd, (low, high) in ends]  # fmt: skip


def _share(sd: float, mean: float) -> str:
    """Show a standard deviation relative to the mean; by itself around 0."""
    return units.percent(sd / abs(mean)) if mean else units.digits(sd)


def _measured(own: Mapping[str, Sequence[Trial]]) -> list[tuple[str, list[str]]]:
    """Give what was seen in the trials of each board: clock, temperature, throttling."""
    clock = {b: _numbers(ts, "board.frequency.median") for b, ts in own.items()}
    heat = {b: _numbers(ts, "board.temperature") for b, ts in own.items()}
    bits = {b: _numbers(ts, "board.throttled.gained") for b, ts in own.items()}
    columns: list[tuple[str, list[str]]] = []
    if any(clock.values()):
        shown = [units.frequency(statistics.median(v)) if v else "–" for v in clock.values()]
        columns.append(("clock in trials", shown))
    if any(heat.values()):
        shown = [f"{max(v):.1f} °C" if v else "–" for v in heat.values()]
        columns.append(("hottest", shown))
    if any(bits.values()):
        shown = [("yes" if any(map(int, v)) else "no") if v else "–" for v in bits.values()]
        columns.append(("throttled", shown))
    return columns


def _numbers(trials: Sequence[Trial], name: str) -> list[float]:
    numbers = (step.numbers.get(name) for trial in trials for step in trial.steps)
    return [float(v) for v in numbers if isinstance(v, int | float) and math.isfinite(v)]


def deaths(manifest: Manifest) -> list[Md]:
    """Say which board was left out or died when, what was done, and who ran its blocks."""
    sentences = [
        Md(f"{code(name)} was left out, {escape(one.when)}: {escape(one.why)}")
        for name, one in manifest.left_out.items()
    ]
    sentences += [_death(one) for one in manifest.power]
    for move in manifest.order.moved if manifest.order else ():
        where = "there again" if move.to_board == move.from_board else f"on {code(move.to_board)}"
        sentences.append(
            Md(
                f"Block {move.block} of {code(move.from_board)} was run "
                f"{where} as {move.number}: {escape(move.why)}"
            )
        )
    return sentences


def _death(one: PowerCycle) -> Md:
    sentence = f"{code(one.board)} at {words.when(one.at)}: {escape(one.why)}."
    if one.argv:
        sentence += f" Switched off and on by {code(' '.join(one.argv))}."
    if one.failed:
        return Md(f"{sentence} It was not brought back: {escape(one.failed)}.")
    boots = f"boot {code(one.boot_after[:8])} after {code(one.boot_before[:8])}"
    put = words.plural(one.restored, "value")
    return Md(
        f"{sentence} It came back in another boot ({boots}), {put} put back from its journal."
    )
