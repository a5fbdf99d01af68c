"""Kernel parameters that change more than themselves are put back with all that they changed."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from runner.kinds.resources import kind
from runner.kinds.resources._sysctl_table import ALSO, NO_WAY_BACK, no_way_back

if TYPE_CHECKING:
    from tests.host.agent import Host

KEYS = {
    "net.ipv4.ip_forward": 1,
    "net.ipv4.conf.all.forwarding": 1,
    "net.ipv4.conf.one.forwarding": 1,
    "net.ipv4.conf.default.rp_filter": 2,
    "net.ipv4.conf.default.accept_redirects": 0,
    "net.ipv4.conf.default.arp_ignore": 1,
    "net.ipv4.neigh.default.gc_stale_time": 77,
    "net.ipv4.neigh.default.base_reachable_time_ms": 44000,
    "net.ipv6.neigh.default.mcast_solicit": 5,
    "net.ipv6.conf.all.ignore_routes_with_linkdown": 1,
    "net.ipv6.conf.default.disable_ipv6": 1,
    "net.ipv6.conf.all.forwarding": 0,
    "net.ipv4.tcp_congestion_control": "reno",
}


def inside(net: Host, *argv: str) -> str:
    return subprocess.run(
        [*net.prefix, *argv], capture_output=True, text=True, check=True
    ).stdout  # fmt: skip


def everything(net: Host) -> dict[str, Any]:
    """All values of the namespace, its addresses and routes; what counts by itself is left out."""
    found: dict[str, Any] = {}
    text = inside(
        net, "sh", "-c", "grep -r . /proc/sys/net/ipv4 /proc/sys/net/ipv6 2>/dev/null; true"
    )
    for line in text.splitlines():
        path, _, value = line.partition(":")
        found[path] = value
    # of a link that came up just now an address is tentative for a second
    found["addresses"] = inside(net, "ip", "-o", "addr").replace(" tentative", "")
    found["routes"] = inside(net, "ip", "-4", "route") + inside(net, "ip", "-6", "route")
    return found


@pytest.fixture
def links(net: Host) -> Host:
    for words in (
        "link add one type veth peer name two", "link set one up", "link set two up",
        "addr add 192.0.2.1/24 dev one", "addr add 2001:db8::1/64 dev one nodad",
        "route add 198.51.100.0/24 via 192.0.2.7", "-6 route add 2001:db8:1::/48 via 2001:db8::7",
    ):  # fmt: skip
        done = subprocess.run([*net.prefix, "ip", *words.split()], capture_output=True, check=False)
        if done.returncode:
            pytest.skip(f"no such links here: {done.stderr.decode()}")
    return net


def cells(system: dict[str, Any]) -> list[dict[str, Any]]:
    sysctl = kind("sysctl")
    planned = sysctl.plan(sysctl.Model.model_validate(system), {}, {})
    assert isinstance(planned, list)
    return [cell.to_json() for cell in planned]


@pytest.mark.parametrize("key", KEYS)
def test_all_that_changed_with_a_key_is_as_before(links: Host, key: str) -> None:
    if key == "net.ipv6.conf.all.forwarding":
        inside(links, "sysctl", "-qw", f"{key}=1")
    before = everything(links)
    done = links.converge(*cells({key: KEYS[key]}))
    if set(done.outcomes.values()) == {"failed"}:
        pytest.skip(json.dumps(done.results))
    changed = everything(links)
    assert changed["addresses"] == before["addresses"]
    assert changed["routes"] == before["routes"]
    assert links.restore().end["ok"]
    assert everything(links) == before


def test_every_row_has_its_source() -> None:
    assert all(
        ("/" in row.source and ".c" in row.source) or "hugetlb" in row.source for row in ALSO
    )
    assert all(row.source and row.why for row in NO_WAY_BACK)


@pytest.mark.parametrize("value", ["1", "2", "0x1", "01", "yes", "-1"])
@pytest.mark.parametrize("link", ["all", "lo", "eth0", "eth0.100"])
def test_what_takes_addresses_is_refused_however_it_is_written(link: str, value: str) -> None:
    assert no_way_back(f"net/ipv6/conf/{link}/disable_ipv6", value)
