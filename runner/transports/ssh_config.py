"""How a host is reached, as `ssh -G HOST` has it: asked of ssh itself, once a host.

So Include, Match, Host patterns, tokens, ProxyJump and its `none` mean what they mean to
ssh. Part of the ssh transport: imported by a connection alone.
"""

from __future__ import annotations

import getpass
import os
import shlex
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runner.errors import HostUnreachable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.transports.ssh_options import SshOptions

_WITHIN_S: Final = 30
_MAX_HOPS: Final = 8
_SYSTEM_KNOWN_HOSTS: Final = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")


@dataclass(frozen=True, slots=True)
class Way:
    """One hop on the way to a host."""

    asked: str
    """Name that ssh was asked for."""
    host: str
    port: int
    user: str
    keys: tuple[Path, ...] = ()
    agent: str | None = None
    """Socket of the agent; "none" for no agent, None for $SSH_AUTH_SOCK."""
    only_these_keys: bool = False
    known_hosts: tuple[Path, ...] = ()
    alias: str | None = None
    """Name to look for in known_hosts instead of the host's."""
    accept_new: bool = False
    hashed: bool = False
    family: str = "any"
    command: str | None = None
    """ProxyCommand: what carries the bytes in place of a TCP connection."""
    revoked: Path | None = None


def ways(options: SshOptions, name: str) -> list[Way]:
    """Give the hops to a host, the host itself first; HostUnreachable where ssh refuses."""
    own = [*_flag("-p", options.port), *_flag("-l", options.user)]
    hops: list[Way] = []
    asked, args = options.host, (*own, *options.args)
    while True:
        settings = _configuration(asked, args, options.ssh_config, name)
        hops.append(_way(settings, asked, options, first=not hops))
        jumps = [word for word in settings.get("proxyjump", "none").split(",") if word != "none"]
        if not jumps:
            return hops
        if len(hops) >= _MAX_HOPS:
            raise HostUnreachable(
                f"{name}: more than {_MAX_HOPS} jump hosts on the way to {options.host}",
                fix="does ProxyJump lead in a circle?",
            )
        user, asked, port = _jump(jumps[-1])
        more = _flag("-J", ",".join(jumps[:-1]) or None)
        args = (*_flag("-p", port), *_flag("-l", user), *more)


def _flag(name: str, value: str | int | None) -> tuple[str, ...]:
    return () if value is None else (name, str(value))


def _jump(word: str) -> tuple[str | None, str, str | None]:
    """Part `user@host:port`, as in -J; an IPv6 address stands in brackets."""
    rest = word.removeprefix("ssh://").rstrip("/")
    user, at, rest = rest.rpartition("@")
    if rest.startswith("["):
        host, _, port = rest[1:].partition("]")
        return (user if at else None), host, port.removeprefix(":") or None
    host, _, port = rest.partition(":")
    return (user if at else None), host, port or None


@lru_cache(maxsize=512)
def _configuration(
    host: str, args: tuple[str, ...], file: Path | None, name: str
) -> Mapping[str, str]:
    """Ask ssh; values of a key that is there several times are joined by newlines."""
    chosen = _flag("-F", None if file is None else str(file.expanduser()))
    argv = ["ssh", "-G", "-T", *chosen, *args, "--", host]
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=_WITHIN_S, check=False
        )
    except FileNotFoundError:
        raise HostUnreachable(
            f"{name}: there is no ssh on this machine, which reads its configuration",
            fix="install it: sudo apt install openssh-client",
        ) from None
    except subprocess.TimeoutExpired:
        raise HostUnreachable(
            f"{name}: ssh -G {host} takes more than {_WITHIN_S} s",
            fix="look at Match exec and CanonicalizeHostname in ~/.ssh/config",
        ) from None
    if done.returncode:
        stderr = done.stderr.decode(errors="replace").strip().splitlines()
        lines = [line for line in stderr if not line.startswith("Pseudo-terminal")][-3:]
        raise HostUnreachable(
            f"{name}: no way to {host} by ssh's configuration: {'; '.join(lines)}",
            fix=f"try it: {shlex.join(argv)}",
        )
    settings: dict[str, str] = {}
    for line in done.stdout.decode(errors="replace").splitlines():
        key, _, value = line.partition(" ")
        settings[key] = f"{settings[key]}\n{value}" if key in settings else value
    return settings


def _way(settings: Mapping[str, str], asked: str, options: SshOptions, *, first: bool) -> Way:
    host, user = settings.get("hostname", asked), settings.get("user", "")
    port = int(settings.get("port", "22"))
    tokens = {
        "%": "%", "h": host, "n": asked, "p": str(port), "r": user, "u": getpass.getuser(),
        "d": str(Path.home()), "i": str(os.getuid()),
    }  # fmt: skip
    if settings.get("knownhostscommand", "none") != "none":
        raise HostUnreachable(
            f"{options.host}: KnownHostsCommand is not run by runner",
            fix="keep the host's key in a file of known_hosts",
        )
    keys = [_path(text, tokens) for text in settings.get("identityfile", "").splitlines()]
    only = settings.get("identitiesonly") == "yes"
    if first and options.key is not None:
        keys, only = [options.key.expanduser()], True
    named = [
        _path(text, tokens)
        for key in ("userknownhostsfile", "globalknownhostsfile")
        for text in _files(settings.get(key, ""))
        if text != "none"
    ]
    if options.known_hosts is not None:
        named = [options.known_hosts.expanduser()]
    agent = settings.get("identityagent")
    command = settings.get("proxycommand", "none")
    revoked = settings.get("revokedhostkeys", "none")
    return Way(
        asked=asked,
        host=host,
        port=port,
        user=user,
        keys=tuple(dict.fromkeys(keys)),
        agent=None if agent in (None, "SSH_AUTH_SOCK") else agent,
        only_these_keys=only,
        known_hosts=tuple(named or [Path(file) for file in _SYSTEM_KNOWN_HOSTS]),
        alias=settings.get("hostkeyalias"),
        accept_new=settings.get("stricthostkeychecking") in ("accept-new", "no", "off", "false"),
        hashed=settings.get("hashknownhosts") == "yes",
        family=settings.get("addressfamily", "any"),
        command=None if command == "none" else _filled(command, tokens),
        revoked=None if revoked == "none" else _path(revoked, tokens),
    )


def _files(text: str) -> list[str]:
    """Part the files that ssh -G names on one line, where it writes blanks of a name as they are.

    A word that begins like no path is the rest of the one before.
    """
    names: list[str] = []
    for word in text.split(" "):
        if names and not word.startswith(("/", "~", "%", "$", "none")):
            names[-1] += f" {word}"
        else:
            names.append(word)
    return [name for name in names if name]


def _path(text: str, tokens: Mapping[str, str]) -> Path:
    return Path(_filled(text.strip('"'), tokens)).expanduser()


def _filled(text: str, tokens: Mapping[str, str]) -> str:
    """Fill in ssh's tokens, such as %h."""
    parts = text.split("%")
    pieces, rest = [parts[0]], parts[1:]
    while rest:
        part = rest.pop(0)
        if not part:  # %%
            pieces += ["%", rest.pop(0) if rest else ""]
        else:
            pieces.append(tokens.get(part[0], f"%{part[0]}") + part[1:])
    return "".join(pieces)
