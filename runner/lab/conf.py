"""slurm.conf of a lab: one node per board, all of them on the gateway. Pure.

As `man slurm.conf` and Slurm's multiple-slurmd support have it: every slurmd has a port and
a spool folder of its own (%n), and is started with `-N BOARD`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

PORT: Final = 26817
"""Of slurmctld; the boards' slurmd listen from PORT + 10 on."""
_NODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class Node:
    """One board in the queue."""

    name: str
    features: tuple[str, ...]


def feature(text: str) -> str:
    """Give a word as Slurm takes it in a constraint: letters, digits and `_`."""
    return re.sub(r"[^A-Za-z0-9_]+", "_", text).strip("_")


def fits(name: str) -> bool:
    """Whether a host's name can be a node's."""
    return _NODE.fullmatch(name) is not None


def features(words: Iterable[str], facts: Mapping[str, object]) -> tuple[str, ...]:
    """Give a board's features: its tags and groups, and what its facts say."""
    labels = [*words]
    if facts.get("arch"):
        labels.append(str(facts["arch"]))
    if facts.get("cgroup.version"):
        labels.append(f"cgroup_v{facts['cgroup.version']}")
    model = re.search(r"Raspberry Pi (\d+|Zero \d+)", str(facts.get("board.model") or ""))
    if model:
        labels.append(f"pi{model[1].lower().replace(' ', '')}")
    return tuple(dict.fromkeys(filter(None, map(feature, labels))))


def text(nodes: Sequence[Node], folder: Path, gateway: str, port: int = PORT) -> str:
    """Give slurm.conf for these boards, with everything that Slurm keeps below `folder`."""
    lines = [
        "# Written by `runner lab init`; written again by it after a change of the inventory.",
        "ClusterName=lab",
        f"SlurmctldHost={gateway}(127.0.0.1)",
        f"SlurmctldPort={port}",
        f"SlurmdPort={port + 1}",
        "AuthType=auth/munge",
        f"AuthInfo=socket={folder}/munge.socket",
        "CredType=cred/munge",
        "ProctrackType=proctrack/pgid",
        "TaskPlugin=task/none",
        "SlurmUser=root",
        f"StateSaveLocation={folder}/slurmctld",
        f"SlurmdSpoolDir={folder}/slurmd.%n",
        f"SlurmctldPidFile={folder}/slurmctld.pid",
        f"SlurmdPidFile={folder}/slurmd.%n.pid",
        f"SlurmctldLogFile={folder}/slurmctld.log",
        f"SlurmdLogFile={folder}/slurmd.%n.log",
        "SchedulerType=sched/backfill",
        "SelectType=select/linear",
        "ReturnToService=2",
        "# a job that lost its node is not begun anew by the queue: its trials would be, too",
        "JobRequeue=0",
        "KillWait=60",
        "MpiDefault=none",
    ]
    for at, node in enumerate(nodes):
        words = f" Features={','.join(node.features)}" if node.features else ""
        lines.append(
            f"NodeName={node.name} NodeHostname={gateway} NodeAddr=127.0.0.1 "
            f"Port={port + 10 + at} CPUs=1{words} State=UNKNOWN"
        )
    lines.append(
        "PartitionName=boards Nodes=ALL Default=YES MaxTime=INFINITE State=UP "
        "OverSubscribe=EXCLUSIVE"
    )
    return "\n".join(lines) + "\n"


def start(nodes: Sequence[Node], folder: Path) -> list[list[str]]:
    """Give the commands that start the queue, as root on the gateway."""
    conf = str(folder / "slurm.conf")
    return [
        ["munged", f"--socket={folder}/munge.socket", f"--key-file={folder}/munge.key",
         f"--pid-file={folder}/munged.pid", f"--log-file={folder}/munged.log",
         f"--seed-file={folder}/munged.seed", "--force"],
        ["slurmctld", "-f", conf],
        *(["slurmd", "-f", conf, "-N", node.name] for node in nodes),
    ]  # fmt: skip
