"""Records what `ansible-inventory --list` says of the inventories here: python -m tests.specfile.recording."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

FOLDER = Path(__file__).parent / "inventories"


def source(folder: Path) -> Path:
    """The inventory of a case: its one file of a usual name, or all of the folder."""
    for name in ("hosts", "inventory.yml"):
        if (folder / name).is_file():
            return folder / name
    return folder


def ansible(path: Path) -> dict:
    """Hosts' variables and groups' hosts, as Ansible has them."""
    done = subprocess.run(
        ["ansible-inventory", "-i", str(path), "--list"], check=True, capture_output=True
    )
    return plain(json.loads(done.stdout))


def plain(listed: dict) -> dict:
    meta = listed.pop("_meta")
    groups: dict[str, set[str]] = {}

    def members(name: str, seen: tuple[str, ...] = ()) -> set[str]:
        if name not in groups:
            group = listed.get(name, {})
            below = [members(child) for child in group.get("children", [])]
            groups[name] = set(group.get("hosts", [])).union(*below)
        return groups[name]

    hosts = members("all")
    return {
        "hosts": {name: unsafe(meta["hostvars"].get(name, {})) for name in sorted(hosts)},
        "groups": {name: sorted(found) for name in sorted(listed) if (found := members(name))},
    }


def unsafe(value):
    if isinstance(value, dict):
        if set(value) == {"__ansible_unsafe"}:
            return value["__ansible_unsafe"]
        return {key: unsafe(one) for key, one in value.items()}
    return [unsafe(one) for one in value] if isinstance(value, list) else value


if __name__ == "__main__":
    for folder in sorted(path for path in FOLDER.iterdir() if path.is_dir()):
        text = json.dumps(ansible(source(folder)), indent=1, sort_keys=True)
        (FOLDER / f"{folder.name}.json").write_text(text + "\n", encoding="utf-8")
