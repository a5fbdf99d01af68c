"""The tables of docs/contract.md, from the types: `python -m tools.contract` writes the page."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import get_args

import msgspec

from runner.records import events, facts, manifest
from runner.records.event import Event

PAGE = Path(__file__).parents[1] / "docs" / "contract.md"
HEAD = """\
# The contract, by its types

Written by `python -m tools.contract` from `runner/records/`; a test compares the two. What causes
an event and what a program may ask for is in docs/design/001-contracts.md.

Every event is one line of JSON with `event` (its kind), `at` (unix seconds by the host's clock)
and, in a trial, `t` (seconds since its start by the monotonic clock). Fields of a newer host that
are not listed are left out; a kind that is not listed is an error that names the line.
"""


def page() -> str:
    """Give the page."""
    parts = [HEAD]
    trial = [kind for kind in get_args(events.TrialEvent) if kind not in SHARED]
    parts += ["## Events of a host\n", _events(get_args(events.HostEvent))]
    parts += ["## Events of a trial\n", _events(tuple(trial))]
    parts += ["## Parts of events and of run.json\n"]
    parts += [_struct(part) for part in _parts()]
    parts += ["## run.json\n", _struct(manifest.Manifest)]
    read = ", ".join(f"`{name}`" for name in manifest.READ)
    parts += [f"Schemas that are read: {read}; written is `{manifest.SCHEMA}`.\n"]
    parts += ["## Facts that make a machine that machine\n",
              ", ".join(f"`{name}`" for name in facts.MACHINE) + "\n"]  # fmt: skip
    return "\n".join(parts)


SHARED = (events.Result, events.End)


def _events(kinds: tuple[type[Event], ...]) -> str:
    rows = ["| event | fields | |", "|---|---|---|"]
    for kind in kinds:
        said = ", ".join(_field(field) for field in _fields(kind))
        rows.append(f"| `{kind.__struct_config__.tag}` | {said or '–'} | {_about(kind)} |")
    return "\n".join(rows) + "\n"


def _struct(kind: type[msgspec.Struct]) -> str:
    said = ", ".join(_field(field) for field in _fields(kind))
    return f"**{kind.__name__}** {_about(kind)} {said}\n"


def _fields(kind: type[msgspec.Struct]) -> list[msgspec.structs.FieldInfo]:
    own = msgspec.structs.fields(kind)
    return [field for field in own if not issubclass(kind, Event) or (field.name != "at"
            and (field.name != "t" or field.required))]  # fmt: skip


def _field(field: msgspec.structs.FieldInfo) -> str:
    return f"`{field.encode_name}`" + ("" if field.required else "?")


def _about(kind: type) -> str:
    return " ".join((inspect.getdoc(kind) or "").split()).replace("|", "/")


def _parts() -> list[type[msgspec.Struct]]:
    """Every other struct of the records, in the order written."""
    from runner.records import event, host_events, trial_events

    found: list[type[msgspec.Struct]] = []
    for module in (event, host_events, trial_events, manifest):
        for item in vars(module).values():
            own = inspect.isclass(item) and issubclass(item, msgspec.Struct)
            if own and item.__module__ == module.__name__ and not issubclass(item, Event):
                found.append(item)
    return [item for item in found if item is not manifest.Manifest]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.exit(0)
