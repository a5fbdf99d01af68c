"""Building Go programs and test binaries, once per content."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import ToolchainError
from runner.toolchain.cross import c_compiler
from runner.toolchain.elf import read_elf
from runner.toolchain.process import NOT_FOUND, TIMED_OUT, run_process, sha256_of
from runner.toolchain.sources import build_environment, build_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.toolchain.go import Toolchain
    from runner.toolchain.process import Run

_BUILD_S = 1800.0


@dataclass(frozen=True)
class BuildRequest:
    """One program and how it is to be built."""

    package_dir: Path
    """Folder the command runs in; its module is the program's."""
    package: str = "."
    """As Go takes it: `.`, `./pingserver`, an import path."""
    goos: str = ""
    goarch: str = ""
    """Empty: the machine's own."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Further variables, for example CGO_ENABLED; wins over everything."""
    ldflags: tuple[str, ...] = ()
    gcflags: tuple[str, ...] = ()
    asmflags: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    trimpath: bool = False
    race: bool = False
    """With the race detector, which needs cgo."""
    flags: tuple[str, ...] = ()
    """Further flags, as they are."""
    test: bool = False
    """Build the package's test binary (`go test -c`), for benchmarks."""


@dataclass(frozen=True)
class Build:
    """A program that was built, now or before."""

    path: Path
    sha256: str
    size: int
    build_id: str
    cached: bool
    command: str
    """What a person would type in `package_dir`."""
    stderr: str
    """What the compiler said, with `-m` its escape analysis; kept with the output."""
    seconds: float
    """Time that the build took when it was made."""
    toolchain: str
    """Version of Go."""
    how: str
    """Where that Go came from: path, gotoolchain or wheel."""
    sections: dict[str, int]
    stripped: bool | None
    dynamic: bool | None
    machine: str
    """GOARCH that the file is for; empty where it is not an ELF file."""
    tools: dict[str, str] = field(default_factory=dict)
    """Of a build by command: what each tool says of its version."""
    source: str = ""
    """The git commit that it was built from; with `+` and a hash where files differ from it."""


def build(
    request: BuildRequest,
    toolchain: Toolchain,
    cache_dir: Path,
    run: Run = run_process,
    *,
    environ: Mapping[str, str] | None = None,
) -> Build:
    """Build, or return what was built of the same content before."""
    folder = request.package_dir.resolve()
    if not folder.is_dir():
        raise ToolchainError(
            f"no folder {request.package_dir} to build in",
            fix="build.package names a folder beside the spec",
        )
    base = os.environ if environ is None else environ
    chosen = _chosen(request)
    chosen |= c_compiler(chosen, base.get("PATH"))
    env = build_environment(base, {**chosen, **toolchain.env}, toolchain.path, run, folder)
    plain = {**asdict(request), "package_dir": "", "env": dict(request.env)}
    plain |= {"toolchain": [toolchain.version, toolchain.sha256]}
    key = build_key(go=toolchain.path, env=env, cwd=folder, request=plain, run=run)
    store = cache_dir / "builds"
    store.mkdir(parents=True, exist_ok=True)
    if key is not None and (cached := load(store / key)) is not None:
        return cached
    with tempfile.TemporaryDirectory(dir=store, prefix=".build-") as name:
        temporary = Path(name) / "out"
        temporary.mkdir()
        output = temporary / "binary"
        argv = _argv(request, str(toolchain.path), str(output))
        shown = _shown(request, chosen)
        started = time.monotonic()
        ran = run(argv, env=env, cwd=folder, timeout_s=_BUILD_S)
        seconds = time.monotonic() - started
        output_text = "\n".join(text for text in (ran.stdout.rstrip(), ran.stderr.rstrip()) if text)
        # generic code is named with its file in the toolchain, which is in a user's own cache
        output_text = output_text.replace(str(toolchain.path.parent.parent), "$GOROOT")
        if ran.code != 0 or not output.is_file():
            _refuse(ran.code, shown, output_text, request)
        write_entry(
            temporary, shown, output_text, seconds, how=toolchain.how, toolchain=toolchain.version
        )
        # without a key nothing can be found again: the hash of the output names it
        final = store / (key or f"unkeyed-{sha256_of(output)}")
        built = publish(temporary, final)
    if built is None:
        raise ToolchainError(f"the build cache {store} does not keep what is written to it")
    return Build(**{**vars(built), "cached": False})


