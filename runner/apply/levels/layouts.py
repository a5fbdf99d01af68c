"""The layouts of a run's programs: built before the first trial, recorded once each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from runner.apply.building import links
from runner.planning.replication import layout_of
from runner.records.builds import LaidOut

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.planning.replication import Layout
    from runner.spec.experiment import Experiment
    from runner.store.record import RunFolder
    from runner.toolchain import Build


def layouts(experiment: Experiment, blocks: range) -> tuple[Layout | None, ...]:
    """Give every layout that blocks have, once; None for the one of a run without layouts."""
    each_block = (layout_of(experiment, block) for block in blocks)
    return tuple(dict.fromkeys(each_block))


@dataclass
class LaidOutPrograms:
    """Keeps run.json's `layouts`: several boards build alike, and each says so once."""

    folder: RunFolder
    told: set[tuple[str, str]] = field(default_factory=set)

    def add(
        self, layout: Layout, treatment: str, build: Build | None, experiment: Experiment
    ) -> None:
        """Record which program a treatment has in a layout."""
        if (layout.name, treatment) in self.told:
            return
        self.told.add((layout.name, treatment))
        linked = layout.link if links(experiment.build) else None
        known = self.folder.manifest.layouts.get(layout.name, LaidOut(linked, layout.padding))
        builds: Mapping[str, str] = {
            **known.builds, **({treatment: build.sha256} if build is not None else {}),
        }  # fmt: skip
        self.folder.add("layouts", layout.name, msgspec.structs.replace(known, builds=dict(builds)))
