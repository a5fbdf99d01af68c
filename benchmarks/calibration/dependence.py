"""Simulated experiments whose repetitions are not independent, and what else people run into."""

import math

import numpy as np

from runner.analysis.claims.case import (
    CONTRADICTED,
    INCONCLUSIVE,
    NOT_MEASURED,
    REPRODUCED,
    Case,
)
from runner.analysis.claims.verdict import judge
from runner.analysis.forecast.chances import Powers
from runner.analysis.stats.nested import components
from runner.analysis.stats.power import Truth, inside, outside
from runner.analysis.stats.power_more import rate_inside
from runner.analysis.stats.run_order import check

FALSE = 0.05
SIZES = (6, 8, 10, 15, 20, 30, 50)


def autoregressive(rng, count, n, rho):
    noise = rng.normal(0, 1, (count, n))
    x = np.empty((count, n))
    x[:, 0] = noise[:, 0]
    for at in range(1, n):
        x[:, at] = rho * x[:, at - 1] + math.sqrt(1 - rho**2) * noise[:, at]
    return x


def linear(rng, count, n, size):
    return rng.normal(0, 1, (count, n)) + np.linspace(-size / 2, size / 2, n)


def step(rng, count, n, size):
    return rng.normal(0, 1, (count, n)) + np.where(np.arange(n) < n / 2, -size / 2, size / 2)


SERIES = {
    "AR(1), rho = 0.5": (lambda r, c, n: autoregressive(r, c, n, 0.5), 30),
    "AR(1), rho = 0.7": (lambda r, c, n: autoregressive(r, c, n, 0.7), 20),
    "AR(1), rho = 0.9": (lambda r, c, n: autoregressive(r, c, n, 0.9), 20),
    "linear drift of 2 spreads": (lambda r, c, n: linear(r, c, n, 2), 10),
    "step of 2 spreads": (lambda r, c, n: step(r, c, n, 2), 10),
}


def dependence(table, count, rng):
    """False verdicts where the true median lies on the edge; the truth of a drift is its middle."""
    head = ["values", *(f"n = {n}" for n in SIZES)]
    for which in (REPRODUCED, CONTRADICTED):
        made = table(
            f"False `{which}` where repetitions depend on each other",
            head,
            "Region with one end, true median (of a drift: its middle) on it; share of all\n"
            "experiments. Targets of 5 % begin at the n of the issue: 30, 20, 20, 10 and 10; below\n"
            "that the verdict says that it assumes independence.",
        )
        for name, (draw, least) in SERIES.items():
            for n_from in (least,):
                rates = []
                for n in SIZES:
                    found = [
                        judge(Case("a", (None, 0.0), values=x)).verdict
                        for x in draw(rng, count, n).tolist()
                    ]
                    rates.append(found.count(which) / count)
                early = [None if n < n_from else rate for n, rate in zip(SIZES, rates, strict=True)]
                made.row(f"{name}, where 5 % is held", early, FALSE)
                made.row(f"{name}, all", rates)
    made = table(
        "Independent values that keep their verdict",
        head,
        "Share of `reproduced` without the run-order check that is said with it; at least 90 %.",
    )
    kept = []
    for n in SIZES:
        rows = rng.normal(0, 1, (count, n)).tolist()
        decided = [
            x
            for x in rows
            if judge(Case("a", (-1.5, 1.5), values=x, order_effect="x")).verdict == REPRODUCED
        ]
        said = sum(judge(Case("a", (-1.5, 1.5), values=x)).verdict == REPRODUCED for x in decided)
        kept.append(said / len(decided))
    made.row("normal", kept, 0.9, at_least=True)
    made = table(
        "What the run-order check finds",
        head,
        "Share of series that are said to depend on the order.",
    )
    made.row("independent", [share_found(rng.normal(0, 1, (count, n))) for n in SIZES])
    for name, (draw, _) in SERIES.items():
        made.row(name, [share_found(draw(rng, count, n)) for n in SIZES])


def share_found(rows):
    return sum(check(row).found for row in rows.tolist()) / len(rows)


