"""From the declared state to ordered cells, and what applying them would change. Pure."""

from __future__ import annotations

import base64
import difflib
import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from runner.errors import HostError, NeedRoot, SpecError
from runner.host.cells.normal_forms import equal, plain
from runner.kinds import resources
from runner.kinds.resources.interface import (
    UNSET,
    Cell,
    Facts,
    Json,
    ReadError,
    Refused,
    Skipped,
    Unknown,
    Values,
)
from runner.kinds.resources.order import ordered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MASK = "********"


KERNEL: Final = "/proc/sys/"
"""Where nothing comes into being by being written."""


@dataclass(frozen=True)
class StatePlan:
    """What has to be done on one host, in phases: packages, state, actions."""

    cells: list[Cell] = field(default_factory=list)
    """In the order to apply; restored at the end."""
    packages: list[Cell] = field(default_factory=list)
    """First, in a converge of their own; they stay."""
    actions: list[Cell] = field(default_factory=list)
    """Last, after every other change; nothing to restore."""
    skipped: dict[str, str] = field(default_factory=dict)
    """Kind → why the host has no such thing."""
    unknown: dict[str, str] = field(default_factory=dict)
    """Kind → what has to be known first."""
    refused: dict[str, Refused] = field(default_factory=dict)
    """Kind → why the host cannot be brought there, and what to do."""
    needs_root: list[str] = field(default_factory=list)
    """Ids of the cells to be changed that need root."""

    def check(self, *, root: bool) -> None:
        """Raise one HostError with all that is refused, or NeedRoot naming every cell."""
        if self.refused:
            raise HostError(
                "\n".join(f"{kind}: {refusal.why}" for kind, refusal in self.refused.items()),
                fix="\n".join(refusal.fix for refusal in self.refused.values() if refusal.fix),
            )
        if self.needs_root and not root:
            raise NeedRoot(
                f"root is needed for {', '.join(self.needs_root)}",
                fix="set `become: true` for the host, or run as root",
            )


@dataclass(frozen=True)
class Change:
    """What applying one cell would do; texts are masked where the cell is secret."""

    id: str
    outcome: str
    """`ok`, `would change` or `unknown`."""
    before: str | None = None
    after: str | None = None
    why: str = ""
    diff: str = ""
    """Unified diff, of files only."""
    treatment: str = ""
    """Levels of the treatment that it would be done for; empty for all."""

    def __str__(self) -> str:
        """Say it as `--check` does."""
        if self.outcome == "would change":
            if self.before == self.after == MASK:
                return "would change (secret)"
            return f"would change {_shown(self.before)} → {_shown(self.after)}"
        return f"{self.outcome} ({self.why})" if self.why else self.outcome


def _shown(text: str | None) -> str:
    return "absent" if text is None else (text or "empty")


def declared(system: Any) -> dict[str, Any]:
    """Give the payload of every kind that is declared: of a model, or of a mapping by kind.

    A payload that is still plain data is validated by its kind's model.
    """
    payloads: dict[str, object] = {}
    for name, payload in sorted(system.items()):
        if payload is not None:
            model = resources.kind(name).Model
            known = isinstance(payload, model)
            payloads[name] = payload if known else model.model_validate(payload)
    return payloads


def sources(system: object) -> list[str]:
    """Name the files of the spec's folder that have to be read before planning."""
    payloads = declared(system).values()
    return sorted(
        {name for payload in payloads if hasattr(payload, "sources") for name in payload.sources()}
    )


def with_sources(system: object, contents: Mapping[str, bytes]) -> dict[str, object]:
    """Give the declared payloads with the bytes of those files; takes the place of `system`."""
    return {
        name: payload.with_sources(contents) if hasattr(payload, "with_sources") else payload
        for name, payload in declared(system).items()
    }


def candidates(system: object) -> list[Json]:
    """Cells to read in the probe, one for each id."""
    cells: dict[str, Json] = {}
    for name, payload in declared(system).items():
        for cell in resources.kind(name).candidates(payload):
            cells.setdefault(cell["id"], cell)
    return list(cells.values())


def plan_state(system: object, facts: Facts, values: Values) -> StatePlan:
    """Plan every declared kind; SpecError where two of them want different values of one thing."""
    plan = StatePlan()
    cells: list[Cell] = []
    for name, payload in declared(system).items():
        planned = resources.kind(name).plan(payload, facts, values)
        if isinstance(planned, Skipped):
            plan.skipped[name] = planned.why
        elif isinstance(planned, Unknown):
            plan.unknown[name] = planned.depends_on
        elif isinstance(planned, Refused):
            plan.refused[name] = planned
        else:
            cells += planned
    kept = ordered(_once(cells))
    plan.actions.extend(cell for cell in kept if cell.action)
    plan.packages.extend(cell for cell in kept if cell.keep and not cell.action)
    plan.cells.extend(cell for cell in kept if not (cell.keep or cell.action))
    plan.needs_root.extend(
        cell.id for cell in kept if cell.needs_root and _change(cell, values).outcome != "ok"
    )
    return plan


