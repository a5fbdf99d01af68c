"""The link cut anywhere in an apply, in either direction: a restore leaves no difference."""

from __future__ import annotations

import contextlib
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runner.errors import RunnerError
from runner.executor.agent import Agent
from runner.executor.converge import converge, hold
from runner.executor.restore import restore
from tests.host.scene import Scene
from tests.sshd import Proxy, start_sshd, stop_sshd
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sshd import Sshd

RUN = "20260101T000000Z-abcdef"
POINTS = 32
"""In each direction."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """An sshd without the user's start-up files, which take longer than all that is tested."""
    folder = tmp_path_factory.mktemp("sshd")
    server = start_sshd(folder, f"SetEnv HOME={folder}")
    yield server
    stop_sshd(server)


@pytest.fixture
def link(bare: Sshd) -> Iterator[Proxy]:
    made = Proxy(bare.port)
    yield made
    made.close()


class Far:
    """The scene's host, over a link that can be cut; its agent runs in the scene's namespace."""

    def __init__(self, there: Scene, bare: Sshd, link: Proxy, folder: Path) -> None:
        self.scene, self.bare, self.link, self.folder = there, bare, link, folder
        # as a host's `python3` would be: whatever is started is started by it
        self.python = folder / "python3"
        within = " ".join(there.host.prefix)
        self.python.write_text(f'#!/bin/sh\nexec {within} {sys.executable} "$@"\n')
        self.python.chmod(0o755)

    def ask(self, port: int, work) -> None:
        transport = self.bare.transport(self.folder, port=port, python=str(self.python))
        try:
            work(Agent(transport, run_id=RUN, state_dir=str(self.scene.host.state)))
        finally:
            transport.close()
            self.settle()

    def apply(self, port: int) -> None:
        held = hold("test", None)
        self.ask(port, lambda agent: converge(agent, self.scene.cells, held=held))

    def restore(self, port: int) -> None:
        self.ask(port, restore)

    def settle(self) -> None:
        """Wait for an agent that lost its link to finish what it has begun."""
        until(lambda: not self._agents())

    def _agents(self) -> list[str]:
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                words = path.read_bytes().split(b"\0")
                if str(self.scene.host.state).encode() in words:
                    found.append(path.parent.name)
        return found

    def bytes_of(self, work) -> dict[str, int]:
        self.link.carried = dict.fromkeys(self.link.carried, 0)
        work(self.link.port)
        return dict(self.link.carried)


@pytest.fixture
def far(scene: Scene, bare: Sshd, link: Proxy, tmp_path: Path) -> Far:
    if shutil.which("nsenter") is None:
        pytest.skip("no nsenter")
    return Far(scene, bare, link, tmp_path)


def points(whole: int) -> list[int]:
    return sorted({1 + (whole - 1) * n // (POINTS - 1) for n in range(POINTS)})


@pytest.mark.parametrize("way", ["cut_after", "cut_after_sent"])
def test_apply_cut_anywhere(far: Far, way: str) -> None:
    """From the first byte of the handshake to the last of the answer."""
    whole = far.bytes_of(far.apply)[way]
    far.restore(far.bare.port)
    far.scene.same("uncut")
    undone = done = 0
    # the whole is a few bytes more or less each time: the last one is not cut
    for after in [*points(whole), None]:
        setattr(far.link, way, after)
        with contextlib.suppress(RunnerError):
            far.apply(far.link.port)
        setattr(far.link, way, None)
        changed = far.scene.now() != far.scene.before
        done, undone = done + changed, undone + (not changed)
        far.restore(far.bare.port)
        far.scene.same(f"{way} {after} of {whole} bytes")
    # cuts before the program is whole do nothing, later ones change the host
    assert done
    assert undone
    assert done + undone == POINTS + 1


@pytest.mark.parametrize("way", ["cut_after", "cut_after_sent"])
def test_restore_cut_anywhere(far: Far, way: str) -> None:
    """A restore that lost its link is said again."""
    far.apply(far.bare.port)
    whole = far.bytes_of(far.restore)[way]
    for after in points(whole)[::4]:
        far.apply(far.bare.port)
        setattr(far.link, way, after)
        with contextlib.suppress(RunnerError):
            far.restore(far.link.port)
        setattr(far.link, way, None)
        far.restore(far.bare.port)
        far.scene.same(f"{way} {after} of {whole} bytes of a restore")