def censoring(table, count, rng):
    made = table(
        "Searches that end at their bound",
        ["claim about a capacity N(250, 25), range to 256", "n = 7", "n = 12", "n = 20"],
        "Values beyond 256 are known as ≥ 256 alone.",
    )
    for label, region, which, bound in (
        ("true (245-255), false contradicted", (245, 255), CONTRADICTED, 0.025),
        ("on its edge (≤ 250), false contradicted", (None, 250), CONTRADICTED, 0.025),
        ("on its edge (≤ 250), false reproduced", (None, 250), REPRODUCED, 0.055),
        ("true (245-255), not measured", (245, 255), NOT_MEASURED, None),
        ("≥ 200, reproduced", (200, None), REPRODUCED, None),
        ("≤ 200, contradicted", (None, 200), CONTRADICTED, None),
    ):
        rates = []
        for n in (7, 12, 20):
            found = 0
            for row in rng.normal(250, 25, (count, n)).tolist():
                values = [min(v, 256) for v in row]
                sides = ["above" if v >= 256 else "" for v in row]
                case = Case("a", region, values=values, censored=sides, order_effect="x")
                found += judge(case).verdict == which
            rates.append(found / count)
        made.row(label, rates, bound)


def universals(table, count, rng):
    sizes = (2, 30, 59, 100)
    made = table(
        "`never`, bound 1 in 20",
        ["true share of runs that fail", *(f"n = {n}" for n in sizes)],
        "Share of experiments that are `reproduced`; with a share above the bound at most 5 %.",
    )
    for share in (0.0, 0.01, 0.05, 0.2, 0.25):
        rates = []
        for n in sizes:
            failed = (rng.random((count, n)) < share).astype(float).tolist()
            cases = [Case("a", values=row, estimand="never", bound=0.05) for row in failed]
            rates.append(sum(judge(case).verdict == REPRODUCED for case in cases) / count)
        made.row(f"{share:g}", rates, 0.051 if share >= 0.05 else None)


def predictions(table, count, rng):
    sizes = (7, 8, 10, 15, 30)
    made = table(
        "Power as `runner plan` says it, less what experiments find",
        ["half-width of the region in spreads", *(f"n = {n}" for n in sizes)],
        "Normal values, true median in the middle (or 1 spread beyond, for `contradicted`), without\n"
        "the run-order check; at most 2 points and what the simulation is off by itself.",
    )
    slack = 0.02 + 2 * 0.5 / math.sqrt(count)
    for half in (0.5, 1.0, 1.5, 2.0):
        rates = []
        for n in sizes:
            rows = rng.normal(0, 1, (count, n)).tolist()
            cases = [Case("a", (-half, half), values=row, order_effect="x") for row in rows]
            seen = sum(judge(case).verdict == REPRODUCED for case in cases) / count
            rates.append(abs(inside(n, (-half, half), Truth(0, 1)) - seen))
        made.row(f"± {half:g}", rates, slack)
    rates = []
    for n in sizes:
        rows = rng.normal(1.5, 1, (count, n)).tolist()
        cases = [Case("a", (-0.5, 0.5), values=row, order_effect="x") for row in rows]
        seen = sum(judge(case).verdict == CONTRADICTED for case in cases) / count
        rates.append(abs(outside(n, (-0.5, 0.5), Truth(1.5, 1), 0.0125) - seen))
    made.row("± 0.5, 1 spread beyond", rates, slack)


def silence(table, count, rng):
    made = table("A fact that the source does not declare", ["", "n = 10"], "Neither is ever said.")
    rows = rng.normal(0, 1, (count, 10)).tolist()
    found = [judge(Case("a", (-3, 3), values=row, must=["board.cooling"])).verdict for row in rows]
    made.row("reproduced", [found.count(REPRODUCED) / count], 0.0)
    made.row("inconclusive", [found.count(INCONCLUSIVE) / count])


