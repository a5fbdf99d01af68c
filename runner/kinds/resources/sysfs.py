"""sysfs: kernel files that have no kind of their own, by their path.

Only trees of tuning knobs: what is written there has an effect on the kernel that runs, is gone
after a reboot, and is put back by writing what was read.
Sources: Documentation/ABI/{stable,testing}/sysfs-*, Documentation/admin-guide/pm/cpufreq.rst.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator

from runner.kinds.resources.interface import (
    Cell,
    Facts,
    Json,
    Planned,
    ReadError,
    Refused,
    Root,
    Values,
)

TREES: Final = (
    "/sys/devices/system/cpu/…", "/sys/devices/system/node/…", "/sys/kernel/mm/…",
    "/sys/module/NAME/parameters/NAME", "/sys/block/NAME/queue/…", "/sys/class/devfreq/NAME/NAME",
    "/sys/class/bdi/NAME/NAME", "/sys/class/net/NAME/queues/…",
)  # fmt: skip
"""What may be written; `…` is any path below, NAME one name."""
OWN: Final[Mapping[str, str]] = {
    r"/sys/kernel/mm/transparent_hugepage/(enabled|defrag|shmem_enabled)": "transparent_hugepage",
    r"/sys/kernel/mm/hugepages/.*/nr_hugepages|.*/node\d+/hugepages/.*/nr_hugepages": "hugepages",
    r"/sys/devices/system/cpu/.*/scaling_governor": "cpu_governor",
    r"/sys/devices/system/cpu/.*/scaling_(min|max)_freq": "cpu_frequency",
}
"""Files that a kind of their own knows more of."""
_NAME: Final = r"[A-Za-z0-9_.:@+-]+"
_ALLOWED: Final = [
    re.compile(re.escape(tree).replace("NAME", _NAME).replace("…", f"{_NAME}(/{_NAME})*"))
    for tree in TREES
]


def _path(text: str) -> str:
    if any(part in (".", "..") for part in text.split("/")):
        raise ValueError(f"`{text}` has to be a path without `.` and `..`")
    if not any(tree.fullmatch(text) for tree in _ALLOWED):
        raise ValueError(
            f"`{text}` is in none of the trees that may be written: {', '.join(TREES)}"
        )
    own = next((kind for pattern, kind in OWN.items() if re.fullmatch(pattern, text)), None)
    if own is not None:
        raise ValueError(f"`{text}` is declared as `{own}:`")
    return text


def _value(value: object) -> object:
    if isinstance(value, bool):
        message = 'this is a YAML boolean, not text: write 1, "Y" or "on" as the file has it'
        raise ValueError(message)  # noqa: TRY004 - pydantic's word for a fault in the input
    text = str(value) if isinstance(value, int | float) else value
    if isinstance(text, str) and (not text.strip() or "\n" in text):
        raise ValueError("has to be a text of one line")
    return text


Path = Annotated[str, AfterValidator(_path)]
Value = Annotated[str, BeforeValidator(_value, json_schema_input_type=str | int | float)]


class SysfsModel(Root[dict[Path, Value]]):
    """`sysfs: {/sys/block/sda/queue/scheduler: none}`."""


class Sysfs:
    """Kernel files by path."""

    name = "sysfs"
    doc = (
        "kernel files without a kind: `{/sys/block/sda/queue/scheduler: none}`; read back, put back"
    )
    absent = "refused: the host has no such file"
    fixed = ""
    sets: tuple[str, ...] = ()
    needs_root = True
    Model = SysfsModel

    def _cell(self, path: str) -> Cell:
        return Cell(id=f"sysfs:{path}", via="pseudo", path=path)

    def candidates(self, payload: SysfsModel) -> list[Json]:
        """Read what is declared."""
        return [self._cell(path).to_json() for path in payload.root]

    def plan(self, payload: SysfsModel, facts: Facts, values: Values) -> Planned:  # noqa: ARG002 - kernel files only
        """One cell a file; what shows its choices in brackets is compared by the bracket."""
        cells = []
        for path, want in payload.root.items():
            cell = self._cell(path)
            seen = values.get(cell.id, "")
            if seen is None:
                return Refused(
                    f"the host has no {path}", "take it out, or name the host's own file"
                )
            if isinstance(seen, ReadError):
                return Refused(
                    f"{path} cannot be read: {seen.why}",
                    "what cannot be read is an action and no state, and could not be put back",
                )
            form = "bracket" if re.search(r"\[\S+\]", str(seen)) else "words"
            cells.append(Cell(id=cell.id, via=cell.via, path=path, want=want, form=form))
        return cells


KIND = Sysfs()
