"""Every key of the language, from the models themselves: for the table in docs and its test."""

import types
from collections.abc import Iterator
from typing import Annotated, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, RootModel
from pydantic_core import PydanticUndefined

from runner.spec.experiment import Experiment
from runner.spec.system import NAMES, System, payload_model

EFFECTS = {
    "schema": "the language that the file is read in",
    "name": "folder of the runs, heading of the report",
    "title": "report",
    "description": "report",
    "source": "report: where the published numbers are from",
    "vars": "filled in wherever `{{ name }}` stands",
    "hosts": "which hosts are sent the programs",
    "requires": "refused where it does not hold: as found, or as the spec itself sets it",
    "system": "state: converged, read back, restored; per treatment where a level says so",
    "build": "command of the build; another one is another program",
    "workload": "program that the host is sent",
    "load": "program that the load's host is sent",
    "healthy": "whether a step is healthy",
    "guards": "whether a trial is valid, else it is run again",
    "abort_when": "when the host ends a trial",
    "faults": "program that the host is sent",
    "search": "levels that are tried, and when the search ends",
    "factors": "treatments: each level is laid over `system`, `build`, `workload`, `load`",
    "baseline": "what reports compare with",
    "skip": "treatments that are left out",
    "treatments": "which cells of the matrix are run",
    "repeat": "order and number of the trials",
    "sample": "program that the host is sent",
    "metrics": "estimates",
    "claims": "verdicts",
    "report": "tables, figures and notes of the report",
    "lint": "what `runner lint` says, and whether `apply` runs it",
}
"""Where a section takes effect."""


class Key(NamedTuple):
    """One key: its path, what it does beside its section's effect, its default."""

    path: tuple[str, ...]
    """`<name>` stands for a name of the user's, `[]` for an entry of a list."""
    text: str
    default: str

    @property
    def effect(self) -> str:
        """Where it takes effect."""
        return EFFECTS[self.path[0]]

    def __str__(self) -> str:
        """Write it as `load.steps[].duration`."""
        return ".".join(self.path).replace(".[]", "[]")


def keys() -> tuple[Key, ...]:
    """Give every key of the language, sections in the order of the models."""
    return tuple(dict.fromkeys(_of_model(Experiment, ())))


def table() -> str:
    """Give the Markdown table of every key with its effect, for docs/spec-keys.md."""
    lines: list[str] = []
    section = ""
    for key in keys():
        if key.path[0] != section:
            section = key.path[0]
            lines += ["", f"## {section}", "", f"Takes effect in: {key.effect}.", ""]
            lines += ["| key | default | what it says |", "|---|---|---|"]
        text = key.text.replace("|", "\\|").replace("\n", " ")
        default = f"`{key.default}`" if key.default else ""
        lines.append(f"| `{key}` | {default} | {text} |")
    return "\n".join(lines).strip() + "\n"


def _of_model(model: type[BaseModel], path: tuple[str, ...]) -> Iterator[Key]:
    if issubclass(model, RootModel):
        yield from _of_kind(model.model_fields["root"].annotation, path)
        return
    for name, field in model.model_fields.items():
        below = (*path, field.alias or name)
        kind = payload_model(name) if model is System and name in NAMES else field.annotation
        yield Key(below, field.description or _doc(kind), _default(field.default))
        yield from _of_kind(kind, below)


def _of_kind(kind: object, path: tuple[str, ...]) -> Iterator[Key]:
    """Keys below a value of a type: of every member of a union, of every entry."""
    origin, inside = get_origin(kind), get_args(kind)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield from _of_model(kind, path)
    elif origin is Annotated:
        yield from _of_kind(inside[0], path)
    elif origin in (Union, types.UnionType):
        for member in inside:
            yield from _of_kind(member, path)
    elif origin is dict:
        yield from _of_kind(inside[1], (*path, "<name>"))
    elif origin in (tuple, list, frozenset):
        for member in dict.fromkeys(inside):
            if member is not Ellipsis:
                yield from _of_kind(member, (*path, "[]"))


def _doc(kind: object) -> str:
    """First sentence of a section's own text."""
    if isinstance(kind, type) and issubclass(kind, BaseModel) and kind.__doc__:
        return kind.__doc__.split("\n")[0]
    for member in get_args(kind):
        found = "" if isinstance(member, str) else _doc(member)
        if found:
            return found
    return ""


def _default(value: object) -> str:
    if value is PydanticUndefined or value is None or isinstance(value, BaseModel):
        return ""
    if value in ((), {}, ""):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
