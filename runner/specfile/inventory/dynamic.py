"""Inventories that a program makes: by `ansible-inventory`, where the user names them.

One that lies beside a spec is never run on its own account: it may be anybody's.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from runner.errors import SpecError
from runner.specfile.inventory.groups import join
from runner.specfile.inventory.written import Origin, Variable, Written

if TYPE_CHECKING:
    from pathlib import Path

    from runner.specfile.inventory.groups import Inventory

TOOL = "ansible-inventory"
_WITHIN_S = 120
_MAX_BYTES = 64 << 20


def why_dynamic(path: Path, raw: bytes) -> str:
    """Say why a file is a program's and not an inventory itself, or nothing."""
    if raw.startswith(b"#!") or (os.access(path, os.X_OK) and not _plain(path)):
        return "is a program that prints an inventory"
    if path.suffix == ".toml":
        return "is TOML"
    return ""


def _plain(path: Path) -> bool:
    """Whether the name says what is inside: file systems without modes call all executable."""
    return path.suffix in (".yml", ".yaml", ".ini", ".json", ".cfg", "")


def ask(path: Path, why: str, *, run: bool) -> Inventory:
    """Let ansible-inventory read it; SpecError where it may not, cannot, or fails."""
    if not run:
        raise SpecError(
            f"{path} {why}: it is run only where you name it", fix=f"give it by -i {path}"
        )
    tool = shutil.which(TOOL)
    if tool is None:
        raise SpecError(
            f"{path} {why}, which {TOOL} reads, and that is not installed here",
            fix=f"pip install ansible-core, or once elsewhere: {TOOL} -i {path} --list --yaml "
            "> inventory.yml",
        )
    try:
        done = subprocess.run(
            [tool, "-i", str(path), "--list"],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=_WITHIN_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise SpecError(f"{path}: {TOOL} takes more than {_WITHIN_S} s") from None
    if done.returncode or len(done.stdout) > _MAX_BYTES:
        said = done.stderr.decode(errors="replace").strip()[-500:]
        raise SpecError(f"{path}: {TOOL} failed: {said}", fix=f"try it: {TOOL} -i {path} --list")
    try:
        return of_json(json.loads(done.stdout), str(path))
    except (ValueError, TypeError, AttributeError, RecursionError) as wrong:
        raise SpecError(f"{path}: {TOOL} printed what is not an inventory: {wrong}") from None


def of_json(listed: dict[str, object], file: str) -> Inventory:
    """Make an inventory of what `ansible-inventory --list` prints."""
    meta = listed.get("_meta") or {}
    hostvars = meta.get("hostvars", {}) if isinstance(meta, dict) else {}
    written = Written()
    at = Origin(file)
    for name, group in listed.items():
        if name == "_meta" or not isinstance(group, dict):
            continue
        made = written.group(name)
        for host in group.get("hosts") or []:
            written.host(host, name)
        for child in group.get("children") or []:
            written.group(child)
            made.children[child] = None
    for host, own in hostvars.items():
        known = written.host(host, "all")
        known.update({key: Variable(_value(one), at) for key, one in own.items()})
    return join(written)


def _value(value: object) -> object:
    if isinstance(value, dict):
        if set(value) == {"__ansible_unsafe"}:
            return value["__ansible_unsafe"]
        if set(value) == {"__ansible_vault"}:
            return None
        return {key: _value(one) for key, one in value.items()}
    return [_value(one) for one in value] if isinstance(value, list) else value
