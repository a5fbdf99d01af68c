"""What made a run: git revision, dirtiness, versions of the tools. argv lists only."""

from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING

from runner.records.manifest import Git, SpecFile, Tool
from runner.toolchain.process import Run, run_process
from runner.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SHOWN = 20


def _environment() -> dict[str, str]:
    """Give the user's environment, less what would point git to another repository."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    return kept | {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


def revision(folder: Path, *, ignore: Sequence[str] = ("reports",), run: Run = run_process) -> Git:
    """Read the git revision of `folder`.

    Paths in `ignore`, from the repository's root, do not make it dirty: a run's
    own report must not.
    """
    env = _environment()
    git = ["git", "-C", str(folder), "-c", "core.fsmonitor=false", "-c", "core.quotePath=false"]
    head = run([*git, "rev-parse", "--verify", "HEAD"], env=env, timeout_s=20)
    if head.code != 0:
        why = head.tail.splitlines()[-1] if head.tail else f"git exited {head.code}"
        if why.endswith("Needed a single revision"):
            why = "the repository has no commit yet"
        return Git(None, None, why=why)
    skipped = [f":(top,exclude){path}" for path in ignore]
    argv = [*git, "status", "--porcelain=v1", "-z", "--no-renames", "--", ":(top)", *skipped]
    status = run(argv, env=env, timeout_s=60)
    if status.code != 0:
        return Git(head.stdout.strip(), None, why=status.tail)
    changed = tuple(sorted(entry[3:] for entry in status.stdout.split("\0") if entry))
    return Git(head.stdout.strip(), bool(changed), changed[:_SHOWN])


def own_revision(*, run: Run = run_process) -> str:
    """Give runner's own git revision, short, `+` where it has changes; empty where unknown.

    A checkout is asked; a wheel or sdist holds the file that its build wrote.
    """
    package = Path(__file__).resolve().parents[1]
    built = package / "_revision.txt"
    if built.is_file():
        return built.read_text(encoding="utf-8").strip()
    if not (package.parent / ".git").exists():
        return ""
    git = revision(package.parent, run=run)
    return "" if git.commit is None else git.commit[:12] + ("+" if git.dirty else "")


def committed(path: Path, text: str, *, run: Run = run_process) -> bool | None:
    """Whether the file at HEAD is exactly `text`: it was fixed before the run. None: not in git."""
    argv = ["git", "-C", str(path.parent), "show", f"HEAD:./{path.name}"]
    shown = run(argv, env=_environment(), timeout_s=20)
    return shown.stdout == text if shown.code == 0 else None


def version_of(argv: Sequence[str], *, run: Run = run_process) -> Tool:
    """First line that a tool says of its version; None with a reason where it says nothing.

    The exit code does not count: `wrk -v` exits 1.
    """
    ran = run(list(argv), env=_environment(), timeout_s=10)
    lines = [line.strip() for line in f"{ran.stdout}\n{ran.stderr}".splitlines() if line.strip()]
    if ran.code in {124, 127} or not lines:
        why = lines[0] if lines else "it printed nothing"
        return Tool(None, tuple(argv), why)
    return Tool(lines[0][:200], tuple(argv))


def tools(
    asked: Mapping[str, Sequence[str]] | None = None, *, run: Run = run_process
) -> dict[str, Tool]:
    """Versions by name: runner and Python, and those that `asked` gives an argv for."""
    versions = {"runner": Tool(__version__), "python": Tool(platform.python_version())}
    return versions | {name: version_of(argv, run=run) for name, argv in (asked or {}).items()}


def describe(
    spec_path: Path,
    spec_text: str,
    *,
    asked: Mapping[str, Sequence[str]] | None = None,
    outside: Mapping[str, str] | None = None,
    run: Run = run_process,
) -> dict[str, object]:
    """Give the manifest's keys of provenance: `spec`, `git`, `tools`.

    The path is the one from the repository's root or, outside one, the file's
    name: a record must not tell where on a machine it was made. `outside` are versions
    of the packages whose kinds the spec names.
    """
    top = run(
        ["git", "-C", str(spec_path.parent), "rev-parse", "--show-prefix"],
        env=_environment(),
        timeout_s=20,
    )
    prefix = top.stdout.strip() if top.code == 0 else ""
    return {
        "spec": SpecFile(
            prefix + spec_path.name,
            hashlib.sha256(spec_text.encode()).hexdigest(),
            committed(spec_path, spec_text, run=run),
        ),
        "git": revision(spec_path.parent, run=run),
        "tools": tools(asked, run=run)
        | {name: Tool(version) for name, version in (outside or {}).items()},
    }
