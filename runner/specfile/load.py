"""A file → an Experiment, or every fault of the file at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from runner.errors import SpecError
from runner.spec.design import OVERRIDABLE, SET
from runner.spec.experiment import Experiment
from runner.spec.treatments import Sections, sections
from runner.specfile.bodies import read_bodies
from runner.specfile.cross_checks.names import check
from runner.specfile.encoding import read_file
from runner.specfile.errors import Fault, SpecFaults
from runner.specfile.host_names import place_hosts, server_of, server_with
from runner.specfile.levels import write_levels
from runner.specfile.names import Names
from runner.specfile.reach import outside
from runner.specfile.secrets import revealer
from runner.specfile.validation import explain
from runner.specfile.values import read
from runner.specfile.variables import VariableError, Variables, fill_document

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.specfile.inventory import Inventory
    from runner.specfile.values import Document, Path

_ROUNDS = 50


@dataclass(frozen=True)
class Loaded:
    """A valid spec with its file, for callers that point into it or copy it."""

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
    variables: Mapping[str, object] | None = None,
    inventory: Inventory | None = None,
    host: str | None = None,
    limit: str | None = None,
    secrets: Sequence[FilePath] | None = None,
) -> Experiment:
    """Read a spec; SpecFaults (a SpecError) holds every fault of it.

    `variables` are those of -e; `host` stands in for the spec's server, as -H does; `limit` is
    a pattern that narrows servers; `secrets` are the files and folders that its secrets may be
    read from, None for any: a command line never says that, since a spec may be anybody's.
    """
    return load_document(
        path, variables=variables, inventory=inventory, host=host, limit=limit, secrets=secrets
    ).experiment


def load_document(
    path: FilePath | str,
    *,
    variables: Mapping[str, object] | None = None,
    inventory: Inventory | None = None,
    host: str | None = None,
    limit: str | None = None,
    secrets: Sequence[FilePath] | None = None,
) -> Loaded:
    """Read a spec and keep where everything stands."""
    file = FilePath(path)
    try:
        raw = read_file(file)
    except OSError as wrong:
        said = (wrong.strerror or "cannot be read").lower()
        raise SpecError(f"{path}: {said}", fix="give the path of a spec") from None
    document = parse_text(
        raw, str(path), stem=file.stem, variables=variables, inventory=inventory, host=host,
        limit=limit, folder=file.parent, secrets=secrets,
    )  # fmt: skip
    return Loaded(document.experiment, document.document, file)


def parse_text(
    raw: bytes | str,
    name: str = "<text>",
    *,
    stem: str = "experiment",
    variables: Mapping[str, object] | None = None,
    inventory: Inventory | None = None,
    host: str | None = None,
    limit: str | None = None,
    folder: FilePath | None = None,
    secrets: Sequence[FilePath] | None = None,
) -> Loaded:
    """Read a spec from its text."""
    document = read(name, raw, revealer(folder or FilePath(), allowed=secrets))
    factors = document.data.get("factors")
    known = _variables(document, variables or {}, inventory, host)
    names = frozenset(factors if isinstance(factors, dict) else ())
    data = fill_document(document, Variables(known, names))
    place_hosts(document, data, inventory, host, limit)
    write_levels(document, data, folder or FilePath())
    read_bodies(document, data, folder or FilePath())
    data.setdefault("name", stem.lower().replace(" ", "-"))
    experiment = _validate(document, data)
    if experiment is not None and experiment.build is not None and folder is not None:
        why = outside(folder, experiment.build.package)
        if why:
            document.add(("build", "package"), why)
    if document.faults or experiment is None:
        raise SpecFaults(name, document.faults, document.text)
    return Loaded(experiment, document)


def _variables(
    document: Document, extra: Mapping[str, object], inventory: Inventory | None, host: str | None
) -> dict[str, object]:
    """Join variables as Ansible does: -e over the spec's over the host's over its groups'."""
    found: dict[str, object] = {}
    own = document.data.get("vars")
    written = {**own, **extra} if isinstance(own, dict) else extra
    chosen = server_of(server_with(written, document.data), inventory, host)
    if inventory is not None and chosen is not None:
        found.update(inventory.variables(chosen))
    if chosen is not None:
        found["inventory_hostname"] = chosen
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


def _validate(document: Document, data: dict[str, object]) -> Experiment | None:
    """Validate; what is refused is cut out, so that the rest is checked in the same go."""
    # one object for each place, also where an alias made two places one
    partial = _copy(data)
    broken: set[str] = set()
    indices = _indices(partial)
    experiment = None
    for turn in range(_ROUNDS):
        try:
            experiment = Experiment.model_validate(partial)
            break
        except ValidationError as wrong:
            if turn == 0:
                explain(document, data, wrong)
            bad = _bad(partial, wrong)
            broken |= {str(path[0]) for path in bad if path}
            if not _cut(partial, bad):
                break
    if experiment is not None:
        already = {(fault.line, fault.column) for fault in document.faults}
        names = Names(data, partial, indices, broken)
        for path, message, key in check(experiment, names):
            fault = document.fault(path, message, key=key)
            if (fault.line, fault.column) not in already:
                document.note(fault)
        _check_levels(document, experiment, broken)
    return experiment


def _check_levels(document: Document, exp: Experiment, broken: set[str]) -> None:
    """Try every level of every factor alone: what it changes has to be a valid spec."""
    for name, factor in exp.factors.items():
        for level, over in factor.levels.items():
            usable = {k: v for k, v in over.items() if k in (*OVERRIDABLE, SET) and k not in broken}
            data = sections(exp, {name: level}, {name: {level: usable}})
            try:
                Sections.model_validate(data)
            except ValidationError as wrong:
                explain(document, data, wrong, ("factors", name, level))


def _bad(data: object, wrong: ValidationError) -> list[Path]:
    from runner.specfile.validation import resolve

    return [resolve(data, detail["loc"])[0] for detail in wrong.errors(include_url=False)]


def _cut(data: dict[str, object], paths: list[Path]) -> bool:
    """Remove what stands at the paths, the last entry of a list first; False if nothing was."""
    done = False
    for path in sorted(set(paths), key=_order, reverse=True):
        if not path:
            continue
        *above, last = path
        try:
            node: Any = data
            for part in above:
                node = node[part]
            del node[last]
            done = True
        except (KeyError, IndexError, TypeError):
            continue
    return done


def _copy(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _copy(value) for key, value in data.items()}
    return [_copy(item) for item in data] if isinstance(data, list) else data


def _order(path: Path) -> list[tuple[int, int, str]]:
    return [(0, part, "") if isinstance(part, int) else (1, 0, part) for part in path]


def _indices(data: object, found: dict[int, int] | None = None) -> dict[int, int]:
    """Index of every mapping in a list, by identity: what is cut moves the others."""
    found = {} if found is None else found
    if isinstance(data, dict):
        for value in data.values():
            _indices(value, found)
    elif isinstance(data, list):
        for index, item in enumerate(data):
            found[id(item)] = index
            _indices(item, found)
    return found