def levels(table, count, rng):
    designs = ((4, 4), (6, 2), (6, 4), (10, 3))
    made = table(
        "Levels: intervals of what a boot and a repetition are worth",
        [
            "spread of a boot, in those of a repetition",
            *(
                f"{boots} boots of {each}{of}"
                for of in (", boot", ", repetition")
                for boots, each in designs
            ),
        ],
        "Share of 90 % intervals of a standard deviation that hold the true one; normal effects.",
    )
    for share in (0.0, 0.3, 1.0, 3.0):
        held = {"boot": [], "repetition": []}
        for boots, each in designs:
            hits = {"boot": 0, "repetition": 0}
            for _ in range(count // 2):
                shifts = rng.normal(0, share, boots) if share else [0.0] * boots
                values = [
                    ((str(at),), value + shift)
                    for at, shift in enumerate(shifts)
                    for value in rng.normal(0, 1, each)
                ]
                for one in components(values, ("boot",)):
                    low, high = one.interval
                    true = share if one.level == "boot" else 1.0
                    hits[one.level] += low - 1e-9 <= true <= high + 1e-9
            for level, rates in held.items():
                rates.append(hits[level] / (count // 2))
        made.row(f"{share:g}", [*held["boot"], *held["repetition"]], 0.88, at_least=True)


def more_predictions(table, count, rng):
    sizes = (15, 20, 30, 50)
    made = table(
        "Power of means, quantiles and shares as `runner plan` says it, less what experiments find",
        ["claim", *(f"n = {n}" for n in sizes)],
        "As above; of a mean a tenth of the experiments, since each is 2000 resamples.",
    )
    for label, powers, half, more in (
        ("mean ± 0.6 spreads", Powers("mean"), 0.6, {"estimand": "mean"}),
        (
            "quarter ± 0.8 spreads",
            Powers("quantile", 0.25),
            0.8,
            {"estimand": "quantile", "quantile": 0.25},
        ),
    ):
        rates, few = [], max(100, count // 10) if powers.kind == "mean" else count
        drawn = powers.drawn(0.0, 1.0)
        for n in sizes:
            rows = rng.normal(drawn.middle, 1, (few, n)).tolist()
            cases = [Case("a", (-half, half), values=row, order_effect="x", **more) for row in rows]
            seen = sum(judge(case).verdict == REPRODUCED for case in cases) / few
            rates.append(abs(powers.inside(n, (-half, half), drawn) - seen))
        made.row(label, rates, 0.02 + 2 * 0.5 / math.sqrt(few))
    rates = []
    for n in sizes:
        rows = (rng.random((count, n)) < 0.1).astype(float).tolist()
        cases = [
            Case("a", (0.0, 0.3), values=row, estimand="rate", order_effect="x") for row in rows
        ]
        seen = sum(judge(case).verdict == REPRODUCED for case in cases) / count
        rates.append(abs(rate_inside(n, (0.0, 0.3), 0.1) - seen))
    made.row("share of 10 %, up to 30 %", rates, 0.02 + 2 * 0.5 / math.sqrt(count))


def let_pass(table, count, rng):
    """Verdicts that are said though an order effect was found: it is far too small to matter."""
    made = table(
        "Order effects that are let pass",
        ["values", *(f"n = {n}" for n in SIZES)],
        "Region with one end, true median (of a drift: its middle) on it, so that every verdict is\n"
        "false; share of all experiments that get one although an order effect was found in them.",
    )
    series = {name: draw for name, (draw, _) in SERIES.items()}
    series["AR(1), rho = 0.97"] = lambda r, c, n: autoregressive(r, c, n, 0.97)
    series["linear drift of 20 spreads"] = lambda r, c, n: linear(r, c, n, 20)
    for name, draw in series.items():
        rates = []
        for n in SIZES:
            found = [judge(Case("a", (None, 0.0), values=x)) for x in draw(rng, count, n).tolist()]
            said = [one for one in found if one.verdict in (REPRODUCED, CONTRADICTED)]
            rates.append(sum(one.order is not None and one.order.found for one in said) / count)
        made.row(name, rates, 0.02)
    made = table(
        "Order effects that do not matter",
        ["values", *(f"n = {n}" for n in SIZES)],
        "Region with one end, a hundred ranges of the values away: share that is decided.",
    )
    for name, draw in series.items():
        rates = []
        for n in SIZES:
            rows = draw(rng, count, n)
            far = 100 * np.ptp(rows, axis=1, keepdims=True)
            found = [judge(Case("a", (None, 0.0), values=x)).verdict for x in (rows + far).tolist()]
            rates.append(found.count(CONTRADICTED) / count)
        made.row(name, rates)


PARTS = (
    dependence, censoring, universals, predictions, more_predictions, silence, levels, let_pass,
)  # fmt: skip
