"""`runner hosts`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from runner.cli import common, console
from runner.errors import SpecError

if TYPE_CHECKING:
    import argparse

    from runner.specfile.inventory import Inventory


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "pattern", metavar="PATTERN", nargs="?", default="all", help="host, group, lab:!pi5, pi*"
    )
    common.add_host(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Print each host of the inventory, how it is reached, its groups and variables' names."""
    known = common.inventory_of(args, None)
    rows = [row(known, name) for name in known.names(args.host or args.pattern)]
    code = next((SpecError.exit_code for host in rows if host["refused"]), 0)
    if args.json:
        console.out(json.dumps(rows, ensure_ascii=False, indent=1))
        return code
    unknown = [host["name"] for host in rows if host["name"] not in {*known.hosts, "local"}]
    if known.hosts and unknown:
        console.say(
            f"not in the inventory, so a name of ~/.ssh/config: {', '.join(unknown)}; "
            f"it has {', '.join(known.hosts)}"
        )
    if not known.hosts:
        console.say("no inventory: `local` and every name of ~/.ssh/config work as they are")
    for host in rows:
        if host["refused"]:
            console.out(f"{host['name']}  refused: {host['refused']}")
            continue
        groups = f"  groups: {', '.join(host['groups'])}" if host["groups"] else ""
        tags = f"  tags: {', '.join(host['tags'])}" if host["tags"] else ""
        names = f"  vars: {', '.join(host['vars'])}" if host["vars"] else ""
        become = "  become" if host["become"] else ""
        without = host["without_effect"]
        unused = f"  without effect here: {', '.join(without)}" if without else ""
        console.out(f"{host['name']}  {host['way']}{become}{groups}{tags}{names}{unused}")
    return code


def row(known: Inventory, name: str) -> dict[str, Any]:
    """Describe one host; values of variables stay where they are, they may be secret."""
    from runner.specfile.inventory import HostEntry

    try:
        host, refused = known.host(name), ""
    except SpecError as wrong:
        host, refused = HostEntry(name), wrong.message
    way = "this machine"
    if not host.local:
        way = "ssh " + (f"{host.user}@" if host.user else "") + (host.address or name)
        way += f":{host.port}" if host.port else ""
        way += f" by way of {host.jump}" if host.jump else ""
    return {
        "name": name,
        "way": way,
        "become": host.become,
        "groups": list(host.groups),
        "tags": list(host.tags),
        "vars": sorted(host.vars),
        "without_effect": list(host.without_effect),
        "refused": refused,
    }
