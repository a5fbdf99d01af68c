"""Whoever is killed, at whichever moment of a run, here or over ssh: `restore` puts all back.

Each point starts a run anew, kills at its share of the time that an undisturbed one takes, and
restores: 0 differences, and nothing that the workload has started is left.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runner.errors import HostBusy, RunnerError
from runner.executor.agent import Agent
from runner.executor.converge import converge, hold
from runner.executor.restore import restore
from runner.transports.local import LocalTransport
from tests.apply.conftest import KEY, NAME, needs_root_and_memory_group
from tests.attack.conftest import points
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runner.transports.interface import Transport
    from tests.apply.conftest import Cli
    from tests.sshd import Sshd

POINTS = points(20, 100)
RUN = "20260101T000000Z-abcdef"
SPEC = """\
schema: experiment/1
name: killed
system:
  sysctl: {{{name}: {wanted}}}
  files:
{files}
workload: {{argv: [sh, -c, "cd {work} && setsid sleep 600 & sleep 0.3"], run: once}}
metrics: {{exit: {{from: workload.exit_code}}}}
"""
pytestmark = pytest.mark.timeout(7200)


class Scene:
    """What a run changes, how it was before, and what its workload leaves running."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.work = folder / "scene", folder / "work"
        self.folder.mkdir()
        self.work.mkdir()
        for number in range(6):
            path = self.folder / f"f{number}"
            path.write_text(f"as it was {number}\n" * (number * 400 + 1))
            path.chmod(0o600 + number)
        (self.folder / "link").symlink_to("f1")
        self.before = self.look()

    def look(self) -> dict[str, Any]:
        """Everything that a run may have changed, as it is now."""
        found: dict[str, Any] = {NAME: KEY.read_text()}
        for path in self.folder.rglob("*"):
            own = path.lstat()
            said = (
                str(path.readlink())
                if path.is_symlink()
                else path.read_bytes()
                if path.is_file()
                else None
            )
            found[path.name] = (own.st_mode, own.st_uid, own.st_gid, said)
        return found

    @property
    def wanted(self) -> str:
        return "11" if KEY.read_text().strip() != "11" else "12"

    def cells(self) -> list[Any]:
        """The same as cells of the agent."""
        new = {"type": "file", "bytes_b64": "bmV3Cg==", "mode": 0o640}
        names = [f"f{number}" for number in range(9)]
        files = [
            {"id": f"file:{name}", "via": "file", "path": str(self.folder / name), "form": "exact",
             "runtime": False, "want": new}
            for name in (*names, "link")
        ]  # fmt: skip
        key = {"id": NAME, "via": "pseudo", "path": str(KEY), "form": "words", "want": self.wanted}
        return [*files, key]

    def spec(self, cli: Cli) -> str:
        """The same as a spec."""
        files = "".join(f"    {self.folder}/f{n}: {{content: new}}\n" for n in range(9))
        return str(
            cli.spec(SPEC.format(name=NAME, wanted=self.wanted, files=files, work=self.work))
        )

    def left(self) -> list[int]:
        """Processes that the workload has started."""
        return [pid for pid, where in each("cwd") if where == str(self.work)]

    def differences(self) -> dict[str, Any]:
        """What is not as it was."""
        now = self.look()
        return {
            name: now.get(name)
            for name in {*now, *self.before}
            if now.get(name) != self.before.get(name)
        }


def each(what: str) -> Iterator[tuple[int, str]]:
    """Every process with a link or a text of its folder below /proc."""
    for folder in Path("/proc").glob("[0-9]*"):
        path = folder / what
        with suppress(OSError):
            said = (
                str(path.readlink())
                if what in ("cwd", "exe")
                else path.read_bytes().decode(errors="replace")
            )
            yield int(folder.name), said


def kill(pids: list[int]) -> None:
    for pid in pids:
        if pid != os.getpid():
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)


def agents(state: Path) -> list[int]:
    """Every process of the host's program: on the link, of a trial, of a lease."""
    return [pid for pid, said in each("cmdline") if "\0-I\0-S\0-c\0" in said and str(state) in said]


