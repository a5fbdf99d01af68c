"""Builds of anything: a command in a clean copy of its sources, once per content."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runner.errors import ToolchainError
from runner.toolchain.build import Build, load, publish, write_entry
from runner.toolchain.cross import TRIPLETS, c_compiler
from runner.toolchain.process import NOT_FOUND, TIMED_OUT, run_process
from runner.toolchain.revision import copy
from runner.toolchain.target import target_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.toolchain.process import Run

_BUILD_S: Final = 1800.0
_PASSED: Final = ("PATH", "LANG", "TMPDIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
"""Of the caller's environment; all else is the spec's to say."""


@dataclass(frozen=True)
class CommandRequest:
    """One command and what it makes."""

    folder: Path
    """Where the sources are."""
    command: tuple[str, ...]
    """argv, run in the root of the copy."""
    output: str
    """The program that it makes, relative to the root of the copy."""
    sources: tuple[str, ...] = (".",)
    tools: tuple[str, ...] = ()
    """Programs whose versions count, beside the command's own."""
    goarch: str = ""
    """What it is built for, by Go's name; empty: this machine."""
    env: Mapping[str, str] = field(default_factory=dict)


def build_command(
    request: CommandRequest,
    cache_dir: Path,
    run: Run = run_process,
    *,
    environ: Mapping[str, str] | None = None,
) -> Build:
    """Build, or return what was built of the same sources, command, tools and environment.

    For another architecture than this machine's, CC is its cross-compiler where the spec says no
    other, and TARGET its triplet (aarch64-linux-gnu). ToolchainError holds what the command said.
    """
    base = os.environ if environ is None else environ
    env = _environment(request, base)
    tools = _tools(request, env, run)
    store = cache_dir / "builds"
    store.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=store, prefix=".build-") as name:
        root = Path(name) / "src"
        root.mkdir()
        copy(request.folder, request.sources, root)
        shown = _shown(request)
        asked = {"command": request.command, "output": request.output, "env": env, "tools": tools}
        digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode())
        for line in _described(root):
            digest.update(line.encode("utf-8", "surrogateescape") + b"\0")
        final = store / f"command-{digest.hexdigest()}"
        if (cached := load(final)) is not None:
            return cached
        home = Path(name) / "home"
        home.mkdir()
        started = time.monotonic()
        ran = run(
            request.command, env={**env, "HOME": str(home)}, cwd=root, timeout_s=_BUILD_S
        )  # fmt: skip
        seconds = time.monotonic() - started
        output = "\n".join(text for text in (ran.stdout.rstrip(), ran.stderr.rstrip()) if text)
        output = output.replace(str(root), ".")
        binary = root / request.output
        if (
            ran.code != 0
            or not binary.is_file()
            or not binary.resolve().is_relative_to(root.resolve())
        ):
            _refuse(ran.code, shown, output, request)
        temporary = Path(name) / "out"
        temporary.mkdir()
        shutil.copyfile(binary, temporary / "binary")
        write_entry(temporary, shown, output, seconds, how="command", tools=tools)
        kept = publish(temporary, final)
    if kept is None:
        raise ToolchainError(f"the build cache {store} does not keep what is written to it")
    return Build(**{**vars(kept), "cached": False})


def _environment(request: CommandRequest, base: Mapping[str, str]) -> dict[str, str]:
    env = {name: base[name] for name in _PASSED if base.get(name)}
    env |= {"LC_ALL": "C", "SOURCE_DATE_EPOCH": "0"}
    own = target_of(os.uname().machine).goarch
    if request.goarch and request.goarch != own:
        env["TARGET"] = TRIPLETS.get(request.goarch, request.goarch)
        asked = {"CGO_ENABLED": "1", "GOOS": "linux", "GOARCH": request.goarch, **request.env}
        env |= c_compiler(asked, env.get("PATH"), named="build.command")
    return {**env, **request.env}


def _tools(request: CommandRequest, env: Mapping[str, str], run: Run) -> dict[str, str]:
    """Give what each tool says of its version; ToolchainError names those that are not here."""
    names = list(dict.fromkeys((*request.tools, *([env["CC"]] if "CC" in env else []))))
    missing = [name for name in names if shutil.which(name, path=env.get("PATH")) is None]
    if missing:
        raise ToolchainError(
            f"build.tools: no {', '.join(missing)} on this machine",
            fix=f"sudo apt install {' '.join(missing)}, or what they are called here",
        )
    versions = {}
    for name in names:
        ran = run([name, "--version"], env=env, timeout_s=20.0)
        output = f"{ran.stdout}\n{ran.stderr}".splitlines()
        lines = [line.strip() for line in output if line.strip()]
        versions[name] = lines[0][:200] if lines and ran.code == 0 else "unknown (no --version)"
    return versions


def _described(root: Path) -> Iterator[str]:
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            yield f"{name} -> {path.readlink()}"
        elif path.is_file():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            yield f"{name} {os.access(path, os.X_OK)} {digest}"


def _shown(request: CommandRequest) -> str:
    settings = [f"{name}={shlex.quote(value)}" for name, value in request.env.items()]
    return " ".join([*settings, shlex.join(request.command)])


def _refuse(code: int, shown: str, output: str, request: CommandRequest) -> None:
    fix = "the lines above are its own"
    if code == TIMED_OUT:
        why = f"did not end within {_BUILD_S:g} s"
    elif code == NOT_FOUND:
        why = "could not be started"
        fix = f"install {request.command[0]}; it runs in a clean copy of build.sources"
    elif code == 0:
        why = f"made no {request.output}"
        fix = "build.output is what it makes, relative to the spec's folder"
    else:
        why = f"ended with exit code {code}"
    raise ToolchainError(f"{shown}\n{output}\nThe build {why}", fix=fix)
