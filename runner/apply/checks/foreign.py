"""A spec that somebody else wrote: what it makes run on this machine, and whether it may."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from runner.errors import SpecError
from runner.spec.reach import Steered, steered
from runner.spec.sections.build import Build
from runner.spec.treatments import sections, treatments

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runner.apply.interface import Loaded
    from runner.spec.experiment import Experiment

MOST_BYTES = 64 << 20
"""Of a program that is trusted by its content; of a larger one by its name alone."""


def builds(experiment: Experiment) -> Iterator[Build]:
    """Give the `build` of each treatment, each once."""
    seen: set[str] = set()
    if experiment.build is None and not any(
        "build" in over for factor in experiment.factors.values() for over in factor.levels.values()
    ):
        return
    for levels in treatments(experiment):
        section = sections(experiment, levels).get("build")
        if section and repr(section) not in seen:
            seen.add(repr(section))
            yield Build.model_validate(section)


def run_here(experiment: Experiment) -> list[tuple[Steered, bool]]:
    """Give what the builds make run on this machine, and whether the spec says so."""
    commands: dict[Steered, bool] = {}
    for build in builds(experiment):
        for one in steered(build):
            commands[one] = one.where == "build.command" or one.runs in build.runs
    return list(commands.items())


def demand(loaded: Loaded, *, trusted: bool) -> None:
    """Raise SpecError where a spec makes something run here and nobody has allowed it."""
    commands = run_here(loaded.experiment)
    unsaid = [one for one, declared in commands if not declared]
    if unsaid:
        names = ", ".join(dict.fromkeys(one.runs for one in unsaid))
        raise SpecError(
            "\n".join(
                f"{loaded.path}: {one.where}: {one.text} makes `{one.runs}` run on this machine"
                for one in unsaid
            ),
            fix=f"if that is meant, the spec says so: build: {{runs: [{names}]}}",
        )
    if commands and not trusted:
        names = ", ".join(dict.fromkeys(one.runs for one, _ in commands))
        raise SpecError(
            f"{loaded.path} runs {names} on this machine, and was not trusted yet as it is now",
            fix="read what it does (`runner plan`), then: --trust",
        )


def trust_hash(loaded: Loaded) -> str:
    """Name a spec together with the programs beside it that it makes run: trusted as they are."""
    digest = hashlib.sha256(loaded.text.encode("utf-8", "surrogatepass"))
    folder = loaded.path.parent
    places = {folder}
    for build in builds(loaded.experiment):
        places.add(folder / (build.package or "."))
    for one, _ in run_here(loaded.experiment):
        digest.update(f"\0{one.where}\0{one.text}\0{one.runs}".encode("utf-8", "surrogatepass"))
        for place in sorted(places):
            digest.update(_content(place / one.runs))
    return digest.hexdigest()


def _content(path: Path) -> bytes:
    try:
        if path.is_file() and path.stat().st_size <= MOST_BYTES:
            return hashlib.sha256(path.read_bytes()).digest()
    except (OSError, ValueError):
        pass
    return b"-"
