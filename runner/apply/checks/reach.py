"""What a spec would do that matters: to be read before it is run, above all of a stranger's."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runner.apply.checks.foreign import run_here
from runner.kinds.generators import generator
from runner.planning.state import sources
from runner.records.secrets import Secret, secrets_in
from runner.spec.treatments import treatments, with_levels

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from runner.apply.interface import HostEntry, Loaded
    from runner.spec.experiment import Experiment
    from runner.specfile.inventory.power import Power

MOST = 12
"""Lines of one kind that are shown; the rest is counted."""


@dataclass
class Reach:
    """What is touched, by kind; each list in the order of the spec, without doubles."""

    on_hosts: list[str] = field(default_factory=list)
    """Commands on a host, with who runs them."""
    here: list[str] = field(default_factory=list)
    """Programs on this machine."""
    sent: list[str] = field(default_factory=list)
    """Files and variables that are read here and sent."""
    seen: list[str] = field(default_factory=list)
    """Secrets that other users of a host can see."""
    packages: list[str] = field(default_factory=list)
    reboots: list[str] = field(default_factory=list)
    stays: list[str] = field(default_factory=list)
    """What is not put back."""

    def lines(self) -> list[str]:
        """Give it as `runner plan` prints it; empty where nothing is to be said."""
        named = (
            ("would run on a host", self.on_hosts),
            ("would run here", self.here),
            ("would be read here and sent", self.sent),
            ("would be seen by others of the host (ps)", self.seen),
            ("would be installed", self.packages),
            ("would be rebooted", self.reboots),
            ("would stay", self.stays),
        )
        lines = []
        for name, items in named:
            once = list(dict.fromkeys(items))
            lines += [f"{name}: {item}" for item in once[:MOST]]
            if len(once) > MOST:
                lines.append(f"{name}: and {len(once) - MOST} more")
        return lines


def reach(
    loaded: Loaded,
    hosts: Mapping[str, HostEntry],
    roots: Mapping[str, bool] | None = None,
    power: Mapping[str, Power] | None = None,
) -> Reach:
    """Say what a spec reaches. `roots` says for each host that was asked whether we are root.

    `power` are the boards that the inventory says how to switch off and on.
    """
    reached = Reach()
    experiment = loaded.experiment
    names = experiment.hosts.names()
    server = experiment.hosts.server[0]
    who = {
        name: f"as root on {name}" if _is_root(hosts.get(name), (roots or {}).get(name)) else
        f"on {name}"
        for name in names
    }  # fmt: skip
    for variant in _variants(experiment):
        _commands(variant, who.get(server, f"on {server}"), reached)
        _load(variant, [who[name] for name in names if name in who], reached)
        _state(variant, names, reached)
        if variant.load is not None and variant.load.body_file is not None:
            reached.sent.append(str(loaded.path.parent / variant.load.body_file.path))
        steps = variant.load.expanded_steps() if variant.load is not None else ()
        timed = dict.fromkeys(step.arrivals.file for step in steps if step.arrivals)
        reached.sent += [str(loaded.path.parent / name) for name in timed]
        _secrets(variant, reached)
    _built(experiment, reached)
    for name, how in (power or {}).items():
        times = "once" if how.times == 1 else f"{how.times} times"
        reached.here.append(
            f"{shown(how.cycle)} (power of {name}, where it is gone; {times} a run)"
        )
    reached.sent += [
        str(loaded.path.parent / name) for name in sources(dict(experiment.system.items()))
    ]
    return reached


def _is_root(entry: HostEntry | None, root: bool | None) -> bool:
    if root is not None:
        return root
    return entry is not None and (entry.become or entry.transport.is_root)


def _variants(experiment: Experiment) -> Iterable[Experiment]:
    seen: set[str] = set()
    for levels in treatments(experiment)[:1000]:
        variant = with_levels(experiment, levels)
        if repr(variant) not in seen:
            seen.add(repr(variant))
            yield variant


def _commands(experiment: Experiment, who: str, reached: Reach) -> None:
    workload = experiment.workload
    if workload is None:
        return
    argv = workload.argv or ("{binary}",)
    on = who.rpartition("on ")[2]
    whom = f"as {workload.user} on {on}" if workload.user else who
    reached.on_hosts.append(f"{shown(argv)} ({whom})")
    places = [("workload.argv", argv)]
    for number, item in enumerate(workload.prepare):
        reached.stays += [f"the effect of the action {one}, in every trial" for one in item.actions]
        if item.run is not None:
            reached.on_hosts.append(f"{shown(item.run)} ({who}, {item.when} in every trial)")
            places.append((f"workload.prepare[{number}].run", item.run))
    for place, words in places:
        for index, word in enumerate(words):
            if isinstance(word, Secret):
                reached.seen.append(f"{' '.join(word.written())} in {place}[{index}]")


def shown(words: Sequence[str | Secret]) -> str:
    """Write a command on one line of at most 100 characters, secrets as they are written."""
    text = " ".join(
        f"!secret {' '.join(word.written())}" if isinstance(word, Secret) else _word(word)
        for word in words
    )
    return text if len(text) <= 100 else text[:99] + "…"


def _word(word: str) -> str:
    """Write a word as one: with quotes where blanks are in it, on one line whatever it holds."""
    if "{" in word and word.isprintable() and not re.search(r"\s", word):
        return word  # {port} is filled in
    return shlex.quote(word) if word.isprintable() else json.dumps(word, ensure_ascii=True)


def _load(experiment: Experiment, who: Sequence[str], reached: Reach) -> None:
    load = experiment.load
    if load is None or load.generator == "none":
        return
    tool = generator(load.generator).tool
    words = (tool, *load.argv) if tool else load.argv or (load.generator,)
    reached.on_hosts.append(f"{shown(words)} ({who[-1]})")


def _state(experiment: Experiment, names: Sequence[str], reached: Reach) -> None:
    for name, payload in experiment.system.items():
        wanted = payload.model_dump(mode="python", exclude_none=True)
        if name == "packages":
            reached.packages += [str(one) for one in wanted]
            reached.stays += [f"package {one}" for one in wanted]
        elif name == "actions":
            reached.stays += [f"the effect of the action {one}" for one in wanted]
        elif name == "kernel_cmdline" and "allowed" in str(wanted):
            reached.reboots += list(names)
    levels = getattr(experiment.repeat, "levels", None)
    if levels and "boot" in str(levels):
        reached.reboots += [name for name in names if name not in reached.reboots]


def _secrets(experiment: Experiment, reached: Reach) -> None:
    for secret in secrets_in(experiment):
        for kind, what in secret.parts:
            if kind != "text":
                reached.sent.append(f"the secret {kind}:{what}")


def _built(experiment: Experiment, reached: Reach) -> None:
    if experiment.build is not None and not experiment.build.command:
        reached.here.append(f"go build {experiment.build.package} (go {experiment.build.go})")
        if str(experiment.build.env.get("CGO_ENABLED")) == "1":
            reached.here.append("a C compiler (CGO_ENABLED=1)")
    for one, is_declared in run_here(experiment):
        unsaid = "" if is_declared else f"; not declared, so refused: build: {{runs: [{one.runs}]}}"
        reached.here.append(f"{one.runs} ({one.where}: {one.text}{unsaid})")
    load = experiment.load
    if load is not None and load.generator != "none" and generator(load.generator).program:
        reached.here.append(f"go build of {load.generator}, which comes with runner")
