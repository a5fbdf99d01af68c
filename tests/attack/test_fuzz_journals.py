"""Journals with anything in them: what can be restored is, and what is not as it was is said."""

from __future__ import annotations

import base64  # noqa: F401 - before root is left, as some below
import codecs
import json
import os
import random
import shutil
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runner.apply.putback import Changed, address_of, doubtful, failures
from runner.host.cells import cells
from runner.host.emit import line_of
from runner.host.programs import blobs, converge, restore, status  # noqa: F401 - before root is left
from runner.host.state import holds, journal, state_folder
from runner.host.trial import identity  # noqa: F401 - the same
from runner.records.events import decode
from runner.records.host_events import Result
from tests.attack import mutate
from tests.attack.conftest import NOBODY, points

if TYPE_CHECKING:
    from collections.abc import Callable

JOURNALS = points(300, 20_000)
pytestmark = pytest.mark.timeout(7200)


def test_no_journal_makes_a_fault_or_a_silent_difference(foreign: Path) -> None:
    """As a user without rights: a journal may name any path by then."""
    said = as_nobody(lambda: attack(foreign))
    assert said["why"] is None, said["why"]
    assert said["journals"] == JOURNALS
    assert said["back"] > JOURNALS / 5
    assert said["said"] > JOURNALS / 10


def as_nobody(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Do it in a child without rights, and give what it says."""
    for name in ("ascii", "utf-8", "latin-1", "idna"):
        codecs.lookup(name)  # this interpreter may be where nobody else reads
    near, far = os.pipe()
    pid = os.fork()
    if not pid:
        found: dict[str, Any] = {"why": None}
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            found |= work()
        except BaseException:  # noqa: BLE001 - told by the parent
            found["why"] = traceback.format_exc()
        finally:
            os.write(far, json.dumps(found).encode())
            os._exit(0)
    os.close(far)
    with os.fdopen(near, "rb") as told:
        said = told.read()
    os.waitpid(pid, 0)
    found = json.loads(said)
    return dict(found)


def attack(root: Path) -> dict[str, Any]:
    counts = {"journals": 0, "back": 0, "said": 0}
    for seed in range(JOURNALS):
        folder = root / "one"
        try:
            counts[once(folder, random.Random(seed))] += 1
        except BaseException as fault:
            raise AssertionError(f"seed {seed}") from fault
        counts["journals"] += 1
        shutil.rmtree(folder)
    return counts


def once(folder: Path, rng: random.Random) -> str:
    """Change files, damage the journal, restore; say whether all was back or something was said."""
    asked = scene(folder)
    where = state_folder.open_state(str(folder / "state"))
    changed = {}
    for number, cell in enumerate(asked):
        # two programs of one run, as a base and a treatment are
        found = tell(
            converge.run,
            {"cells": [cell], "layer": "treatment" if number > 2 else "", "over": True},
            where,
        )
        for result in found:
            assert result.outcome == "changed", result
            address = address_of(result.id, cell)
            assert address is not None
            changed[result.id] = Changed(address, result.before)
    path = Path(where.journal)
    path.write_bytes(mutate.lines(rng, path.read_bytes().splitlines(keepends=True)))
    (folder / "bystander").write_text("of somebody else")
    try:
        results = tell(restore.run, {"force": False}, where)
    except state_folder.Refused as no:
        # a line that only root could undo: nothing is begun then, and root can do it all
        assert no.code == "need_root"  # noqa: PT017
        assert path.exists()
        return "said"
    left = failures(changed, results)
    unsure = {one.id for one in doubtful(changed.values(), results)}
    told = {line.partition(" ")[0] for line in left}
    wrong = False
    for name, one in changed.items():
        now, error = cells.try_read(one.cell)
        if error is not None or not one.is_back(now):
            assert name in unsure | told, f"{name} is {now!r} and nobody says so: {results}"
            wrong = True
    assert (folder / "bystander").read_text() == "of somebody else"
    # what is damaged is kept to look at
    if any(result.failed for result in results):
        assert path.exists()
        assert journal.read(str(path)) is not None
    assert holds.read(where) is None
    tell(restore.run, {"force": True}, where)
    return "said" if wrong or left else "back"


def scene(folder: Path) -> list[Any]:
    """Files, a link and a folder, each of which is changed; one file is new."""
    folder.mkdir()
    (folder / "conf").write_text("old\n")
    (folder / "key").write_bytes(bytes(range(256)))
    (folder / "link").symlink_to("conf")
    new = {"type": "file", "bytes_b64": "bmV3Cg==", "mode": 0o640}
    wants = {"conf": new, "key": new, "fresh": new, "link": {"type": "symlink", "target": "key"},
             "made": {"type": "dir", "mode": 0o750}}  # fmt: skip
    return [
        {"id": f"file:{folder / name}", "via": "file", "path": str(folder / name), "form": "exact",
         "runtime": False, "want": want}
        for name, want in wants.items()
    ]  # fmt: skip


def tell(program: Any, asked: dict[str, Any], where: state_folder.State) -> list[Result]:
    """Run a program of the agent; give its results as a controller reads them."""
    found: list[Result] = []

    def emit(event: str, **fields: object) -> None:
        one = decode(line_of(event, fields))
        if isinstance(one, Result):
            found.append(one)

    held = {"controller": "here:1", "lease_s": None}
    program({"program": "x", "run": "r1", "hold": held, **asked}, where, emit)
    return found
