"""What only the whole spec shows: keys that would do nothing beside what else it says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from runner.kinds.sources import module
from runner.kinds.sources import names as families
from runner.kinds.units import field_kind, unit_of

if TYPE_CHECKING:
    from runner.spec.experiment import Experiment
    from runner.specfile.names import Finding, Names

OF_LIFE: Final = ("stdout.", "stderr.", "workload.", "prepare.", "syscalls.", "gobench.")
"""What begins and ends with the workload, and not with a step."""
OF_STEP: Final = ("workload.alive", "workload.dead")
MIXED: Final = ("sum", "count", "mean", "median")


def check_inert(exp: Experiment, names: Names, treated: Sequence[Experiment]) -> Iterator[Finding]:
    """Refuse each key that takes effect in none of the treatments."""
    if not treated:
        return
    loaded = any(one.load is not None and one.load.generator != "none" for one in treated)
    yield from _metrics(exp, treated, loaded=loaded)
    yield from _fetched(exp, names, treated)
    if not loaded and any(one.load is None for one in treated):
        for index, _ in enumerate(exp.faults):
            message = "there is no `load`: a fault comes after the load began, so never"
            yield (*names.place("faults", index), "at"), message, False
        if exp.hosts.load:
            yield ("hosts", "load"), "there is no `load`: nothing would come from there", False
    yield from _told(exp)
    yield from _named(exp, names)
    yield from _statistics(exp)
    yield from _of_one_workload(exp, treated)


def _named(exp: Experiment, names: Names) -> Iterator[Finding]:
    """Find steps of one name: `at` and `where` could not tell them apart."""
    seen: set[str] = set()
    for step in exp.load.expanded_steps() if exp.load is not None else ():
        if step.name in seen:
            message = f"two steps are called `{step.name}`: give each a name, such as `name: again`"
            yield names.place("load", "steps", step.index), message, False
        seen.add(step.name)


def _statistics(exp: Experiment) -> Iterator[Finding]:
    """Find statistics that a number has not: it would be shown as something else."""
    for name, metric in exp.metrics.items():
        source, how = str(metric.source), metric.statistic
        if metric.many or how is None:
            continue
        if how == "count" or (how in ("first", "sum") and field_kind(source) == "gauge"):
            said = "max, min, mean, median, last"
            message = f"`{source}` has no {how}: {said} are of samples, count of what is printed"
            yield ("metrics", name, "statistic"), message, False


def _of_one_workload(exp: Experiment, treated: Sequence[Experiment]) -> Iterator[Finding]:
    """Find metrics of single steps where one workload has one number for them all, or the reverse.

    What it printed and used until its end is not of the step in which it was running.
    """
    loads = [load for one in treated if (load := one.load) is not None]
    several = [load for load in loads if len(load.expanded_steps()) > 1]
    kept = any(load.between_steps == "keep" for load in several)
    fresh = any(load.between_steps == "fresh" for load in several)
    for name, metric in exp.metrics.items():
        source = str(metric.source)
        if not source.startswith(OF_LIFE) or source in OF_STEP:
            continue
        key = "per" if metric.per == "step" else "at" if metric.at is not None else ""
        if kept and key:
            message = (
                f"one workload runs all steps: it has one `{source}`, that of the trial; leave "
                f"out `{key}`, or say `between_steps: fresh`"
            )
            yield ("metrics", name, key), message, False
        elif fresh and not key and metric.many and metric.statistic in MIXED:
            message = (
                f"each step has a workload of its own, and no {metric.statistic} over them all "
                "is made: say `per: step`"
            )
            yield ("metrics", name, "statistic"), message, False


def _metrics(exp: Experiment, treated: Sequence[Experiment], *, loaded: bool) -> Iterator[Finding]:
    idle = any(one.load is None for one in treated)
    windows = {
        metric.after.seconds if metric.after else 0.0
        for metric in exp.metrics.values()
        if metric.source is not None and _sampled(metric.source)
    }
    for name, metric in exp.metrics.items():
        path = ("metrics", name)
        if metric.after is not None and loaded and not idle:
            message = "counts where there is no load; here say `warmup` under load"
            yield (*path, "after"), message, False
        elif metric.after is not None and len(windows) > 1 and _sampled(metric.source or ""):
            message = (
                "a trial without load is watched from one moment on: say the same `after` beside "
                "every metric that is sampled"
            )
            yield (*path, "after"), message, False
        if (metric.as_ or "").startswith("rate/") and (why := _no_count(metric.source or "")):
            message = f"`{metric.source}` has no {metric.as_}: {why}"
            yield (*path, "as"), message, False
        if metric.at is not None and not metric.at.startswith("search.") and not loaded and idle:
            yield (*path, "at"), "there are no steps: the spec has no `load`", False


def _no_count(source: str) -> str | None:
    """Say why a number does not grow over time, as what a rate is of does; None where it may."""
    if field_kind(source) == "gauge":
        return "it is read as it stands, and does not count up"
    unit = unit_of(source) or ""
    if unit.endswith("/s") or unit == "%" or source.startswith("load.latency"):
        return "it does not count up"
    return None


def _sampled(source: str) -> bool:
    """Whether a number is of samples, which `after` cuts."""
    family = source.partition(".")[0]
    return family in families() and getattr(module(family), "KIND", None) is not None


def _fetched(exp: Experiment, names: Names, treated: Sequence[Experiment]) -> Iterator[Finding]:
    fetches = exp.workload.fetch if exp.workload is not None else ()
    steps = [step for one in treated if one.load for step in one.load.expanded_steps()]
    longest = max((step.duration_s for step in steps), default=0.0)
    often = Counter((one.name, one.when) for one in fetches)
    for index, one in enumerate(fetches):
        path = names.place("workload", "fetch", index)
        if one.when in ("during_step", "after_step") and not steps:
            yield (*path, "when"), "there are no steps: the spec has no `load`", False
        elif one.after is not None and one.after.seconds >= longest:
            message = f"the longest step is over after {longest:g}s: this is never fetched"
            yield (*path, "after"), message, False
        if often[one.name, one.when] > 1:
            message = f"two pages are called `{one.name}`: the later one alone would count"
            yield (*path, "name"), message, False


def _told(exp: Experiment) -> Iterator[Finding]:
    """Find what a load says and its generator does not hear."""
    load = exp.load
    if load is None:
        return
    given = load.model_fields_set
    if load.urls and "url" in given:
        yield ("load", "url"), "`urls` are asked instead: say one of the two", False
    urls = [str(one.url) for one in load.urls] or [step.url for step in load.expanded_steps()]
    # a secret's scheme is not known, nor that of a factor
    if load.insecure and all(url.startswith("http:") for url in urls):
        yield ("load", "insecure"), "is of https, and nothing is asked by it", False
    if load.generator != "command":
        return
    if "expect" in given:
        message = "a load program judges its own answers: what it prints as error_ratio counts"
        yield ("load", "expect"), message, False
    said = "\0".join((*load.argv, str(exp.workload)))
    for key in ("rate", "connections"):
        asked = {getattr(step, key) for step in load.expanded_steps()}
        varied = len(asked) > 1 or (key == "rate" and asked != {None})
        if varied and f"{{{key}}}" not in said:
            message = f"the program is not told its {key}: say {{{key}}} in argv"
            yield ("load", "steps" if load.steps else key), message, False