def sessions(server: Sshd) -> list[int]:
    """What serves the connections of an sshd: its children, and theirs that are sshd too."""
    parents = {}
    for pid, said in each("stat"):
        parents[pid] = (
            int(said.rpartition(")")[2].split()[1]),
            said.partition("(")[2].rpartition(")")[0],
        )
    found = [pid for pid, (parent, _) in parents.items() if parent == server.process.pid]
    below = [
        p for p, (parent, name) in parents.items() if parent in found and name.startswith("sshd")
    ]
    return [*found, *below]


def work(agent: Agent, scene: Scene, trial: str) -> None:
    """Converge, a trial whose workload leaves a child in a session of its own, restore."""
    held = hold("test:1")
    converge(agent, scene.cells(), held=held)
    argv = ["sh", "-c", f"cd {scene.work} && setsid sleep 600 & sleep 0.2"]
    program = {
        "program": "trial", "trial": trial, "hold": held, "network": "host",
        "sample": {"hz": 10, "reads": []}, "stop": {"signal": "TERM", "grace_s": 1},
        "workload": {"argv": argv, "run": "once"}, "abort": {},
    }  # fmt: skip
    for _ in agent.run(program):
        pass
    restore(agent)


def put_back(agent: Agent) -> None:
    """As a user does it: again, where what was killed has not let go yet."""
    for last in (False, False, True):
        try:
            found = restore(agent)
        except HostBusy:
            if last:
                raise
            continue
        assert [r for r in found if r.failed] == []
        return


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    needs_root_and_memory_group()
    before = KEY.read_text()
    found = Scene(tmp_path)
    yield found
    kill(found.left())
    KEY.write_text(before)


@pytest.mark.parametrize("way", ["local", "ssh"])
@pytest.mark.parametrize("victim", ["agents", "sshd"])
def test_the_host_loses_a_process(
    request: pytest.FixtureRequest, scene: Scene, tmp_path: Path, victim: str, way: str
) -> None:
    if (victim, way) == ("sshd", "local"):
        pytest.skip("no sshd on this way")
    state = tmp_path / "state"
    server: Sshd | None = request.getfixturevalue("sshd") if way == "ssh" else None
    transport: Transport = server.transport(tmp_path) if server else LocalTransport()
    agent = Agent(transport, run_id=RUN, state_dir=str(state))
    work(agent, scene, "t0")
    began = time.monotonic()
    work(agent, scene, "t1")
    whole_s = time.monotonic() - began
    assert scene.differences() == {}
    victims: Callable[[], list[int]] = (
        (lambda: agents(state))
        if victim == "agents" or server is None
        else (lambda: sessions(server))
    )
    hit = 0
    for point in range(POINTS):
        over = threading.Event()
        blow = Blow(whole_s * (point + 0.5) / POINTS, victims, over)
        blow.start()
        with suppress(RunnerError):
            work(agent, scene, f"p{point}")
        over.set()
        blow.join()
        hit += blow.hit
        put_back(agent)
        assert scene.differences() == {}, f"point {point} of {POINTS}"
        until(lambda: not scene.left(), 10)
        assert not (state / "journal.jsonl").exists()
    assert hit > POINTS / 3
    transport.close()


class Blow(threading.Thread):
    """Kills whoever is there after a while, or comes next."""

    def __init__(
        self, after_s: float, victims: Callable[[], list[int]], over: threading.Event
    ) -> None:
        super().__init__(daemon=True)
        self._after_s, self._victims, self._over = after_s, victims, over
        self.hit = False

    def run(self) -> None:
        self._over.wait(self._after_s)
        while not self._over.is_set() and not self.hit:
            pids = self._victims()
            kill(pids)
            self.hit = bool(pids)


@pytest.mark.parametrize("way", ["local", "ssh"])
def test_the_controller_is_killed(
    request: pytest.FixtureRequest, scene: Scene, tmp_path: Path, way: str
) -> None:
    cli: Cli = request.getfixturevalue(way)
    spec = scene.spec(cli)
    cli("apply", spec)
    began = time.monotonic()
    cli("apply", spec)
    whole_s = time.monotonic() - began
    assert scene.differences() == {}
    hit = 0
    for point in range(POINTS):
        controller = cli.start("apply", spec)
        time.sleep(whole_s * (point + 0.5) / POINTS)
        hit += controller.poll() is None
        controller.kill()
        controller.communicate(timeout=60)
        cli("restore")
        assert scene.differences() == {}, f"point {point} of {POINTS}"
        until(lambda: not scene.left(), 10)
    assert hit > POINTS / 3