def publish(temporary: Path, final: Path) -> Build | None:
    """Move what was built to where it is found again; None where the cache does not keep it."""
    try:
        temporary.rename(final)
    except OSError:
        if (cached := load(final)) is not None:  # another process was faster
            return cached
        shutil.rmtree(final, ignore_errors=True)  # damaged
        temporary.rename(final)
    return load(final)


def _chosen(request: BuildRequest) -> dict[str, str]:
    asked = {"GOOS": request.goos, "GOARCH": request.goarch}
    if request.goarch == "arm":
        asked["GOARM"] = "7"
    return {k: v for k, v in asked.items() if v} | {k: str(v) for k, v in request.env.items()}


def _argv(request: BuildRequest, go: str, output: str) -> list[str]:
    return [
        *([go, "test", "-c"] if request.test else [go, "build"]),
        *(["-trimpath"] if request.trimpath else []),
        *([f"-tags={','.join(request.tags)}"] if request.tags else []),
        *([f"-ldflags={' '.join(request.ldflags)}"] if request.ldflags else []),
        *([f"-gcflags={' '.join(request.gcflags)}"] if request.gcflags else []),
        *([f"-asmflags={' '.join(request.asmflags)}"] if request.asmflags else []),
        *(["-race"] if request.race else []),
        *request.flags,
        *("-o", output, request.package),
    ]


def _shown(request: BuildRequest, chosen: Mapping[str, str]) -> str:
    name = Path(request.package).name or request.package_dir.resolve().name
    if request.test:
        name += ".test"
    settings = [f"{k}={shlex.quote(v)}" for k, v in chosen.items()]
    return " ".join([*settings, shlex.join(_argv(request, "go", name))])


def _refuse(code: int, shown: str, output: str, request: BuildRequest) -> None:
    if code == TIMED_OUT:
        why = f"did not end within {_BUILD_S:g} s"
    elif code == NOT_FOUND:
        why = "could not be started"
    elif code == 0:
        why = "wrote no program (a package without test files?)"
    else:
        why = f"ended with exit code {code}"
    raise ToolchainError(
        f"{shown}\n{output}\nThe build {why}, in {request.package_dir}",
        fix="the lines above are the compiler's own",
    )


def write_entry(
    folder: Path,
    command: str,
    stderr: str,
    seconds: float,
    *,
    how: str,
    toolchain: str = "",
    tools: Mapping[str, str] | None = None,
) -> None:
    """Write what is known of `folder/binary` beside it."""
    output = folder / "binary"
    output.chmod(0o755)
    elf = read_elf(output)
    entry: dict[str, object] = {
        "sha256": sha256_of(output),
        "size": output.stat().st_size,
        "build_id": elf.build_id if elf else "",
        "command": command,
        "stderr": stderr,
        "seconds": round(seconds, 3),
        "toolchain": toolchain,
        "how": how,
        "sections": elf.sections if elf else {},
        "stripped": elf.stripped if elf else None,
        "dynamic": elf.dynamic if elf else None,
        "machine": elf.machine if elf else "",
        "tools": dict(tools or {}),
    }
    text = json.dumps(entry, indent=1) + "\n"
    (folder / "build.json").write_text(text, encoding="utf-8")


def load(folder: Path) -> Build | None:
    """Return a build kept before; None when there is none or it was damaged."""
    output = folder / "binary"
    try:
        entry = json.loads((folder / "build.json").read_text(encoding="utf-8"))
        if sha256_of(output) != entry["sha256"]:
            return None
        return Build(path=output, cached=True, **entry)
    except (OSError, ValueError, KeyError, TypeError):
        return None
