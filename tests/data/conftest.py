"""Run folders with known numbers, made by the store's own writer."""

from pathlib import Path

import pytest

from runner.analysis.model import Analysis, ClaimResult, Estimate, Step, Trial
from runner.records.changes import CellChange
from runner.store import analysis_file, files
from runner.store.record import RunFolder

DAY_S = 86_400.0


def make_run(
    root: Path, number: int, rss: list[float], *, experiment: str = "demo", kernel: str = "6.1",
    level: str = "50", commit: str = "c" * 40,
) -> Path:  # fmt: skip
    """Record one finished run whose metric `rss` has these values, one for each repetition."""
    run_id = f"202611{number + 1:02d}T000000Z-{number:06x}"
    folder = RunFolder.create(
        root, experiment, run_id=run_id, at=1_790_000_000.0 + number * DAY_S, spec_text="x: 1\n",
        spec={"name": experiment}, manifest={"git": {"commit": commit, "dirty": False},
        "spec_hash": "ab" * 32, "tools": {"runner": {"version": "9"}}},
    )  # fmt: skip
    folder.write_facts({"pi4": {"board.model": "Pi 4", "arch": "aarch64", "kernel.release": kernel,
                                "emulated": False, "cpu.vulnerabilities": {"a": "b"}}})  # fmt: skip
    folder.append_change(
        CellChange(
            host="pi4", id="sysctl:vm.swappiness", outcome="changed", before="60", after="10"
        )
    )
    treatment = {"gogc": level}
    trials = tuple(
        Trial(
            f"t{i}", "pi4", treatment, i, 1, "healthy", "", 1_790_000_000.0 + i,
            steps=(Step(0, "100", 100, 1.0, 2.0, "healthy",
                        numbers={"load.rps": 1000.0 + i, "procfs.rss": value, "build.id": "x/y",
                                 "board.temperature": None}),),
        )
        for i, value in enumerate(rss, 1)
    )  # fmt: skip
    middle = sorted(rss)[len(rss) // 2]
    estimate = Estimate("rss", "MiB", treatment, "100", tuple(rss), len(rss), middle,
                        (min(rss), max(rss)), 0.97)  # fmt: skip
    claim = ClaimResult("a", "1", "32 MB", "32MB", "contradicted", "above", estimate=middle,
                        unit="MiB", interval=(min(rss), max(rss)), n=len(rss))  # fmt: skip
    for i in range(1, len(rss) + 1):
        for event in ({"event": "columns", "names": ["procfs.rss", "procfs.threads"]},
                      {"event": "sample", "t": 0.5, "v": [rss[i - 1], None]}):  # fmt: skip
            folder.append_event(f"t{i}", event)
    analysis = Analysis(trials=trials, estimates=(estimate,), claims=(claim,))
    folder.write_artifact(analysis_file.NAME, files.to_json(analysis_file.to_data(analysis)))
    folder.finish("done", at=1_790_000_100.0 + number * DAY_S)
    return folder.path


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    root = tmp_path / "reports"
    make_run(root, 1, [10.0, 12.0, 11.0])
    make_run(root, 2, [20.0, 22.0, 21.0], level="100")
    return root
