"""Why two runs differ: the differences that were varied, and what each explains. Pure."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from runner.analysis.runs.environment_diff import written
from runner.analysis.stats.effects import ROUNDING
from runner.records.units import base_name
from runner.report.format import markdown, units, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.analysis.runs.differences import Difference, Found
    from runner.analysis.runs.screened import Effect, Explained
    from runner.analysis.stats.effects import Amount

HEAD: Final = ("difference", "a", "b", "b against a", "90 % interval", "of the gap", "p (all)")


@dataclasses.dataclass(frozen=True)
class Why:
    """All that is said of two runs: who they are, what differs, what explains."""

    a: str
    b: str
    run: str
    """The run that varied the differences."""
    trials: int
    found: Found
    metrics: tuple[Explained, ...]

    @property
    def values(self) -> Mapping[str, Difference]:
        """The varied differences by their names."""
        return {one.name: one for one in self.found.settable}


def data(why: Why) -> dict[str, object]:
    """Plain data for `--json`; numbers in base units."""
    return {
        "a": why.a,
        "b": why.b,
        "run": why.run,
        "varied": [{"name": one.name, "a": one.a, "b": one.b} for one in why.found.settable],
        "not_varied": [dataclasses.asdict(one) for one in why.found.others],
        "metrics": [
            {
                **dataclasses.asdict(one),
                "unit": base_name(one.unit),
                "shown_in": one.unit,
                "sentence": sentence(one),
            }
            for one in why.metrics
        ],
    }


def sentence(one: Explained) -> str:
    """Say in a sentence what explains the gap of a metric."""
    if one.gap is None or one.left is None:
        return one.why
    gap = f"b is {_amount(one.gap, one)}"
    if not one.shown:
        return f"{gap}: no gap is shown, so nothing is to be explained"
    causes = [effect for effect in one.effects if effect.explains]
    named = [f"{effect.name} explains {_share(effect)}" for effect in causes]
    rest = len(one.effects) - len(causes)
    causes_text = "; ".join(named) or "no difference that was varied is shown to explain any of it"
    others = f"; of {words.plural(rest, 'other')} none is shown to" if named and rest else ""
    return f"{gap}: {causes_text}{others}; left unexplained: {_left(one)}"


def _amount(amount: Amount, one: Explained) -> str:
    return f"{_value(amount.value, one)} [{_range(amount, one)}]{' of a' if one.ratio else ''}"


def _value(value: float, one: Explained) -> str:
    if one.ratio:
        return f"{value:.3g} ×" if value < 0.1 or value >= 10 else f"{value:.3f} ×"
    return ("+" if value > 0 else "") + units.amount(value, one.unit)


def _range(amount: Amount, one: Explained) -> str:
    if one.ratio:
        return f"{amount.low:.3f} … {amount.high:.3f}"
    return units.interval((amount.low, amount.high), one.unit)


def _share(effect: Effect) -> str:
    part = effect.share
    if part is None:
        return units.NONE
    value, low, high = (f"{number:z.0%}".replace("%", " %")
                        for number in (part.value, part.low, part.high))  # fmt: skip
    return f"{value} [{low} … {high}]"


def _left(one: Explained) -> str:
    if one.left is None:
        return units.NONE
    none = 1.0 if one.ratio else 0.0
    held = one.left.low - ROUNDING <= none <= one.left.high + ROUNDING
    return f"{_amount(one.left, one)}{', which may be nothing' if held else ''}"


def page(why: Why) -> str:
    """Give the page."""
    code = markdown.code
    parts = [
        f"# Why {markdown.escape(why.a)} (a) and {markdown.escape(why.b)} (b) differ",
        _how(why),
    ]
    for one in why.metrics:
        where = words.treatment(one.where)
        parts.append(
            f"## {markdown.escape(one.metric)}{f' ({markdown.escape(where)})' if where else ''}"
        )
        text = sentence(one)
        parts.append(markdown.escape(text[:1].upper() + text[1:], 2000) + ".")
        if one.effects:
            parts.append(
                markdown.table(HEAD, [_row(effect, one, why) for effect in one.effects], "lllrrrr")
            )
        if one.together is not None:
            how = "their effects add up" if one.additive else (
                "their single effects do not add up: some matter only together"
            )  # fmt: skip
            parts.append(
                f"All of them at once: {markdown.escape(_amount(one.together, one))}; {how}."
            )
    if why.found.others:
        parts.append("## What differs and was not varied")
        rows = [[code(one.name), one.a, one.b, one.why] for one in why.found.others]
        parts.append(markdown.table(["what", "a", "b", "why not"], rows, "llll"))
    parts.append(foot())
    return "\n\n".join(parts) + "\n"


def _how(why: Why) -> str:
    return (
        f"{words.plural(len(why.found.settable), 'difference')} varied together in "
        f"{words.plural(why.trials, 'trial')} on one host, run {markdown.code(why.run)}: each at "
        "a's value in half of the trials and at b's in the other half, any two of them in all four "
        "pairs equally often, in shuffled blocks. Everything was put back."
    )


def _row(effect: Effect, one: Explained, why: Why) -> Sequence[object]:
    known = why.values[effect.name]
    return (
        markdown.code(effect.name), written(known.a), written(known.b),
        _value(effect.amount.value, one),
        _range(effect.amount, one), _share(effect), f"{effect.p_adjusted:.2g}",
    )  # fmt: skip


def foot() -> str:
    """Say how the numbers were made."""
    return (
        "Gaps and effects are of means of logarithms (ratios), or of the values where one is not "
        "above 0; effects by least squares with a mean for each block, intervals Student's at "
        "90 %, p by Holm over all differences and metrics. What explains has p ≤ 0.05 and the "
        "gap's direction. Interactions of three and more differences are not told from single "
        "effects."
    )


def lines(why: Why) -> list[str]:
    """Give the result for a terminal: metric by metric, then what was not varied."""
    shown_lines = []
    for one in why.metrics:
        where = words.treatment(one.where)
        shown_lines.append(f"{one.metric}{f' ({where})' if where else ''}: {sentence(one)}")
        for effect in one.effects if one.shown else ():
            known = why.values[effect.name]
            mark = "→" if effect.explains else " "
            shown_lines.append(
                f"  {mark} {effect.name} {written(known.a)} → {written(known.b)}: "
                f"{_value(effect.amount.value, one)} [{_range(effect.amount, one)}], "
                f"{_share(effect)} of the gap, p {effect.p_adjusted:.2g}"
            )
        if one.shown and not one.additive and one.together is not None:
            shown_lines.append(f"    they do not add up: all at once {_amount(one.together, one)}")
    if why.found.others:
        shown_lines.append("not varied:")
        shown_lines += [f"  {one.name} {one.a} → {one.b}: {one.why}" for one in why.found.others]
    return shown_lines
