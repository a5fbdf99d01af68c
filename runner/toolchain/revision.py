"""The sources of a build at a git revision: a clean tree of it, once per commit."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import ToolchainError
from runner.toolchain.process import run_process, sha256_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.toolchain.process import Run


@dataclass(frozen=True)
class Tree:
    """A folder of a repository as it is at one commit."""

    folder: Path
    commit: str
    """The full hash."""


def environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Give the caller's environment, less what would lead git elsewhere or make it ask."""
    base = os.environ if environ is None else environ
    kept = {k: v for k, v in base.items() if not k.startswith("GIT_")}
    return kept | {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


def tree(folder: Path, ref: str, cache: Path, run: Run = run_process) -> Tree:
    """Give `folder` as it is at `ref`, unpacked under `cache`; ToolchainError says what is wrong.

    Files are those that git has, with its own line-end rules; submodules stay empty.
    """
    env = environment()
    git = ["git", "-C", str(folder), "-c", "core.fsmonitor=false"]
    top = run([*git, "rev-parse", "--show-toplevel"], env=env)
    if top.code != 0:
        raise ToolchainError(
            f"build.ref {ref}: {folder} is not in a git repository", fix="git init, and commit"
        )
    asked = run(
        [*git, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"], env=env
    )
    commit = asked.stdout.strip()
    if asked.code != 0 or not commit:
        raise ToolchainError(
            f"build.ref {ref} is not a revision of the repository of {folder}",
            fix="git log --oneline lists them; a branch of a remote has to be fetched first",
        )
    root = Path(top.stdout.rstrip("\n"))
    store = cache / "sources"
    final = store / commit
    if not final.is_dir():
        store.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=store, prefix=".tree-") as name:
            unpacked = Path(name) / "tree"
            unpacked.mkdir()
            own = env | {"GIT_INDEX_FILE": str(Path(name) / "index")}
            for words in (["read-tree", commit], ["checkout-index", "-a", f"--prefix={unpacked}/"]):
                done = run(["git", "-C", str(root), *words], env=own, timeout_s=600.0)
                if done.code != 0:
                    raise ToolchainError(f"git {words[0]} of {ref} failed: {done.tail}")
            try:
                unpacked.rename(final)
            except OSError:
                if not final.is_dir():  # else another process was faster
                    raise
    place = final / folder.resolve().relative_to(root.resolve())
    if not place.is_dir():
        raise ToolchainError(
            f"build.ref {ref}: {folder.name}/ is not there at that revision",
            fix="name a revision that has it",
        )
    return Tree(place, commit)


def working_tree(folder: Path, run: Run = run_process) -> str:
    """Name the working tree as it is: its commit, with a hash of what is not committed.

    `COMMIT`, or `COMMIT+HASH` where files differ from it or are not known to git; empty where the
    folder is in no repository.
    """
    env = environment()
    git = ["git", "-C", str(folder), "-c", "core.fsmonitor=false", "-c", "core.quotePath=false"]
    head = run([*git, "rev-parse", "--verify", "--quiet", "HEAD"], env=env)
    if head.code != 0:
        return ""
    diff = run([*git, "diff", "--no-ext-diff", "--no-textconv", "--binary", "HEAD"], env=env)
    new = run([*git, "ls-files", "--others", "--exclude-standard", "-z", "--full-name"], env=env)
    top = Path(run([*git, "rev-parse", "--show-toplevel"], env=env).stdout.rstrip("\n"))
    names = sorted(filter(None, new.stdout.split("\0")))
    commit = head.stdout.strip()
    if not diff.stdout and not names:
        return commit
    digest = hashlib.sha256(diff.stdout.encode("utf-8", "surrogateescape"))
    for name in names:
        path = top / name
        content = sha256_of(path) if path.is_file() else "-"
        digest.update(f"\0{name}\0{content}".encode("utf-8", "surrogateescape"))
    return f"{commit}+{digest.hexdigest()[:12]}"


def commits(
    folder: Path, good: str, bad: str, run: Run = run_process
) -> tuple[tuple[str, str], ...]:
    """Give hash and subject of `good` and of every commit after it up to `bad`, oldest first.

    Of a merge the first parent is followed: what came by it came with the merge.
    """
    git = ["git", "-C", str(folder), "-c", "core.fsmonitor=false"]
    env = environment()
    ends: list[tuple[str, str]] = []
    for ref in (good, bad):
        words = ["log", "-1", "--format=%H%x09%s", "--end-of-options", f"{ref}^{{commit}}"]
        shown = run([*git, *words], env=env)
        if shown.code != 0:
            raise ToolchainError(
                f"{ref} is not a revision of the repository of {folder}",
                fix="git log --oneline lists them; a branch of a remote has to be fetched first",
            )
        ends.append(_commit(shown.stdout.rstrip("\n")))
    (one, _), (other, _) = ends
    if run([*git, "merge-base", "--is-ancestor", one, other], env=env).code != 0 or one == other:
        raise ToolchainError(
            f"{good} is no ancestor of {bad}: there is no row of commits from one to the other",
            fix="name a good commit that the bad one was built on",
        )
    words = ["log", "--first-parent", "--reverse", "--format=%H%x09%s", f"{one}..{other}"]
    return (ends[0], *map(_commit, run([*git, *words], env=env).stdout.splitlines()))


def _commit(line: str) -> tuple[str, str]:
    name, _, subject = line.partition("\t")
    return name, subject


def copy(folder: Path, names: tuple[str, ...], target: Path) -> None:
    """Copy files and folders into `target`, links as links; ToolchainError where one is absent."""
    base = folder.resolve()
    for name in names:
        source = base / name
        if not source.resolve().is_relative_to(base):
            raise ToolchainError(
                f"build.sources {name} lies outside the spec's folder",
                fix="keep sources beside the spec",
            )
        place = target / name
        if source.is_dir():
            shutil.copytree(source, place, symlinks=True, dirs_exist_ok=True, ignore=_not_sources)
        elif source.is_file():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, place)
        else:
            raise ToolchainError(
                f"build.sources {name} is not there, in {folder}",
                fix="sources are files and folders, relative to the spec's file",
            )


def _not_sources(folder: str, names: list[str]) -> set[str]:
    del folder
    return {name for name in names if name in {".git", "__pycache__", ".venv"}}
