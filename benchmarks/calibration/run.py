"""Simulated experiments: how often intervals cover and verdicts err.

    python -m benchmarks.calibration.run --experiments 10000 --seed 20261123 \
        > benchmarks/calibration/results.md
"""

import argparse
import math
import random
import sys

import numpy as np

from benchmarks.search.run import Server, search
from runner.analysis.compare import mann_whitney, outcome, paired
from runner.analysis.intervals import bca, hodges_lehmann, median_interval, shift
from runner.analysis.verdict import CONTRADICTED, REPRODUCED, Case, judge, judge_all
from runner.schedule import enough
from runner.search import Params

COVER, REPRODUCE, CONTRADICT = 0.89, 0.055, 0.025

# name → (draw, median); a repetition of a real benchmark is seldom normal
SHAPES = {
    "normal": (lambda rng, size: rng.normal(0, 1, size), 0.0),
    "log-normal, skewed": (lambda rng, size: rng.lognormal(0, 1, size), 1.0),
    "heavy tails (t, 2 degrees)": (lambda rng, size: rng.standard_t(2, size), 0.0),
    "two modes": (
        lambda rng, size: rng.normal(0, 0.3, size) + np.where(rng.random(size) < 0.5, -2, 2),
        0.0,
    ),
    "whole numbers, ties": (lambda rng, size: rng.integers(-3, 4, size).astype(float), 0.0),
}
SIZES = (5, 6, 7, 8, 10, 15, 30)
failures = []


class Table:
    def __init__(self, title, head, said=""):
        print(f"\n## {title}\n")
        if said:
            print(f"{said}\n")
        print("| " + " | ".join(head) + " |")
        print("|" + "---|" + "--:|" * (len(head) - 1))

    def row(self, label, values, bound=None, *, at_least=False):
        cells = []
        for value in values:
            if value is None:
                cells.append("–")
                continue
            text = f"{value:.1%}" if at_least else f"{value:.2%}"
            bad = bound is not None and (value < bound if at_least else value > bound)
            if bad:
                failures.append((label, text))
            cells.append(f"**{text}**" if bad else text)
        print(f"| {label} | " + " | ".join(cells) + " |", flush=True)


def covered(intervals, true):
    found = [i.low <= true <= i.high for i in intervals if i is not None]
    return sum(found) / len(found) if found else None


def intervals(count, rng):
    for level in (0.90, 0.95):
        table = Table(
            f"Median, order statistics, {level:.0%}",
            ["distribution", *(f"n = {n}" for n in SIZES)],
            "Share of intervals that hold the true median." if level == 0.90 else "",
        )
        for name, (draw, true) in SHAPES.items():
            rates = [
                covered(
                    (median_interval(row, level) for row in draw(rng, (count, n)).tolist()), true
                )
                for n in SIZES
            ]
            table.row(name, rates, COVER if level == 0.90 else 0.94, at_least=True)
    table = Table(
        "Hodges-Lehmann, 90 %",
        ["distribution", *(f"n = {n}" for n in SIZES)],
        "One sample, symmetric distributions only: of others it estimates another quantity.",
    )
    for name in ("normal", "heavy tails (t, 2 degrees)", "two modes"):
        draw, true = SHAPES[name]
        rates = [
            covered((hodges_lehmann(row) for row in draw(rng, (count, n)).tolist()), true)
            for n in SIZES
        ]
        table.row(name, rates, COVER, at_least=True)
    table = Table(
        "Shift of two samples, 90 %",
        ["distribution", *(f"n = {n}" for n in SIZES)],
        "Both of size n and of the same shape, true shift 0.5.",
    )
    for name in ("normal", "log-normal, skewed", "two modes"):
        draw, _ = SHAPES[name]
        rates = []
        for n in SIZES:
            a, b = draw(rng, (count, n)).tolist(), (draw(rng, (count, n)) + 0.5).tolist()
            rates.append(covered((shift(x, y) for x, y in zip(a, b, strict=True)), 0.5))
        table.row(name, rates, COVER, at_least=True)
    table = Table(
        "Ratio, paired within blocks, 90 %",
        ["blocks differ by a factor of", *(f"n = {n}" for n in SIZES)],
        "True ratio 1.1, noise 5 % on both sides.",
    )
    for spread in (1.0, 1.5, 4.0):
        rates = []
        for n in SIZES:
            block = np.exp(rng.normal(0, math.log(spread), (count, n)))
            a = (block * np.exp(rng.normal(0, 0.05, (count, n)))).tolist()
            b = (1.1 * block * np.exp(rng.normal(0, 0.05, (count, n)))).tolist()
            rates.append(covered((paired(x, y).interval for x, y in zip(a, b, strict=True)), 1.1))
        table.row(f"{spread:g}", rates, COVER, at_least=True)


