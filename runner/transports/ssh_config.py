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
    found: list[Way] = []
    asked, args = options.host, (*own, *options.args)
    while True:
        said = _configuration(asked, args, options.ssh_config, name)
        found.append(_way(said, asked, options, first=not found))
        jumps = [word for word in said.get("proxyjump", "none").split(",") if word != "none"]
        if not jumps:
            return found
        if len(found) >= _MAX_HOPS:
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
        said = done.stderr.decode(errors="replace").strip().splitlines()
        lines = [line for line in said if not line.startswith("Pseudo-terminal")][-3:]
        raise HostUnreachable(
            f"{name}: no way to {host} by ssh's configuration: {'; '.join(lines)}",
            fix=f"try it: {shlex.join(argv)}",
        )
    found: dict[str, str] = {}
    for line in done.stdout.decode(errors="replace").splitlines():
        key, _, value = line.partition(" ")
        found[key] = f"{found[key]}\n{value}" if key in found else value
    return found


def _way(said: Mapping[str, str], asked: str, options: SshOptions, *, first: bool) -> Way:
    host, user = said.get("hostname", asked), said.get("user", "")
    port = int(said.get("port", "22"))
    tokens = {
        "%": "%", "h": host, "n": asked, "p": str(port), "r": user, "u": getpass.getuser(),
        "d": str(Path.home()), "i": str(os.getuid()),
    }  # fmt: skip
    if said.get("knownhostscommand", "none") != "none":
        raise HostUnreachable(
            f"{options.host}: KnownHostsCommand is not run by runner",
            fix="keep the host's key in a file of known_hosts",
        )
    keys = [_path(text, tokens) for text in said.get("identityfile", "").splitlines()]
    only = said.get("identitiesonly") == "yes"
    if first and options.key is not None:
        keys, only = [options.key.expanduser()], True
    named = [
        _path(text, tokens)
        for key in ("userknownhostsfile", "globalknownhostsfile")
        for text in _files(said.get(key, ""))
        if text != "none"
    ]
    if options.known_hosts is not None:
        named = [options.known_hosts.expanduser()]
    agent = said.get("identityagent")
    command = said.get("proxycommand", "none")
    revoked = said.get("revokedhostkeys", "none")
    return Way(
        asked=asked,
        host=host,
        port=port,
        user=user,
        keys=tuple(dict.fromkeys(keys)),
        agent=None if agent in (None, "SSH_AUTH_SOCK") else agent,
        only_these_keys=only,
        known_hosts=tuple(named or [Path(file) for file in _SYSTEM_KNOWN_HOSTS]),
        alias=said.get("hostkeyalias"),
        accept_new=said.get("stricthostkeychecking") in ("accept-new", "no", "off", "false"),
        hashed=said.get("hashknownhosts") == "yes",
        family=said.get("addressfamily", "any"),
        command=None if command == "none" else _filled(command, tokens),
        revoked=None if revoked == "none" else _path(revoked, tokens),
    )


def _files(text: str) -> list[str]:
    """Part the files that ssh -G names on one line, where it writes blanks of a name as they are.

    A word that begins like no path is the rest of the one before.
    """
    found: list[str] = []
    for word in text.split(" "):
        if found and not word.startswith(("/", "~", "%", "$", "none")):
            found[-1] += f" {word}"
        else:
            found.append(word)
    return [name for name in found if name]


def _path(text: str, tokens: Mapping[str, str]) -> Path:
    return Path(_filled(text.strip('"'), tokens)).expanduser()


def _filled(text: str, tokens: Mapping[str, str]) -> str:
    """Fill in ssh's tokens, such as %h."""
    parts = text.split("%")
    found, rest = [parts[0]], parts[1:]
    while rest:
        part = rest.pop(0)
        if not part:  # %%
            found += ["%", rest.pop(0) if rest else ""]
        else:
            found.append(tokens.get(part[0], f"%{part[0]}") + part[1:])
    return "".join(found)
