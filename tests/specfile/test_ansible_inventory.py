"""Inventories as `ansible-inventory --list` has them.

What it says of tests/specfile/inventories is recorded there; where it is installed, it is
asked of inventories made at random too.
"""

from __future__ import annotations

import json
import os
import random
import shutil

import pytest

from runner.errors import SpecError
from runner.specfile.inventory import load
from tests.specfile.recording import FOLDER, ansible, source

CASES = sorted(path for path in FOLDER.iterdir() if path.is_dir())
FULL = bool(os.environ.get("FULL"))


def ours(path) -> dict:
    found = load(path)
    hosts = {
        name: {key: one.value for key, one in joined.items()}
        for name, joined in sorted(found.hosts.items())
    }
    groups = {name: sorted(members) for name, members in found.groups.items() if members}
    return {"hosts": hosts, "groups": {"all": sorted(hosts), **groups} if hosts else {}}


@pytest.mark.parametrize("folder", CASES, ids=lambda path: path.name)
def test_recorded(folder):
    recorded = json.loads((FOLDER / f"{folder.name}.json").read_text(encoding="utf-8"))
    assert ours(source(folder)) == recorded


WORDS = ["a", "b", "lab", "pi1", "pi2", "rack[1:3]", "h[a:b]", "x:22", "y-1.z", "pi[01:12:5]"]
VALUES = ["1", "yes", "true", "True", "'q u'", "a=b", "[1,2]", "0x1f", "1.0", "None", "{'k':'v'}",
          "007", "", '"d"', "1_0", "..", "~", "null", "a\\ b"]  # fmt: skip


def made(rolls: random.Random, folder) -> None:  # noqa: C901 - one grammar
    """Write an INI inventory with children, priorities and folders of variables."""
    groups = [f"g{n}" for n in range(rolls.randint(1, 6))]
    lines = []
    for _ in range(rolls.randint(0, 2)):
        lines.append(rolls.choice(WORDS))
    for index, group in enumerate(groups):
        lines.append(f"[{group}]")
        for _ in range(rolls.randint(0, 3)):
            variables = " ".join(
                f"v{rolls.randint(0, 3)}={rolls.choice([v for v in VALUES if v])}"
                for _ in range(rolls.randint(0, 2))
            )
            lines.append(f"{rolls.choice(WORDS)} {variables}{rolls.choice(['', ' # c'])}")
        below = groups[index + 1 :]
        if below and rolls.random() < 0.6:
            lines.append(f"[{group}:children]")
            lines += sorted(set(rolls.choices(below, k=2)))
        if rolls.random() < 0.6:
            lines.append(f"[{group}:vars]")
            lines += [f"v{n} = {rolls.choice(VALUES)}" for n in range(rolls.randint(1, 4))]
            if rolls.random() < 0.3:
                lines.append(f"ansible_group_priority={rolls.randint(-2, 12)}")
    if rolls.random() < 0.3:
        lines += ["[all:vars]", f"v1={rolls.choice(VALUES)}"]
    (folder / "hosts").write_text("\n".join(lines) + "\n")
    for part, names in (("group_vars", [*groups, "all", "ungrouped"]), ("host_vars", ["pi1", "a"])):
        for name in names:
            if rolls.random() < 0.3:
                suffix = rolls.choice([".yml", ".yaml", "", ".json", ".txt"])
                path = folder / part / f"{name}{suffix}"
                path.parent.mkdir(exist_ok=True)
                text = {f"v{rolls.randint(0, 3)}": rolls.choice([1, "x", None, [1], {"a": "b"}])}
                path.write_text(json.dumps(text))


@pytest.mark.skipif(shutil.which("ansible-inventory") is None, reason="no Ansible here")
@pytest.mark.timeout(7200)
def test_made_at_random(tmp_path):
    """FULL=1 tries 300; each takes Ansible about a second."""
    rolls = random.Random(3)
    for number in range(300 if FULL else 5):
        folder = tmp_path / str(number)
        folder.mkdir()
        made(rolls, folder)
        text = (folder / "hosts").read_text()
        assert ours(folder / "hosts") == ansible(folder / "hosts"), text


EVIL = ["[", "]", "=", "'", '"', "\\", "{{ x }}", "\0", "é", "[1:99999999]", "[a:", "%", "#", ":", "!",
        "[x:children]", "[all:vars]", "\t", "ansible_port=x", "(" * 300, "-" * 5000 + "1", "0" * 20_000]  # fmt: skip


@pytest.mark.timeout(3600)
def test_any_inventory_is_one_or_its_faults(tmp_path):
    """FULL=1 tries 2,000 of them."""
    rolls = random.Random(4)
    for number in range(2000 if FULL else 60):
        folder = tmp_path / str(number)
        folder.mkdir()
        made(rolls, folder)
        path = folder / rolls.choice(["hosts", "hosts.yaml"])
        text = (folder / "hosts").read_text()
        if path.suffix and rolls.random() < 0.8:
            text = json.dumps({"all": {"hosts": {"a": {"ansible_port": 1}}, "vars": {"b": [1]}}})
        for _ in range(rolls.randint(0, 4)):
            at = rolls.randrange(len(text) + 1)
            text = text[:at] + rolls.choice(EVIL) + text[at + rolls.randint(0, 4) :]
        path.write_text(text)
        try:
            found = load(path)
            for name in [*found.hosts, "pi1"]:
                found.variables(name)
                found.host(name)
            found.names(rolls.choice(["all", "lab:!pi1", "~p(i", "a[0]", "[", "g0[1:]", "!", "&"]))
        except SpecError as wrong:
            assert wrong.message  # noqa: PT017 - either outcome is right
        except Exception as fault:
            raise AssertionError(f"{type(fault).__name__}: {fault} of\n{text[:2000]}") from fault


@pytest.mark.parametrize("value", ["high", "1.5", "[1]", "9" * 30])
@pytest.mark.parametrize("form", ["ini", "yaml"])
def test_a_priority_that_is_no_whole_number_is_refused_with_its_place(tmp_path, value, form):
    text = f"[a]\np1\n[a:vars]\nansible_group_priority={value}\n"
    if form == "yaml":
        text = f"a: {{hosts: {{p1: }}, vars: {{ansible_group_priority: '{value}'}}}}\n"
    file = tmp_path / ("hosts.yml" if form == "yaml" else "hosts")
    file.write_text(text)
    with pytest.raises(SpecError, match="has to be a whole number") as caught:
        load(file)
    assert str(file) in caught.value.message
