"""The agent is killed after every single write; a restore then leaves no difference."""

from __future__ import annotations

import os

import pytest

from runner.host import crash_point as fault_module
from tests.host.scene import KEYS, Scene

DIED = fault_module.EXIT_CODE

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="changes owners and kernel keys")


def test_uninterrupted(scene: Scene) -> None:
    done = scene.host.converge(*scene.cells)
    failed = [name for name, outcome in done.outcomes.items() if outcome == "failed"]
    assert failed in ([], [KEYS[5]]), done.results
    assert scene.now() != scene.before
    assert (scene.root / "plain").read_bytes() == b"new"
    assert (scene.root / "other-name").read_bytes() == b"one content, two names"
    again = scene.host.converge(*scene.cells)
    assert set(again.outcomes.values()) <= {"ok", "ok (normalised)", "failed"}
    restored = scene.host.restore()
    assert restored.end["ok"], restored.results
    scene.same("uninterrupted")


@pytest.mark.timeout(300)
def test_converge_killed_after_every_write(scene: Scene) -> None:
    n = 0
    while True:
        n += 1
        done = scene.host.converge(*scene.cells, fault=n)
        restored = scene.host.restore()
        assert restored.end["ok"], (n, restored.results)
        scene.same(f"killed after write {n}")
        if done.code != DIED:
            break
    assert n > 60, "the scene has more writes than that"


@pytest.mark.timeout(300)
def test_restore_killed_after_every_write(scene: Scene) -> None:
    n = 0
    while True:
        n += 1
        scene.host.converge(*scene.cells)
        killed = scene.host.restore(fault=n)
        restored = scene.host.restore()
        assert restored.end["ok"], (n, restored.results)
        scene.same(f"restore killed after write {n}")
        if killed.code != DIED:
            break
    assert n > 40


@pytest.mark.timeout(300)
@pytest.mark.parametrize("step", [3, 7])
def test_killed_again_and_again(scene: Scene, step: int) -> None:
    """Converge dies, a second converge dies elsewhere, restore dies more than once."""
    for n in range(1, 60, 11):
        scene.host.converge(*scene.cells, fault=n)
        scene.host.converge(*scene.cells, fault=n + step)
        for m in range(1, 40, step * 2):
            scene.host.restore(fault=m)
        restored = scene.host.restore()
        assert restored.end["ok"], (n, restored.results)
        scene.same(f"killed at {n}, {n + step}, then every {step * 2}")
