"""Many boards from one controller: how much longer 16 take than one, and what a board costs here.

python -m benchmarks.lab.run [--boards 16] [--trials 3] [--seconds 20] > benchmarks/lab/results.md

A board is a pid and mount namespace of this machine with an sshd of its own (tests/apply/
machine.py); its trial sleeps, sampled at 10 Hz. So the boards' agents and the controller share
two cores here, which real boards do not: the ratio is an upper bound. CPU and memory are those of
the controller's process, by wait4(2).
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.environment import environment
from tests.apply.machines import Machine, lab_of
from tests.workers import HOLDS

SPEC = """\
schema: experiment/1
name: sleeping
hosts: {{server: {servers}}}
workload: {{argv: [sleep, "{seconds}"], run: once}}
repeat: {{per_board: {trials}}}
metrics: {{wall: {{from: workload.wall, unit: s}}, rss: {{from: procfs.rss, unit: MiB}}}}
"""


def run(cli, servers, trials, seconds):
    """Give wall seconds, CPU seconds, resident bytes, and the mean of the trials that count."""
    spec = cli.spec(SPEC.format(servers=json.dumps(servers), trials=trials, seconds=seconds))
    began = time.monotonic()
    process = subprocess.Popen(
        cli.argv("apply", str(spec), "-q"), cwd=Path(__file__).parents[2], env=cli.env(),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    report = process.stdout.read().strip()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    if status:
        sys.exit(f"apply ended with status {status}")
    found = json.loads((Path(report).parent / "analysis.json").read_text())
    healthy = sum(one["outcome"] == "healthy" for one in found["trials"])
    assert healthy == trials * len(servers), healthy
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--boards", type=int, default=16)
    parser.add_argument("--trials", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=20)
    args = parser.parse_args()
    head = environment()
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        holds = Path(HOLDS)
        holds.mkdir()
        boards = {f"b{n}": Machine(folder / f"b{n}") for n in range(args.boards)}
        try:
            cli = lab_of(folder, boards)
            names = list(boards)
            run(cli, names, 1, 1)  # the agent is sent
            one = run(cli, names[:1], args.trials, args.seconds)
            all_ = run(cli, names, args.trials, args.seconds)
            short = run(cli, names, args.trials, 1)
        finally:
            for board in boards.values():
                board.stop()
            holds.rmdir()
    n = args.boards * args.trials
    board_s = args.boards * args.trials * (args.seconds - 1)
    print("# A lab from one controller\n")
    print(head)
    print(f"\n`python -m benchmarks.lab.run --boards {args.boards} --trials {args.trials} --seconds "
          f"{args.seconds}`; the boards are namespaces of this machine, so their agents' CPU time is "
          "in\nthe walls, as it would not be with boards.\n")  # fmt: skip
    print(
        "| boards | trials each | a trial sleeps | wall, s | CPU of the controller, s | its memory |"
    )
    print("|--:|--:|--:|--:|--:|--:|")
    rows = ((1, one, args.seconds), (args.boards, all_, args.seconds), (args.boards, short, 1))
    for boards_, (wall, cpu, memory), seconds in rows:
        print(
            f"| {boards_} | {args.trials} | {seconds} s | {wall:.1f} | {cpu:.2f} | {memory / 1e6:.0f} MB |"
        )
    ratio = all_[0] / one[0]
    streamed = 1000 * (all_[1] - short[1]) / board_s
    a_trial = 1000 * (short[1] - one[1]) / (n - args.trials)
    a_board = (all_[2] - one[2]) / 1e6 / (args.boards - 1)
    for text, value, goal, unit in (
        (
            f"{args.boards} boards doing {args.boards} N trials, beside one doing N",
            ratio,
            1.15,
            "×",
        ),
        ("CPU of the controller a trial, all of a board's set-up included", a_trial, 30, "ms"),
        ("CPU of the controller a board-second streamed at 10 Hz", streamed, 30, "ms"),
        ("memory of the controller a board", a_board, 4, "MB"),
    ):
        reached = "reached" if value <= goal else "not reached"
        print(f"- {text}: at most {goal} {unit}: {reached} ({value:.2f} {unit})")


if __name__ == "__main__":
    main()
