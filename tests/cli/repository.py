"""A Go program in a repository, whose work takes as long as its number says."""

import subprocess

MAIN = """package main

import "fmt"

func main() {
	s := uint64(1)
	for i := 0; i < %d; i++ {
		s = s*6364136223846793005 + 1442695040888963407
	}
	fmt.Println(s)
}
"""


def git(folder, *words):
    done = subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=folder, check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout.strip()


def program(folder, body):
    (folder / "prog").mkdir(exist_ok=True)
    (folder / "prog" / "go.mod").write_text("module prog\n\ngo 1.21\n")
    (folder / "prog" / "main.go").write_text(body)


def commit(folder, message):
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)
