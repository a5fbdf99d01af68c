"""Finding and reading an inventory, whichever of its forms it has."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from runner.errors import SpecError
from runner.specfile.encoding import decode, read_file
from runner.specfile.errors import SpecFaults
from runner.specfile.inventory.groups import Inventory, join
from runner.specfile.inventory.written import Written
from runner.specfile.secrets import revealer
from runner.specfile.values import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runner.specfile.inventory.groups import VarsFolder

NAMES = ("hosts.yaml", "hosts.yml", "inventory.yaml", "inventory.yml", "inventory.ini", "hosts")
_PASSED_OVER = (
    ".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry",
)  # fmt: skip
_NOT_SOURCES = ("host_vars", "group_vars", "vars_plugins")
_MAX_FILES = 1000


def find_inventory(folder: FilePath) -> FilePath | None:
    """Find an inventory in a folder, by its usual names."""
    return next((folder / name for name in NAMES if (folder / name).is_file()), None)


def load(path: FilePath | str, *, run: bool = False, secrets: Sequence[FilePath] = ()) -> Inventory:
    """Read an inventory: a file, or a folder of which every file is read, as Ansible does.

    With `run` the user has named it: one that a program makes is asked of ansible-inventory,
    and its secrets may lie anywhere. One that was found beside a spec is as foreign as the
    spec: its secrets are read from its own folder, and from `secrets`. SpecFaults holds every
    fault of a file.
    """
    file = FilePath(path)
    folder = file if file.is_dir() else file.parent
    files = list(_sources(file)) if file.is_dir() else [file]
    if not files:
        raise SpecError(f"{path}: no inventory in this folder", fix=f"add {NAMES[0]}")
    allowed = None if run else [folder, *secrets]
    written = Written()
    for one in files:
        try:
            raw = read_file(one)
        except OSError as wrong:
            said = (wrong.strerror or "cannot be read").lower()
            raise SpecError(f"{one}: {said}", fix="give the path of an inventory") from None
        from runner.specfile.inventory import dynamic

        why = dynamic.why_dynamic(one, raw) or _parse(raw, str(one), one.parent, written, allowed)
        if why:
            return dynamic.ask(file, why, run=run)
    return _joined(written, str(path), folder, allowed)


def _sources(folder: FilePath) -> Iterator[FilePath]:
    """Give the files of a folder that are inventories; hosts.yaml alone where it is there."""
    ours = folder / NAMES[0]
    if ours.is_file():
        yield ours
        return
    count = 0
    for path in sorted(folder.iterdir()):
        hidden = path.name.startswith(".") or path.name in _NOT_SOURCES
        if hidden or path.name.endswith(_PASSED_OVER):
            continue
        count += 1
        if count > _MAX_FILES:
            return
        if path.is_dir() and not path.is_symlink():
            yield from _sources(path)
        elif path.is_file():
            yield path


def parse_inventory(raw: bytes | str, name: str, folder: FilePath | None = None) -> Inventory:
    """Read an inventory from its text, whichever of the forms it has."""
    written = Written()
    why = _parse(raw, name, folder or FilePath(), written)
    if why:
        raise SpecError(f"{name} {why}", fix="give the file by -i")
    return _joined(written, name, None)


def _joined(
    written: Written,
    name: str,
    folder: FilePath | None,
    allowed: Sequence[FilePath] | None = None,
) -> Inventory:
    from runner.specfile.inventory.folders import Folders

    beside: VarsFolder | None = Folders(folder, allowed) if folder is not None else None
    try:
        return join(written, beside)
    except SpecFaults:
        raise
    except SpecError as wrong:
        raise SpecError(f"{name}: {wrong.message}", fix=wrong.fix) from None


def _parse(
    raw: bytes | str,
    name: str,
    folder: FilePath,
    into: Written,
    allowed: Sequence[FilePath] | None = None,
) -> str:
    """Read one text; gives why another program has to, or nothing."""
    text = raw if isinstance(raw, str) else decode(name, raw, what="an inventory")
    if not name.endswith((".yaml", ".yml", ".json")) and _is_ini(text):
        from runner.specfile.inventory.ini import read_ini

        read_ini(text, name, into)
        return ""
    document = read(
        name, text, revealer(folder, allowed=allowed), what="an inventory", tags=("!unsafe",)
    )
    if isinstance(document.data.get("plugin"), str):
        return f"is a configuration of the plugin {document.data['plugin']}"
    if "hosts" in document.data or "groups" in document.data:
        from runner.specfile.inventory.own import read_own

        read_own(document, into)
    else:
        from runner.specfile.inventory.ansible_yaml import read_yaml

        read_yaml(document, into)
    if document.faults:
        raise SpecFaults(name, document.faults, text)
    return ""


def _is_ini(text: str) -> bool:
    lines = (line.strip() for line in text.splitlines())
    first = next((line for line in lines if line and line[0] not in "#;"), "")
    if first.startswith(("---", "{")):
        return False
    return first.startswith("[") or ":" not in first.split("=")[0] or not _is_key(first)


def _is_key(line: str) -> bool:
    """Whether a line begins a YAML mapping: `all:`, `pi: {…}`, and not `pi5:2222 a=b`."""
    _, _, rest = line.partition(":")
    return not rest or rest[0] in " \t"
