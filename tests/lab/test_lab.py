"""Forty trials through a real Slurm while its parts are killed: each exactly once, boards put back.

slurmctld, slurmd for each board, munged, and four sshd in namespaces of their own.
"""

import itertools
import json
import shutil
import subprocess
import time
from collections import Counter

import pytest

from tests.apply.machines import CONTENT, declaring
from tests.lab.queue import BOARDS as BOARD_NAMES
from tests.lab.queue import Queue, cut, stop_submitter

pytestmark = [pytest.mark.lab, pytest.mark.timeout(340)]
BOARDS = "{any: lab, tags: [pi4]}"


@pytest.fixture(scope="module")
def queue(tmp_path_factory):
    for program in ("slurmctld", "slurmd", "munged", "sbatch"):
        if shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin") is None:
            pytest.skip(f"{program} is not installed: make test-lab")
    made = Queue(tmp_path_factory.mktemp("lab"))
    yield made
    made.stop()


def written(queue, name):
    return queue.cli.spec(declaring(name, f"cat {CONTENT}; sleep 0.5", 5, BOARDS), f"{name}.yaml")


def checked(queue, name, spec, *, each=True):
    """Bring it to its end; every trial once, none beside another on its board, all put back.

    `each`: a share went to each of the boards.
    """
    queue.finish(name, spec)
    report = queue("fetch", name, "--reports", str(queue.cli.reports)).stdout.strip()
    run = queue.cli.reports / spec.stem / name
    assert report == str(run / "artifacts" / "report.md")
    manifest = json.loads((run / "run.json").read_text())
    assert manifest["state"] == "done"
    trials = manifest["trials"]
    analysis = json.loads((run / "artifacts" / "analysis.json").read_text())
    healthy = analysis["trials"]
    good = [one for one in healthy if one["outcome"] == "healthy"]
    keys = Counter((one["repetition"], one["treatment"]["way"]) for one in good)
    assert len(keys) == 40
    assert set(keys.values()) == {1}, "every trial exactly once"
    assert {number for number, _ in keys} == set(range(1, 21))
    # one that was ended before it had an event is told of
    untold = set(trials) - {one["id"] for one in healthy}
    assert untold == {note.partition(": ")[0] for note in analysis["notes"]} & set(trials)
    used = Counter(manifest["shares"].values())
    assert sum(used.values()) == 4
    assert not each or set(used) == set(BOARD_NAMES), used
    for board in queue.boards:
        own = sorted(
            (one["started_at"], one["started_at"] + max(s["end_s"] for s in one["steps"]))
            for one in good if one["host"] == board
        )  # fmt: skip
        assert len(own) == 10 * used[board]
        assert all(end <= start for (_, end), (start, _) in itertools.pairwise(own))
    for name_, board in queue.boards.items():
        assert board.inside("cat", CONTENT) == "", f"{name_} is as it was found"
        left = board.folder / "state" / "journal.jsonl"
        assert not left.exists(), f"nothing is left to put back on {name_}"
    return manifest


def test_the_configuration_has_a_node_for_each_board(queue):
    said = queue.slurm("sinfo", "-h", "-N", "-o", "%N %f").splitlines()
    assert sorted(said) == [f"pi{n} pi4,4g,lab" for n in range(1, 5)]


@pytest.mark.parametrize("knows", [False, True], ids=["unsaved", "saved"])
def test_slurmctld_is_killed(queue, knows):
    """Before it wrote down which jobs run, when it starts some twice and forgets others; after."""
    spec = written(queue, f"ctld-{int(knows)}")
    name = queue("submit", str(spec)).stdout.strip()
    if knows:
        queue.known()
    else:
        time.sleep(4)
    queue.kill("slurmctld")
    time.sleep(1)
    assert "the queue does not answer" in queue("status", name).stderr
    queue.again("slurmctld")
    checked(queue, name, spec, each=knows)
    queue.clean()


def test_a_slurmd_is_killed(queue):
    spec = written(queue, "slurmd")
    name = queue("submit", str(spec)).stdout.strip()
    time.sleep(5)
    queue.kill("slurmd pi2")
    time.sleep(3)
    queue.again("slurmd pi2")
    checked(queue, name, spec)


def test_the_sshd_of_a_board_is_cut(queue):
    spec = written(queue, "sshd")
    name = queue("submit", str(spec)).stdout.strip()
    time.sleep(6)
    cut(queue.boards["pi3"], 3)
    checked(queue, name, spec)


def test_the_submitter_is_killed(queue):
    """In the middle of queueing; what it has named is gone on with, what was queued is not twice."""
    spec = written(queue, "submitter")
    process = subprocess.Popen(
        [*queue.cli.argv("report")[:-1], "lab", "submit", str(spec), *queue.cli.words, "--lab",
         str(queue.lab)],
        cwd=queue.folder, env=queue.env(), text=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    name = process.stdout.readline().strip()
    stop_submitter(process)
    queue("submit", str(spec), "--again", name)
    queue("submit", str(spec), "--again", name)
    checked(queue, name, spec)


def test_a_cancelled_submission_puts_its_boards_back_and_goes_on(queue):
    spec = written(queue, "cancelled")
    name = queue("submit", str(spec)).stdout.strip()
    time.sleep(5)
    queue("cancel", name)
    checked(queue, name, spec)
