"""`runner bisect` beside plain `git bisect run` with a threshold, on simulated commits.

python -m benchmarks.bisect.run --searches 1000 --seed 20261123 > benchmarks/bisect/results.md

64 commits after a good one, from a random one on 5 % slower, values with a spread of 3 %.
Plain bisection asks each commit once and calls it bad above a threshold; it is given the best
one, half way between two means that nobody knows in practice. With k values a step it takes
their mean. The search of runner knows neither means nor spread.
"""

import argparse
import random
import statistics

from benchmarks.environment import environment
from runner.planning.bisect import Answer, Bisection

CASES = ((64, 0.05, 0.03), (64, 0.05, 0.01), (64, 0.03, 0.03), (64, 0.10, 0.03), (512, 0.05, 0.03))


def plain(first, commits, effect, spread, rng, values):
    """Bisect with the mean of so many values against the best threshold; give place and values."""
    low, high, taken = 0, commits, 0
    while high - low > 1:
        middle = (low + high) // 2
        taken += values
        true = 1 + effect * (middle >= first)
        seen = statistics.fmean(true * (1 + rng.gauss(0, spread)) for _ in range(values))
        low, high = (low, middle) if seen > 1 + effect / 2 else (middle, high)
    return high, high, taken


def ours(first, commits, effect, spread, rng):
    """Bisect as runner does."""
    search = Bisection(commits)
    while not isinstance(step := search.next(), Answer):
        search.record(step, (1 + effect * (step >= first)) * (1 + rng.gauss(0, spread)))
    return step.first, step.last, search.taken


def row(name, commits, effect, spread, searches, seed, how):
    rng = random.Random(seed)
    right, ranges, taken = 0, 0, []
    for _ in range(searches):
        first = rng.randint(1, commits)
        one, last, many = how(first, commits, effect, spread, rng)
        right += one == last == first
        ranges += one < last
        taken.append(many)
    taken.sort()
    print(f"| {commits} | {effect:.0%} | {spread:.0%} | {name} | {right / searches:.1%} "
          f"| {statistics.fmean(taken):.0f} | {taken[int(0.9 * len(taken))]} |")  # fmt: skip
    return ranges


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--searches", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20261123)
    args = parser.parse_args()
    print("# Bisecting noisy measurements\n")
    print(environment())
    print(f"\n{args.searches} searches a row, seed {args.seed}: `python -m benchmarks.bisect.run`. A value "
          "is one trial of one\ncommit; ours counts those of both ends too, plain bisection is "
          "given the best threshold for nothing.\n")  # fmt: skip
    print("| commits | slower | spread | search | right commit | values, mean | values, 90 % |")
    print("|---|---|---|---|---|---|---|")
    for commits, effect, spread in CASES:
        row("runner bisect", commits, effect, spread, args.searches, args.seed, ours)
        for values in (1, 3, 9):
            row(f"plain, {values} a step", commits, effect, spread, args.searches, args.seed,
                lambda *case, n=values: plain(*case, n))  # fmt: skip


if __name__ == "__main__":
    main()
