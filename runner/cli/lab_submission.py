"""What `runner lab submit` lays out: shares with their runs, before anything is queued."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli import common, trust
from runner.errors import SpecError

if TYPE_CHECKING:
    import argparse

    from runner.apply.interface import Loaded
    from runner.lab.submission import Submission
    from runner.specfile.inventory import Inventory


def laid_out(args: argparse.Namespace, loaded: Loaded, known: Inventory) -> Submission:
    """Give each board its blocks, and each share the id of its run."""
    import random

    from runner.apply.checks.foreign import demand
    from runner.lab.submission import Share, Submission
    from runner.planning.boards import assigned
    from runner.planning.replication import seed_of
    from runner.store.names import new_run_id

    experiment = loaded.experiment
    demand(loaded, trusted=trust.trusted(loaded, asked=args.trust))
    low, high = experiment.blocks
    if low != high:
        raise SpecError(
            f"a queue's jobs do not see each other: how many blocks between {low} and {high}?",
            fix=f"repeat: {high}",
        )
    needed = constraint(loaded, known)
    boards = experiment.hosts.server
    seed = seed_of(experiment)
    rng = random.Random(seed)  # noqa: S311 - an order, no secret
    whose = assigned([str(n) for n in range(len(boards))], high, rng)
    now = time.time()
    shares = tuple(
        Share(
            number + 1,
            new_run_id(now),
            tuple(at for at, own in enumerate(whose, 1) if own == str(number)),
            "" if needed else board,
        )
        for number, board in enumerate(boards)
    )
    return Submission(
        new_run_id(now), experiment.name, str(loaded.path.resolve()), identity(loaded), high,
        needed, tuple(words(args)), str(Path.cwd()), shares,
    )  # fmt: skip


def identity(loaded: Loaded) -> str:
    """Name what is run, whichever board it is run on."""
    from runner.spec.expand import run_hash

    hosts = loaded.experiment.hosts.model_copy(update={"server": ("local",)})
    return run_hash(loaded.experiment.model_copy(update={"hosts": hosts}))


def constraint(loaded: Loaded, known: Inventory) -> str:
    """Give what `{any: lab, tags: [pi4]}` asks of a board; empty where the spec names boards."""
    import yaml

    from runner.lab.conf import feature

    data = yaml.safe_load(loaded.text)
    asked = (data.get("hosts") or {}).get("server") if isinstance(data, dict) else None
    if not isinstance(asked, dict):
        return ""
    group = str(asked.get("any"))
    features = [*(asked.get("tags") or ()), *([group] if group in known.groups else [])]
    return "&".join(dict.fromkeys(feature(str(word)) for word in features))


def words(args: argparse.Namespace) -> list[str]:
    """Give the options of a submission that its jobs need, too."""
    file = common.inventory_file(args, Path(args.spec).parent)
    options = ["-i", str(file.resolve())] if file is not None else []
    for word in args.extra_vars:
        options += ["-e", word]
    for path in args.allow_secret:
        options += ["--allow-secret", str(path.resolve())]
    for name in ("ssh_config", "known_hosts"):
        if getattr(args, name) is not None:
            options += [f"--{name.replace('_', '-')}", str(getattr(args, name).resolve())]
    # what was trusted at submission is what the hash of it lets run
    return [*options, "--trust"]
