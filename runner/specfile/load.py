"""A file → an Experiment, or every fault of the file at once."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from runner.errors import SpecError
from runner.spec.experiment import Experiment
from runner.specfile.checks import check
from runner.specfile.errors import Fault, SpecFaults
from runner.specfile.secrets import revealer
from runner.specfile.validation import explain
from runner.specfile.values import read
from runner.specfile.variables import VariableError, Variables, fill_document

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.specfile.inventory import Inventory
    from runner.specfile.values import Document, Path

_ROUNDS = 50


@dataclass(frozen=True)
class Loaded:
    """A valid spec with its file, for who has to point into it or copy it."""

    experiment: Experiment
    document: Document
    path: FilePath | None = None

    def position(self, path: Path, *, key: bool = False) -> tuple[int, int]:
        """Line and column, from 1, of a path such as ("load", "steps", 0)."""
        place = self.document.place(path, key=key)
        return place.line + 1, place.column + 1

    def fault(self, path: Path, message: str, *, key: bool = False) -> Fault:
        """Make a fault at a path, for `render`."""
        return self.document.fault(path, message, key=key)


def load(
    path: FilePath | str,
    *,
    variables: Mapping[str, Any] | None = None,
    inventory: Inventory | None = None,
    host: str | None = None,
) -> Experiment:
    """Read a spec; SpecFaults (a SpecError) holds every fault of it.

    `variables` are those of -e; `host` stands in for the spec's server, as -H does.
    """
    return load_document(path, variables=variables, inventory=inventory, host=host).experiment


def load_document(
    path: FilePath | str,
    *,
    variables: Mapping[str, Any] | None = None,
    inventory: Inventory | None = None,
    host: str | None = None,
) -> Loaded:
    """Read a spec and keep where everything stands."""
    file = FilePath(path)
    try:
        raw = file.read_bytes()
    except OSError as wrong:
        said = (wrong.strerror or "cannot be read").lower()
        raise SpecError(f"{path}: {said}", fix="give the path of a spec") from None
    document = parse_text(
        raw, str(path), stem=file.stem, variables=variables, inventory=inventory, host=host,
        folder=file.parent,
    )  # fmt: skip
    return Loaded(document.experiment, document.document, file)


def parse_text(
    raw: bytes | str,
    name: str = "<text>",
    *,
    stem: str = "experiment",
    variables: Mapping[str, Any] | None = None,
    inventory: Inventory | None = None,
    host: str | None = None,
    folder: FilePath | None = None,
) -> Loaded:
    """Read a spec from its text."""
    document = read(name, raw, revealer(folder or FilePath()))
    factors = document.data.get("factors")
    known = _variables(document, variables or {}, inventory, host)
    names = frozenset(factors if isinstance(factors, dict) else ())
    data = fill_document(document, Variables(known, names))
    _place_host(data, host)
    data.setdefault("name", stem.lower().replace(" ", "-"))
    experiment = _validate(document, data)
    if document.faults or experiment is None:
        raise SpecFaults(name, document.faults, document.text)
    return Loaded(experiment, document)


def _variables(
    document: Document, extra: Mapping[str, Any], inventory: Inventory | None, host: str | None
) -> dict[str, Any]:
    """Join variables as Ansible does: -e over the spec's over the host's over its groups'."""
    found: dict[str, Any] = {}
    chosen = host or _server(document.data)
    if inventory is not None and chosen is not None:
        found.update(inventory.variables(chosen))
    if chosen is not None:
        found["inventory_hostname"] = chosen
    own = document.data.get("vars")
    if isinstance(own, dict):
        found.update(own)
        used = Variables({**found, **extra})
        for key, value in own.items():
            try:
                used.fill(value)
            except VariableError as wrong:
                document.add(("vars", key), str(wrong))
    found.update(extra)
    return found


def _server(data: Mapping[str, Any]) -> str | None:
    hosts = data.get("hosts")
    server = hosts.get("server") if isinstance(hosts, dict) else None
    if isinstance(server, list) and server:
        server = server[0]
    return server if isinstance(server, str) else None


def _place_host(data: dict[str, Any], host: str | None) -> None:
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


def _validate(document: Document, data: dict[str, Any]) -> Experiment | None:
    """Validate; what is refused is cut out, so that the rest is checked in the same go."""
    partial = copy.deepcopy(data)
    said = False
    experiment = None
    for _ in range(_ROUNDS):
        try:
            experiment = Experiment.model_validate(partial)
            break
        except ValidationError as wrong:
            if said:
                bad = _bad(partial, wrong)
            else:
                bad = explain(document, data, wrong)
                bad += _bad(partial, wrong)
                said = True
            if not _cut(partial, bad):
                break
    if experiment is not None:
        for path, message, key in check(experiment, data):
            document.add(path, message, key=key)
    return experiment


def _bad(data: Any, wrong: ValidationError) -> list[Path]:
    from runner.specfile.validation import resolve  # noqa: PLC0415 - only a faulty spec needs it

    return [resolve(data, detail["loc"])[0] for detail in wrong.errors(include_url=False)]


def _cut(data: dict[str, Any], paths: list[Path]) -> bool:
    """Remove what stands at the paths, the last entry of a list first; False if nothing was."""
    done = False
    for path in sorted(set(paths), key=lambda p: [(isinstance(x, int), str(x)) for x in p])[::-1]:
        if not path:
            continue
        *above, last = path
        try:
            node: Any = data
            for part in above:
                node = node[part]
            if isinstance(node, list):
                # an index must not move: the others of this round are counted by it
                node[last] = None if node[last] is not None else _GONE
                node[:] = [item for item in node if item is not _GONE]
            else:
                del node[last]
            done = True
        except (KeyError, IndexError, TypeError):
            continue
    return done


_GONE = object()
