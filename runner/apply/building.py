"""The workload's program: by an exact Go or by a command, cached, and its facts."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runner.compile.workload import Binary
from runner.errors import SpecError
from runner.kinds.discovery import beside
from runner.kinds.generators import generator
from runner.kinds.sources.build import escapes
from runner.records.builds import Built
from runner.records.facts import amount
from runner.records.secrets import text_of
from runner.specfile.reach import outside
from runner.toolchain import BuildRequest, build, lays_out, resolve, target_of
from runner.toolchain.command import CommandRequest, build_command
from runner.toolchain.revision import tree, working_tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.planning.replication import Layout
    from runner.records.plain import Json
    from runner.spec.experiment import Experiment
    from runner.spec.sections.build import Build as BuildSpec
    from runner.toolchain import Build, Toolchain
    from runner.toolchain.target import Target

GENERATOR_GO: Final = "1.22.10"
"""Load generators that runner builds are the same whatever Go a spec asks for."""
GOROOT = re.compile(r"(?m)(?<=^)/\S*?/src/")


@dataclass
class Builder:
    """Builds for one run; a toolchain is looked for once."""

    cache: Path
    folder: Path
    """Where the spec lies: packages are relative to it."""
    toolchains: dict[str, Toolchain] = field(default_factory=dict)
    _generators: dict[tuple[str, ...], Build] = field(default_factory=dict)
    _trees: dict[Path, str] = field(default_factory=dict)

    def build(
        self, experiment: Experiment, facts: Mapping[str, Any], layout: Layout | None = None
    ) -> Build | None:
        """Build the experiment's program for a host with these facts; None where it has none.

        A layout is linked where the toolchain can (`links`); else the program is the same in all.
        """
        spec = experiment.build
        test = experiment.workload.go_test if experiment.workload else None
        if spec is None and test is not None:
            raise SpecError("go_test does not say which Go", fix='add build: {go: "1.22.10"}')
        if spec is None:
            return None
        target = _target(facts)
        if spec.command:
            if test is not None:
                raise SpecError("go_test is built by Go, and build.command is there")
            return self._by_command(spec, target)
        if spec.go is None:
            raise SpecError("build.go is missing", fix='name the exact Go: go: "1.22.10"')
        if spec.go not in self.toolchains:
            self.toolchains[spec.go] = resolve(spec.go, self.cache)
        package_dir, package = self._package(
            spec.package if test is None or test.package == "." else test.package
        )
        package_dir, source = self._at(package_dir, spec.ref)
        env = {**target.env, **{key: text_of(value) for key, value in spec.env.items()}}
        request = BuildRequest(
            package_dir=package_dir,
            package=package,
            goos=env.pop("GOOS", target.goos),
            goarch=env.pop("GOARCH", target.goarch),
            env=env,
            ldflags=(*spec.ldflags, *_order(spec, layout)),
            gcflags=tuple(spec.gcflags),
            asmflags=tuple(spec.asmflags),
            tags=tuple(spec.tags),
            race=spec.race,
            flags=tuple(spec.flags),
            trimpath=spec.trimpath,
            test=test is not None,
        )
        return replace(build(request, self.toolchains[spec.go], self.cache), source=source)

    def _by_command(self, spec: BuildSpec, target: Target) -> Build:
        folder, source = self._at(self.folder, spec.ref)
        env = {key: text_of(value) for key, value in spec.env.items()}
        request = CommandRequest(
            folder=folder,
            command=tuple(spec.command),
            output=spec.output or "",
            sources=tuple(spec.sources),
            tools=tuple(spec.tools),
            goarch=target.goarch,
            env=env,
        )
        return replace(build_command(request, self.cache), source=source)

    def _at(self, folder: Path, ref: str | None) -> tuple[Path, str]:
        """Give the folder at a revision, or as it is, with the commit that it is."""
        if ref is None:
            if folder not in self._trees:
                self._trees[folder] = working_tree(folder)
            return folder, self._trees[folder]
        checkout = tree(folder, ref, self.cache)
        return checkout.folder, checkout.commit

    def generator(self, name: str, facts: Mapping[str, Json]) -> Build | None:
        """Build the load generator for a host with these facts; None where it has its own."""
        kind = generator(name)
        if not kind.program:
            return None
        target = _target(facts)
        key = (name, target.goarch, *target.env.values())
        if key not in self._generators:
            folder = beside("generators", name) / kind.program
            self._generators[key] = self._program(folder, target)
        return self._generators[key]

    def _program(self, folder: Path, target: Target) -> Build:
        if GENERATOR_GO not in self.toolchains:
            self.toolchains[GENERATOR_GO] = resolve(GENERATOR_GO, self.cache)
        request = BuildRequest(
            package_dir=folder,
            goos=target.goos,
            goarch=target.goarch,
            env={**target.env, "CGO_ENABLED": "0"},
            ldflags=("-s", "-w"),
            trimpath=True,
        )
        return build(request, self.toolchains[GENERATOR_GO], self.cache)

    def _package(self, package: str) -> tuple[Path, str]:
        """Folder to build in, confined to the spec's folder or its repository."""
        folder = (self.folder / package).resolve()
        # of a level, too, which reading the spec does not resolve
        if why := outside(self.folder, package):
            message, _, fix = why.partition(": ")
            raise SpecError(message, fix=fix)
        return folder, "."


def links(spec: BuildSpec | None) -> bool:
    """Say whether a program can be linked in another order."""
    return spec is not None and not spec.command and spec.go is not None and lays_out(spec.go)


def _order(spec: BuildSpec, layout: Layout | None) -> list[str]:
    return [f"-randlayout={layout.link}"] if layout is not None and links(spec) else []


def binary_of(program: Build) -> Binary:
    """What the trial program says of a build."""
    return Binary(program.sha256, program.size)


def numbers_of(program: Build) -> dict[str, object]:
    """`build.…` numbers for metrics, and what the record keeps."""
    return {
        "build.size": program.size,
        "build.id": program.build_id,
        "build.sha256": program.sha256,
        "build.seconds": program.seconds,
        "build.stripped": program.stripped,
        "build.dynamic": program.dynamic,
        "build.toolchain": program.toolchain,
        **escapes(program.stderr),
        **{f"build.{name.strip('.')}": size for name, size in program.sections.items()},
    }


def record_of(program: Build) -> Built:
    """What run.json says of a build, without paths of this machine."""
    data = asdict(program)
    data.pop("path")
    data.pop("cached")
    # -m names files of the toolchain by their place on this machine
    return Built(**{**data, "stderr": GOROOT.sub("$GOROOT/src/", program.stderr)})


def _target(facts: Mapping[str, Json]) -> Target:
    """Say for what programs of a host with these facts are built."""
    return target_of(str(facts.get("arch")), bits=int(amount(facts, "os.bits") or 64))