def _once(cells: Iterable[Cell]) -> list[Cell]:
    """Drop a cell that another one says already; two values for one address are a fault."""
    by_address: dict[tuple[str, ...], Cell] = {}
    for cell in cells:
        other = by_address.get(cell.address)
        if other is None or cell.action:
            by_address[cell.address if not cell.action else (cell.id,)] = cell
        elif not equal(cell.form, cell.want, other.want):
            raise SpecError(
                f"{other.id} and {cell.id} want different values of one thing: "
                f"{MASK if other.secret else other.want} and {MASK if cell.secret else cell.want}",
                fix="keep one of them",
            )
        else:
            by_address[cell.address] = replace(other, after=(*other.after, *cell.after))
    return list(by_address.values())


def would_change(plan: StatePlan | Iterable[Cell], values: Values) -> list[Change]:
    """Say of every cell what applying it would do, in the order of applying."""
    if not isinstance(plan, StatePlan):
        return [_change(cell, values) for cell in plan]
    changes = [_change(cell, values) for cell in (*plan.packages, *plan.cells, *plan.actions)]
    changes += [
        Change(kind, "unknown", why=f"depends on {what}") for kind, what in plan.unknown.items()
    ]
    return changes


def _change(cell: Cell, values: Values) -> Change:
    if cell.action:
        return Change(cell.id, "would run", after=_text(cell, cell.want))
    before = values.get(cell.id, cell.observed)
    after = _text(cell, cell.want)
    if before is UNSET:
        first = next(iter(cell.after), "")
        why = f"depends on {first}" if first else "not read"
        return Change(cell.id, "unknown", after=after, why=why)
    if isinstance(before, ReadError):
        return Change(cell.id, "unknown", after=after, why=f"cannot be read: {before.why}")
    if equal(cell.form, cell.want, before) or _same_secret(cell, before):
        return Change(cell.id, "ok", _text(cell, before), after)
    if before is None and cell.path.startswith(KERNEL):
        # a module that is loaded first may bring it
        return Change(cell.id, "would fail", after=after, why="the kernel has no such key")
    return Change(
        cell.id,
        "would change",
        _text(cell, before),
        after,
        diff=unified(cell, before) if cell.via == "file" else "",
    )


def _same_secret(cell: Cell, before: object) -> bool:
    """Compare a secret file, of which the host says size and hash, with what is wanted."""
    want = cell.want
    if not (cell.secret and isinstance(before, dict) and isinstance(want, dict)):
        return False
    if "sha256" not in before or "bytes_b64" not in want:
        return False
    data = base64.b64decode(want["bytes_b64"])
    same = before["sha256"] == hashlib.sha256(data).hexdigest()
    return same and all(before.get(k) == v for k, v in want.items() if k in ("mode", "uid", "gid"))


def _text(cell: Cell, value: object) -> str | None:
    """Give a value as a person reads it."""
    if value is None or value is UNSET:
        return None
    if cell.secret:
        return MASK
    if isinstance(value, dict):
        parts = [f"{value['type']}"] if "type" in value else []
        parts += [
            _item(key, value[key]) if key == "bytes_b64" else f"{key}={_item(key, value[key])}"
            for key in sorted(value)
            if key != "type"
        ]
        return " ".join(parts)
    return str(plain(cell.form, value))


def _item(key: str, value: Any) -> str:
    if key == "mode" and isinstance(value, int):
        return f"{value:04o}"
    if key == "bytes_b64":
        return f"{len(base64.b64decode(value))} B"
    return str(value)


def _lines(cell: Cell, value: Mapping[str, Any] | None) -> list[str] | None:
    """Lines of a file for a diff; None where it is not text."""
    if not value or value.get("type", "file") != "file":
        return []
    try:
        text = base64.b64decode(value.get("bytes_b64", "")).decode()
    except UnicodeDecodeError:
        return None
    return [MASK + "\n"] if cell.secret else text.splitlines(keepends=True)


def unified(cell: Cell, before: object) -> str:
    """Unified diff of a file's text, then mode and owner where they differ; secrets masked."""
    want: Mapping[str, object] = cell.want if isinstance(cell.want, dict) else {}
    have: Mapping[str, object] = before if isinstance(before, dict) else {}
    old, new = _lines(cell, have), _lines(cell, want)
    names = (f"a{cell.path}" if have else "/dev/null", f"b{cell.path}" if want else "/dev/null")
    if old is None or new is None:
        differs = have.get("bytes_b64") != want.get("bytes_b64")
        text = f"binary files {names[0]} and {names[1]} differ\n" if differs else ""
    else:
        if cell.secret and have.get("bytes_b64") != want.get("bytes_b64"):
            new = [MASK + " (changed)\n"] if want else []
        text = "".join(
            line if line.endswith("\n") else line + "\n\\ No newline at end of file\n"
            for line in difflib.unified_diff(old, new, *names)
        )
    for key in ("type", "target", "mode", "uid", "gid"):
        if key in want and have and have.get(key) != want[key]:
            text += f"{key}: {_item(key, have.get(key))} → {_item(key, want[key])}\n"
    return text
