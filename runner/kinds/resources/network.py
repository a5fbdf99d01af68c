"""network: interfaces of the host: up or down, MTU, addresses, queueing discipline.

A discipline is known by its handle, made from its own words: tc prints other
words than it takes, so a comparison of texts would never settle. One that
somebody else has set cannot be put back from what tc prints, and is refused.
Sources: tc(8), ip-address(8).
"""

import ipaddress
import re
import zlib
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
)

from runner.kinds.resources.interface import (
    UNSET,
    Cell,
    Facts,
    Frozen,
    Json,
    Planned,
    Refused,
    Root,
    Values,
)


def _address(text: str) -> str:
    try:
        address = ipaddress.ip_interface(text)
    except ValueError:
        message = f"`{text}` is not an address with its prefix, such as 192.0.2.1/24"
        raise ValueError(message) from None
    if "/" not in text:
        raise ValueError(f"`{text}` has no prefix: write {text}/{address.max_prefixlen}")
    return address.with_prefixlen


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _state(value: object) -> object:
    if isinstance(value, bool):
        return "up" if value else "down"
    return value


class Interface(Frozen):
    """One interface; what is left out stays as it is."""

    state: Annotated[
        Literal["up", "down"] | None, BeforeValidator(_state, json_schema_input_type=str | bool)
    ] = Field(None, alias="up", description="true or false")
    mtu: int | None = Field(
        None, ge=68, le=65535, strict=True, description="largest packet, in bytes"
    )
    addresses: Annotated[
        tuple[Annotated[str, AfterValidator(_address)], ...],
        BeforeValidator(_listed, json_schema_input_type=str | list[str]),
    ] = Field((), description="added, beside those that are there: [192.0.2.1/24]")
    qdisc: Annotated[str, StringConstraints(pattern=r"^[a-z_]+( [\w.%/-]+)*$")] | None = Field(
        None, description="root discipline as tc takes it: netem delay 20ms"
    )


Name = Annotated[str, StringConstraints(pattern=r"^[^\s/:]{1,15}$")]


class NetworkModel(Root[dict[Name, Interface]]):
    """`network: {eth0: {mtu: 1400, qdisc: netem delay 20ms}}`."""


def handle(words: str) -> str:
    """Give a handle that is the discipline's own: four hex digits, never 0 and never ffff."""
    return f"{zlib.crc32(words.encode()) % 0x7FFE + 0x8000:x}"


class Network:
    """Interfaces of the host."""

    name = "network"
    doc = (
        "by interface: `{eth0: {up: true, mtu: 1400, addresses: [192.0.2.1/24], "
        "qdisc: netem delay 20ms}}`"
    )
    absent = "refused: no such interface; failed where the kernel lacks the discipline"
    fixed = ""
    sets: tuple[str, ...] = ("net.",)
    needs_root = True
    Model = NetworkModel

    def _cells(self, payload: NetworkModel) -> list[Cell]:
        return [
            cell for name, interface in payload.root.items() for cell in self._of(name, interface)
        ]

    def _of(self, name: str, interface: Interface) -> list[Cell]:
        cells: list[Cell] = []
        if interface.mtu is not None:
            cells.append(self._link(name, "mtu", str(interface.mtu), "integer", ()))
        for address in interface.addresses:
            family = "-6" if ":" in address else "-4"
            cells.append(
                Cell(
                    id=f"network:{name}/{address}",
                    via="argv",
                    name=f"{name} {address}",
                    read=("ip", family, "-o", "address", "show", "dev", name),
                    parse=rf"\sinet6?\s({re.escape(address)})\s",
                    write={
                        address: ["ip", "address", "add", address, "dev", name],
                        "null": ["ip", "address", "del", address, "dev", name],
                    },
                    want=address,
                )
            )
        if interface.state is not None:
            after = tuple(cell.id for cell in cells)
            cells.append(self._link(name, "up", interface.state, "exact", after))
        if interface.qdisc is not None:
            mine = handle(interface.qdisc)
            put = ["tc", "qdisc", "replace", "dev", name, "root", "handle", f"{mine}:"]
            cells.append(
                Cell(
                    id=f"network:{name}/qdisc",
                    via="argv",
                    name=f"{name} qdisc",
                    read=("tc", "qdisc", "show", "dev", name),
                    parse=rf"^qdisc \S+ ({mine}): (?:dev \S+ )?root",
                    write={
                        mine: [*put, *interface.qdisc.split()],
                        "null": ["tc", "qdisc", "del", "dev", name, "root"],
                    },
                    want=mine,
                )
            )
        return cells

    def _link(self, name: str, attr: str, want: str, form: str, after: tuple[str, ...]) -> Cell:
        return Cell(
            id=f"network:{name}/{attr}",
            via="link",
            name=name,
            attr=attr,
            want=want,
            form=form,
            after=after,
        )

    def candidates(self, payload: NetworkModel) -> list[Json]:
        """Read what is declared, whether each interface is there, and whose its discipline is."""
        cells = [cell.asking() for cell in self._cells(payload)]
        for name, interface in payload.root.items():
            cells.append(self._link(name, "up", "", "exact", ()).asking())
            if interface.qdisc is not None:
                cells.append(
                    Cell(
                        id=f"network:{name}/qdisc-now",
                        via="argv",
                        name=f"{name} qdisc now",
                        read=("tc", "qdisc", "show", "dev", name),
                        parse=r"^(qdisc \S+ \S+: (?:dev \S+ )?root)",
                    )
                )
        return list({cell.id: cell.to_json() for cell in cells}.values())

    def plan(self, payload: NetworkModel, facts: Facts, values: Values) -> Planned:
        """Cells of each interface: MTU and addresses, then up or down, then the discipline."""
        known = facts.get("net.interfaces")
        for name, interface in payload.root.items():
            lacks = known is not None and name not in known
            if lacks or values.get(f"network:{name}/up", UNSET) is None:
                return Refused(f"the host has no interface {name}", "see `ip link` on the host")
            now = values.get(f"network:{name}/qdisc-now")
            if interface.qdisc is None or not isinstance(now, str):
                continue
            _, queue, number, *_ = now.split()
            # 0: is the kernel's default
            if number not in ("0:", f"{handle(interface.qdisc)}:"):
                return Refused(
                    f"{name} has a {queue} discipline of its own ({number}), which could not be "
                    "put back",
                    f"take it off first: tc qdisc del dev {name} root",
                )
        return self._cells(payload)


KIND = Network()
