"""`runner demo`: the experiment that comes with runner, on this machine or a board."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.cli import apply, console

if TYPE_CHECKING:
    import argparse

SPEC = "quickstart.yaml"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options: those of `apply`, without a spec."""
    apply.configure(parser, specs=False)


def run(args: argparse.Namespace) -> int:
    """Apply the quickstart; its report is under reports/ of this folder."""
    from runner import resources_path

    spec = resources_path.experiments() / SPEC
    args.specs = [str(spec)]
    console.say(f"applying {spec}: sets, builds, loads, restores; under two minutes")
    return apply.run(args)
