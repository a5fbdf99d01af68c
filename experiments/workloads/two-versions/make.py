"""Make a repository of a small Go program, of which the last commit made it 3 % slower.

python3 experiments/workloads/two-versions/make.py FOLDER
cd FOLDER
runner apply two-versions.yaml --against HEAD~1 --threshold 1%   # worse, exit code 1
runner apply two-versions.yaml --against same --threshold 1%     # no worse, exit code 0

The program does so many steps of one dependent multiplication: no memory, no system calls, so its
CPU time follows their number. `HEAD~1` does 400 million, `HEAD` 412 million. The branch `same`
is `HEAD` with another comment: what there is to find between them is nothing.
"""

import subprocess
import sys
from pathlib import Path

STEPS = 400_000_000
SLOWER = STEPS * 103 // 100
MAIN = """// {said}
package main

import "fmt"

func main() {{
	s := uint64(1)
	for i := 0; i < {steps}; i++ {{
		s = s*6364136223846793005 + 1442695040888963407
	}}
	fmt.Println(s)
}}
"""
SPEC = """\
schema: experiment/1
name: two-versions
description: A small Go program beside an earlier revision of itself, built alike, in interleaved blocks.
build: {go: "1.22.10", package: ./prog}
workload: {argv: ["{binary}"], run: once}
repeat: {between: [30, 30], order: {by: blocks, seed: 1}}
metrics: {cpu: {from: workload.user_cpu, unit: ms, better: lower}}
"""  # noqa: E501


def git(folder: Path, *words: str) -> None:
    """Run git as nobody in particular."""
    subprocess.run(
        ["git", "-c", "user.name=runner", "-c", "user.email=runner@localhost", *words],
        cwd=folder, check=True,
    )  # fmt: skip


def commit(folder: Path, steps: int, said: str) -> None:
    """Commit the program with so many steps."""
    (folder / "prog" / "main.go").write_text(MAIN.format(said=said, steps=steps))
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", said)


def main() -> None:
    """Make the folder that is named."""
    folder = Path(sys.argv[1])
    (folder / "prog").mkdir(parents=True)
    (folder / "prog" / "go.mod").write_text("module prog\n\ngo 1.21\n")
    (folder / "two-versions.yaml").write_text(SPEC)
    (folder / ".gitignore").write_text("reports/\n")
    git(folder, "init", "-q", "-b", "main")
    commit(folder, STEPS, "as it was")
    git(folder, "checkout", "-q", "-b", "same")
    commit(folder, SLOWER, "the same as the last of main")
    git(folder, "checkout", "-q", "main")
    commit(folder, SLOWER, "three percent more steps")


if __name__ == "__main__":
    main()
