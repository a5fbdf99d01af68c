"""The hosts of a spec: -H, groups, patterns and --limit become names of hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from runner.errors import SpecError
from runner.spec.base import did_you_mean
from runner.spec.experiment import AnyOf
from runner.specfile.variables import VariableError, Variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.specfile.inventory import Inventory
    from runner.specfile.values import Document


class NoHostLeft(SpecError):  # noqa: N818 - says what happened
    """--limit leaves none of a spec's hosts."""


def place_hosts(
    document: Document,
    data: dict[str, object],
    inventory: Inventory | None,
    host: str | None,
    limit: str | None,
) -> None:
    """Write the names of hosts where a spec or -H names groups; faults go to the document.

    Raises NoHostLeft where --limit leaves no server.
    """
    _place_host(data, host)
    hosts = data.get("hosts")
    if not isinstance(hosts, dict):
        if limit is not None and hosts is None:
            data["hosts"] = {"server": _narrowed(("local",), inventory, limit)}
        return
    servers = _names(document, hosts.get("server"), ("hosts", "server"), inventory)
    left = servers
    if servers is not None:
        left = servers if limit is None else _narrowed(servers, inventory, limit)
        hosts["server"] = list(left)
    asked = hosts.get("load")
    if isinstance(asked, dict) and "per" in asked:
        hosts["load"] = _paired(document, asked, servers or (), left or (), inventory)
        return
    loads = _names(document, asked, ("hosts", "load"), inventory)
    if loads is not None:
        hosts["load"] = list(loads)


def _paired(
    document: Document,
    asked: dict[str, object],
    servers: tuple[str, ...],
    left: tuple[str, ...],
    inventory: Inventory | None,
) -> dict[str, object]:
    """Give `{per: board}` with the load host of each board that --limit has left."""
    if "hosts" in asked:
        path = ("hosts", "load", "hosts")
        named = _names(document, asked["hosts"], path, inventory) if asked["hosts"] else None
        if named is None or len(named) != len(servers):
            return asked  # its own faults are said, or that they are too few
        pairs = dict(zip(servers, named, strict=True))
    elif inventory is None:
        return asked
    else:
        pairs = {name: inventory.host(name).load or "" for name in left}
        without = [name for name, load in pairs.items() if not load]
        if without:
            document.add(
                ("hosts", "load"),
                f"the inventory names no load host of {', '.join(without)}: write "
                f"`load: NAME` there, or name them here: {{per: board, hosts: [NAME, …]}}",
            )
            return {**asked, "hosts": list(left)}  # stands in: this fault is the only one
    return {**asked, "hosts": [pairs[name] for name in left]}


def server_of(
    data: Mapping[str, object], inventory: Inventory | None, host: str | None
) -> str | None:
    """Give the host whose variables a spec sees: -H or its server, of a group the first."""
    hosts = data.get("hosts")
    server = host or (hosts.get("server") if isinstance(hosts, dict) else None)
    if isinstance(server, list) and server:
        server = server[0]
    if isinstance(server, dict) and inventory is not None:
        try:
            return next(iter(chosen(inventory, AnyOf.model_validate(server))), None)
        except (SpecError, ValidationError):
            return None  # said where the hosts are placed
    if not isinstance(server, str) or inventory is None:
        return server if isinstance(server, str) else None
    try:
        names = inventory.names(server)
    except SpecError:
        return server  # said where the hosts are placed
    return names[0] if names else server


def server_with(variables: Mapping[str, object], data: dict[str, object]) -> dict[str, object]:
    """Give `data` with expressions of hosts.server filled in by -e and the spec's own variables."""
    hosts = data.get("hosts")
    if not isinstance(hosts, dict) or "server" not in hosts:
        return data
    try:
        return {**data, "hosts": {**hosts, "server": Variables(variables).fill(hosts["server"])}}
    except VariableError:
        return data  # said where it stands


def _place_host(data: dict[str, object], host: str | None) -> None:
    """Let -H stand in for the server, and for the load where it came from the server."""
    if host is None:
        return
    hosts = data.get("hosts")
    if hosts is None:
        data["hosts"] = {"server": host}
    elif isinstance(hosts, dict):
        if hosts.get("load") == hosts.get("server"):
            hosts.pop("load", None)
        hosts["server"] = host


def _names(
    document: Document, value: object, path: tuple[str, ...], inventory: Inventory | None
) -> tuple[str, ...] | None:
    """Give the hosts at a place; None where it is not given, or is not a list of names."""
    if isinstance(value, dict):
        return _any(document, value, path, inventory)
    words = value if isinstance(value, list) else [value]
    if inventory is None or not words or not all(isinstance(word, str) and word for word in words):
        return None
    found: list[str] = []
    for index, word in enumerate(words):
        try:
            names = inventory.names(word)
        except SpecError as wrong:
            document.add((*path, index), wrong.message)
            return None
        if not names:
            document.add((*path, index), f"the group `{word}` has no hosts")
            return None
        found += names
    return tuple(dict.fromkeys(found))


def _any(
    document: Document, value: object, path: tuple[str, ...], inventory: Inventory | None
) -> tuple[str, ...] | None:
    """Give the hosts of `{any: lab, tags: [pi4], count: 4}`: the first that have every tag."""
    nobody = ("local",)  # stands in, so that the fault that is said is the only one
    try:
        asked = AnyOf.model_validate(value)
    except ValidationError as wrong:
        for error in wrong.errors():
            key = str(error["loc"][-1]) if error["loc"] else ""
            if error["type"] == "missing":
                document.add(path, "a mapping has to name a group: {any: lab, tags: [pi4]}")
            elif error["type"] == "extra_forbidden":
                hint = did_you_mean(key, AnyOf.model_fields)
                document.add((*path, *error["loc"]), f"unknown key `{key}`{hint}", key=True)
            else:
                document.add((*path, *error["loc"]), error["msg"])
        return nobody
    if inventory is None:
        return nobody
    try:
        found = chosen(inventory, asked)
    except SpecError as wrong:
        document.add((*path, "any"), wrong.message)
        return nobody
    count = asked.count or max(1, len(found))
    if len(found) < count:
        of = f" with {', '.join(asked.tags)}" if asked.tags else ""
        wanted = "1 host is" if count == 1 else f"{count} hosts are"
        have = f"{len(found)}: {', '.join(found)}" if found else "none"
        document.add(path, f"{wanted} asked for of {asked.any}{of}, and there is {have}")
        return nobody
    return found[:count]


def chosen(inventory: Inventory, asked: AnyOf) -> tuple[str, ...]:
    """Give the hosts of a group that have every tag, in its order; SpecError without the group."""
    if asked.any not in {*inventory.hosts, *inventory.groups, "all", "local"} and not set(
        "*?[:&!,"
    ) & set(asked.any):
        hint = did_you_mean(asked.any, inventory.groups)
        raise SpecError(f"there is no group `{asked.any}`{hint}")
    names = inventory.names(asked.any)
    return tuple(name for name in names if set(asked.tags) <= set(inventory.host(name).tags))


def _narrowed(names: tuple[str, ...], inventory: Inventory | None, limit: str) -> tuple[str, ...]:
    if inventory is None:
        return names
    left = inventory.narrowed(names, limit)
    if not left:
        raise NoHostLeft(
            f"--limit {limit} leaves none of {', '.join(names)}", fix="`runner hosts` lists hosts"
        )
    return left
