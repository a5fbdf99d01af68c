"""The boards, as data; those of PREDEFINED need no configuration."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from runner.board.errors import BoardError

if TYPE_CHECKING:
    from collections.abc import Mapping

Machine = Literal["virt", "raspi3b"]
MACHINES: Final = get_args(Machine)
USER: Final = "pi"
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,30}")


@dataclass(frozen=True, slots=True)
class Board:
    """One machine, as it is asked for."""

    name: str
    machine: Machine = "virt"
    cgroup: Literal[1, 2] = 2
    memory_controller: bool = True
    """False: `cgroup_disable=memory`, as Raspberry Pi OS has it until told otherwise."""
    memory_mib: int = 4096
    cpus: int = 4

    def __post_init__(self) -> None:
        """Refuse what QEMU would refuse later, or would not do as asked."""
        if not _NAME.fullmatch(self.name):
            raise BoardError(
                f"{self.name!r} is not a name for a board",
                fix="use small letters, digits and dashes, a letter first",
            )
        if self.machine not in MACHINES:
            raise BoardError(f"no machine {self.machine}", fix=f"choose {' or '.join(MACHINES)}")
        if self.machine == "raspi3b" and (self.memory_mib, self.cpus) != (1024, 4):
            raise BoardError(
                "a Raspberry Pi 3 has 1 GiB and 4 processors", fix="leave --memory and --cpus out"
            )
        if self.memory_mib < 512 or not 1 <= self.cpus <= 64:
            raise BoardError("too small or too large a board", fix="512M or more, 1 to 64 CPUs")

    def to_json(self) -> dict[str, object]:
        """Give it as it is kept beside a running board."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Board:
        """Read it back."""
        return cls(**fields)


def pi3(name: str) -> Board:
    """QEMU's Raspberry Pi 3: what its model is called is that of a real board."""
    return Board(name, machine="raspi3b", memory_mib=1024)


PREDEFINED: Final = {
    board.name: board
    for board in (
        Board("virtual"),
        Board("virtual-v1", cgroup=1),
        Board("virtual-nomem", memory_controller=False),
        pi3("virtual-pi3"),
    )
}


def memory(text: str) -> int:
    """Read `4G`, `4GiB` or `512M` as MiB."""
    match = re.fullmatch(r"(\d+)\s*([MG])(i?B)?", text.strip(), re.IGNORECASE)
    if match is None:
        raise BoardError(f"{text!r} is not an amount of memory", fix="write 4G or 512M")
    return int(match[1]) * (1024 if match[2].upper() == "G" else 1)
