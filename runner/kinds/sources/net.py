"""Connections and listen queues as the kernel counts them, in the workload's namespace.

Source: sock_diag(7); /proc/net/netstat (TcpExt). The load generator is never
asked how many connections it has.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from runner.kinds.sources.interface import Field, Read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.kinds.sources.interface import Needs


class Net:
    """Established connections at 2 Hz, counters at 1 Hz."""

    name = "net"
    needs: Needs = MappingProxyType({"established": ("port",)})
    derived: Mapping[str, str] = MappingProxyType({"time_wait": "1"})
    on_demand = False

    def reads(self, facts: Mapping[str, object], *, hz: float) -> list[Read]:
        """Socket dump for the workload's port, and three counters."""
        del facts
        return [
            {
                "id": "net.sockets",
                "path": "",
                "hz": min(hz, 2.0),
                "pick": {"established": "{port}"},
            },
            {
                "id": "net.netstat",
                "path": "/proc/net/netstat",
                "hz": min(hz, 1.0),
                "pick": {"netstat": ["TcpExt.ListenOverflows", "TcpExt.ListenDrops"]},
            },
            {
                "id": "net.snmp",
                "path": "/proc/net/snmp",
                "hz": min(hz, 1.0),
                "pick": {"netstat": ["Tcp.AttemptFails"]},
            },
        ]

    def fields(self, facts: Mapping[str, object]) -> Mapping[str, Field]:
        """Quantities of the network."""
        del facts
        return {
            "established": Field("net.sockets", "1", "established connections to the workload"),
            "listen_overflows": Field(
                "net.netstat.TcpExt.ListenOverflows", "1", "full accept queues", 1.0, "counter"
            ),
            "listen_drops": Field(
                "net.netstat.TcpExt.ListenDrops", "1", "dropped SYNs", 1.0, "counter"
            ),
            "connect_failures": Field(
                "net.snmp.Tcp.AttemptFails",
                "1",
                "connects that were refused or given up, of all programs",
                1.0,
                "counter",
            ),
        }


KIND = Net()
