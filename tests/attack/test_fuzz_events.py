"""Streams of events of a host that is broken or means harm: a clear error or a record, and no fault."""

from __future__ import annotations

import gzip
import os
import random
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runner.analysis.judge import judge
from runner.apply.putback import doubtful, failures
from runner.errors import RunnerError
from runner.executor.agent import Agent
from runner.executor.converge import converge
from runner.executor.host import status
from runner.executor.probe import probe
from runner.executor.restore import restore
from runner.executor.trial import Backoff, attach_trial
from runner.report.pages import rebuild
from runner.store.experiment import experiment_of
from runner.store.record import RunFolder
from runner.transports.lines import split
from tests.attack import mutate
from tests.attack.conftest import points
from tests.host.agent import Host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from runner.transports.bounds import Bounds

REPORTS = Path(__file__).parents[2] / "reports"
RECORDS = ("quickstart", "memory-map", "certificate-rotation", "prometheus-watermark", "huge-pages")
STREAMS = points(3000, 98_000)
RECORDED = points(12, 2000)
pytestmark = pytest.mark.timeout(7200)


class Played:
    """A channel on which a host says these bytes, whatever it is told."""

    def __init__(self, data: bytes, code: int | None) -> None:
        self._data, self._code = data, code

    def write(self, data: bytes) -> None:
        del data

    def close_stdin(self) -> None: ...

    def lines(self, bounds: Bounds) -> Iterator[bytes]:
        chunks = iter([self._data, b""])
        return split(lambda _: next(chunks), bounds)

    def stderr(self) -> str:
        return "\x1b[31mTraceback (most recent call last)"

    def exit_code(self, timeout_s: float = 10.0) -> int | None:
        del timeout_s
        return self._code

    def link_alive(self) -> bool:
        return self._code is not None

    def close(self, grace_s: float = 0) -> None: ...


class Hostile:
    """A transport to such a host."""

    name, python, is_root, execs = "board", "python3", True, 0

    def __init__(self) -> None:
        self.data, self.code = b"", 0

    def start(self, argv: Sequence[str]) -> Any:
        del argv
        return Played(self.data, self.code)

    def close(self) -> None: ...


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[bytes]]:
    """What the real agent says to each program."""

    folder = tmp_path_factory.mktemp("host")
    host = Host(folder / "state")
    cell = {"id": "file:x", "via": "file", "path": str(folder / "x"), "form": "exact", "runtime": False,
            "want": {"type": "file", "bytes_b64": "eA==", "mode": 0o600}}  # fmt: skip

    def lines(ask: Callable[[Host], Any]) -> list[bytes]:
        import json

        return [json.dumps(event).encode() + b"\n" for event in ask(host).events]

    return {
        "probe": lines(lambda h: h.probe(facts=True)),
        "converge": lines(lambda h: h.converge(cell)),
        "status": lines(lambda h: h.ask({"program": "status"})),
        "restore": lines(lambda h: h.restore()),
    }


def test_programs_end_in_an_answer_or_in_one_error(said: dict[str, list[bytes]]) -> None:
    """No event of a host raises anything but an error of runner's own, and none is silent."""
    transport = Hostile()
    agent = Agent(transport, run_id="r1")
    cell: Any = {"id": "file:x", "via": "file", "path": "/nowhere/x", "form": "exact", "want": None}
    asks: dict[str, Callable[[], object]] = {
        "probe": lambda: probe(agent, [cell]),
        "converge": lambda: converge(agent, [cell]),
        "status": lambda: status(agent),
        "restore": lambda: restore(agent),
    }
    ended = {"answer": 0, "error": 0}
    for seed in range(STREAMS):
        rng = random.Random(seed)
        name = rng.choice(list(asks))
        transport.data = mutate.lines(rng, said[name])
        transport.code = rng.choice((0, 0, 1, -9, 64, 127, None))
        try:
            found = asks[name]()
        except RunnerError as error:
            assert error.message, seed  # noqa: PT017
            ended["error"] += 1
            continue
        except Exception as fault:
            raise AssertionError(f"seed {seed}: {name}") from fault
        if name in ("converge", "restore"):
            failures({}, found)  # type: ignore[arg-type]
            doubtful([], found)  # type: ignore[arg-type]
        ended["answer"] += 1
    assert ended["error"] > STREAMS / 10
    assert ended["answer"] > STREAMS / 20


def test_a_record_made_of_anything_can_be_judged_and_read(tmp_path: Path) -> None:
    """What came of a trial's stream is a record; its report is written, or refused by one error."""
    transport = Hostile()
    records = [_copy(name, tmp_path) for name in RECORDS]
    read = 0
    for seed in range(RECORDED):
        rng = random.Random(seed)
        folder, trial, lines = rng.choice(records)
        transport.data = mutate.lines(rng, lines)
        transport.code = rng.choice((0, None, -9))
        spool = folder / "events" / f"{trial}.jsonl"
        spool.unlink(missing_ok=True)
        try:
            agent = Agent(transport, run_id=folder.name)
            _attach(agent, trial, spool)
            record = RunFolder.open(folder)
            experiment = experiment_of(record)
            found = judge(record, experiment)
            rebuild.write_analysis(record, found)
            if seed % 10 == 0:
                rebuild.write(record, found)
        except RunnerError as error:
            assert error.message, seed  # noqa: PT017
            continue
        except Exception as fault:
            shutil.copy(spool, tmp_path / "spool") if spool.exists() else None
            raise AssertionError(f"seed {seed}: {folder.parent.name}") from fault
        read += 1
    assert read > RECORDED / 2


def _attach(agent: Agent, trial: str, spool: Path) -> None:
    from contextlib import suppress

    with suppress(RunnerError):
        attach_trial(agent, trial, lambda _: None, spool, sleep=lambda _: None, backoff=Backoff(1))


def _copy(name: str, tmp_path: Path) -> tuple[Path, str, list[bytes]]:
    """A recorded run with its first trial alone, whose stream is played."""
    source = min((REPORTS / name).iterdir())
    folder = tmp_path / name / source.name
    shutil.copytree(source, folder)
    first, *others = sorted((folder / "events").glob("*.jsonl.gz"), key=os.path.getsize)
    lines = gzip.decompress(first.read_bytes()).splitlines(keepends=True)
    for path in (first, *others[3:]):
        path.unlink()
    return folder, first.name.partition(".")[0], lines