def bootstrap(count, rng):
    sizes = (15, 20, 30, 50)
    table = Table(
        "Mean, BCa bootstrap, 90 %",
        ["distribution", *(f"n = {n}" for n in sizes)],
        "Expanded for small n, 999 resamples; refused under 15 values. A bootstrap knows no tail\n"
        "that it has not seen: for skewed distributions it covers less, which is shown and held\n"
        "to no target. It is used where a spec asks for it.",
    )
    shapes = {
        "normal": (lambda size: rng.normal(0, 1, size), 0.0, COVER),
        "uniform": (rng.random, 0.5, COVER),
        "log-normal, σ = 0.25": (lambda size: rng.lognormal(0, 0.25, size), math.exp(1 / 32), None),
        "log-normal, σ = 1": (lambda size: rng.lognormal(0, 1, size), math.exp(0.5), None),
    }
    for name, (draw, true, bound) in shapes.items():
        rates = []
        for n in sizes:
            rows = draw((count, n))
            found = (bca(row, lambda x: x.mean(axis=-1), rng, 0.90, 999) for row in rows)
            rates.append(covered(found, true))
        table.row(name, rates, bound, at_least=True)


def stopped(draw, rng, between, target):
    """Repeat until the interval is narrow enough, as `repeat.stop_when` does."""
    values = draw(rng, between[1]).tolist()
    for n in range(between[0], between[1] + 1):
        found = median_interval(values[:n])
        if enough(n, between, [found.half_width if found else None], target).stop:
            return values[:n]
    return values


def stopping(count, rng):
    Table(
        "Stopping on the width",
        ["target half-width", "covers", "false reproduced", "false contradicted", "mean n"],
        "Between 6 and 15 repetitions of 100 with a spread of 3 %; 90 % interval of the median.\n"
        "The false verdicts are those with the true median on the region's edge.",
    )
    for target in (0.005, 0.01, 0.02, 0.03, 0.05):
        runs = [
            stopped(lambda r, size: 100 * np.exp(r.normal(0, 0.03, size)), rng, (6, 15), target)
            for _ in range(count)
        ]
        cover = covered((median_interval(run) for run in runs), 100)
        wrong = [judge(Case("a", (50, 100), values=run)).verdict for run in runs]
        label = f"± {target:.1%}"
        rates = [wrong.count(REPRODUCED) / count, wrong.count(CONTRADICTED) / count]
        size = sum(map(len, runs)) / count
        marks = (cover >= COVER, rates[0] <= REPRODUCE, rates[1] <= CONTRADICT)
        if not all(marks):
            failures.append((f"stopping {label}", f"{cover:.1%} {rates[0]:.2%} {rates[1]:.2%}"))
        print(
            f"| {label} | {cover:.1%} | {rates[0]:.2%} | {rates[1]:.2%} | {size:.1f} |", flush=True
        )


def verdicts(count, rng):
    head = ["distribution", *(f"n = {n}" for n in SIZES)]
    # with ties the edge would hold values of its own
    names = [name for name in SHAPES if "ties" not in name]
    drawn = {(name, n): SHAPES[name][0](rng, (count, n)).tolist() for name in names for n in SIZES}

    def rates(name, region):
        low, high = region(SHAPES[name][1])
        found = [
            [judge(Case("a", (low, high), values=row)).verdict for row in drawn[name, n]]
            for n in SIZES
        ]
        return [[v.count(which) / count for v in found] for which in (REPRODUCED, CONTRADICTED)]

    regions = {
        "wide": (lambda true: (true - 50, true), "on its edge", CONTRADICT),
        "one spread wide": (lambda true: (true - 1, true), "on its edge", None),
        "± 0.1 spreads": (lambda true: (true - 0.1, true + 0.1), "in its middle", None),
    }
    for label, (region, where, bound) in regions.items():
        both = {name: rates(name, region) for name in names}
        if bound is not None or "one" in label:
            table = Table(f"False `reproduced`, region {label}, true median {where}", head)
            for name in names:
                table.row(name, both[name][0], REPRODUCE)
        said = ""
        if bound is None:
            said = (
                "A region narrower than the spread can be missed on either side, each with at most\n"
                "2.5 %. One distribution comes near both at once: two modes, and the region in the\n"
                "gap between them. Its bound is that of the two-sided 95 % interval, 5 %."
            )
        table = Table(f"False `contradicted`, region {label}, true median {where}", head, said)
        for name in names:
            narrow = bound is None and name == "two modes"
            table.row(name, both[name][1], 0.05 if narrow else CONTRADICT)
    table = Table(
        "`reproduced` where it is true",
        head,
        "True median in the middle; half-width of the region in spreads of one repetition. Normal.",
    )
    for half in (0.5, 1.0, 1.5, 2.0, 3.0):
        found = rates("normal", lambda true, half=half: (true - half, true + half))
        table.row(f"± {half:g}", found[0])


