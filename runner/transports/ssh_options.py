"""How to reach a host over ssh."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SshOptions:
    """How to reach a host; what is None comes from ~/.ssh/config, as with ssh itself.

    `keepalive_s` is the longest silence: after two of them without an answer the
    link counts as lost.
    """

    host: str
    user: str | None = None
    port: int | None = None
    key: Path | None = None
    known_hosts: Path | None = None
    ssh_config: Path | None = None
    accept_new_host_key: bool = False
    use_agent: bool = True
    connect_timeout_s: float = 10.0
    keepalive_s: float = 5.0
    python: str = "python3"
    args: tuple[str, ...] = ()
    """Further options, as on ssh's command line; they win over the configuration."""