def families(count, rng):
    table = Table(
        "Any false `contradicted` among several claims (Holm)",
        ["claims", *(f"n = {n}" for n in (6, 10, 15, 30))],
        "Every claim true, every true median on its region's edge, independent. At most 2.5 % for "
        "all together.",
    )
    for claims in (1, 2, 5, 20):
        rates = []
        for n in (6, 10, 15, 30):
            wrong = 0
            total = max(count // claims, 1000)
            for block in rng.normal(0, 1, (total, claims, n)).tolist():
                cases = [Case(str(i), (-50, 0), values=row) for i, row in enumerate(block)]
                wrong += any(found.verdict == CONTRADICTED for found in judge_all(cases))
            rates.append(wrong / total)
        # half a percent more for the chance of so few experiments
        table.row(str(claims), rates, CONTRADICT + (0.005 if claims > 1 else 0))


def statements(count, rng):
    table = Table(
        "`expect:` statements",
        ["", *(f"n = {n}" for n in SIZES)],
        "`a < b` where neither is smaller: it holds in half of the blocks.",
    )
    reproduced, contradicted = [], []
    for n in SIZES:
        rows = (rng.random((count, n)) < 0.5).tolist()
        found = [judge(Case("a", truths=row)).verdict for row in rows]
        reproduced.append(found.count(REPRODUCED) / count)
        contradicted.append(found.count(CONTRADICTED) / count)
    table.row("false reproduced", reproduced, REPRODUCE)
    table.row("false contradicted", contradicted, CONTRADICT)


def comparisons(count, rng):
    table = Table(
        "Comparing two runs",
        ["", *(f"n = {n}" for n in SIZES)],
        "Log-normal, spread 5 %. `equivalent` with a threshold of 5 %, the true ratio being 1.05.",
    )
    rows = {"Mann-Whitney, p <= 0.05 without a difference": [], "false equivalent": [],
            "false better or worse": []}  # fmt: skip
    for n in SIZES:
        a = np.exp(rng.normal(0, 0.05, (count, n))).tolist()
        b = np.exp(rng.normal(0, 0.05, (count, n))).tolist()
        pairs = list(zip(a, b, strict=True))
        rows["Mann-Whitney, p <= 0.05 without a difference"].append(
            sum(mann_whitney(x, y).p <= 0.05 for x, y in pairs) / count
        )
        edge = [
            outcome(paired(x, [1.05 * v for v in y]).interval, 0.05, "higher") for x, y in pairs
        ]
        rows["false equivalent"].append(edge.count("equivalent") / count)
        same = [outcome(paired(x, y).interval, 0.0001, "higher") for x, y in pairs]
        rows["false better or worse"].append((same.count("better") + same.count("worse")) / count)
    bounds = (0.055, REPRODUCE, 0.105)
    for (label, rates), bound in zip(rows.items(), bounds, strict=True):
        table.row(label, rates, bound)


def searches(count, rng):
    table = Table(
        "Capacity searches as repetitions",
        ["searches per experiment", "90 % interval covers"],
        f"{count} experiments; transition 5 %, 2 % spurious failures; the interval is that of the "
        "median of\nthe fitted levels, the truth the level where P(healthy) = 1/2.",
    )
    dice = random.Random(int(rng.integers(2**32)))
    for n in (5, 6, 10):
        hits = 0
        for _ in range(count):
            capacity = 2 ** dice.uniform(5, 11.9)
            server = Server(capacity, 0.05, 0.02, dice)
            found = median_interval([search(Params(8, 4096), server).fitted.half for _ in range(n)])
            hits += found.low <= server.half() <= found.high
        table.row(str(n), [hits / count], COVER, at_least=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--experiments", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=20261123)
    args = parser.parse_args()
    count = args.experiments
    print("# Calibration of intervals and verdicts\n")
    print(f"`python -m benchmarks.calibration.run --experiments {count} --seed {args.seed}`\n")
    print(
        f"{count} simulated experiments for each number. Targets: 90 % intervals cover at least\n"
        "89 %, false `reproduced` on the region's edge at most 5.5 %, false `contradicted` at\n"
        "most 2.5 %. A number that misses its target is bold. Intervals of order statistics cover\n"
        "more than they are asked for, since ranks are whole: 93.75 % at n = 5, 96.9 % at 6,\n"
        "98.4 % at 7, 93.0 % at 8. The standard error of these shares is 0.16 points at 2.5 %,\n"
        "0.22 at 5 % and 0.31 at 89 %."
    )
    parts = (intervals, bootstrap, stopping, verdicts, families, statements, comparisons, searches)
    for index, part in enumerate(parts):
        # a generator for each: a change of one part leaves the numbers of the others
        rng = np.random.default_rng([args.seed, index])
        part(max(count // 20, 1) if part is searches else count, rng)
    print("\n## Result\n")
    if failures:
        print("Missed:\n")
        for label, text in failures:
            print(f"- {label}: {text}")
    else:
        print(
            "The targets are met, with two exceptions that the tables show: the bootstrap of a mean\n"
            "under strong skew is held to nothing, and false `contradicted` of a distribution with two\n"
            "modes around a narrow region is held to the 5 % of its two-sided interval."
        )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
