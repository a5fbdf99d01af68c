"""What a Go build depends on: its files and its settings, as one hash."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.toolchain.process import sha256_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from runner.toolchain.process import Run

# of the caller's own settings, those that say where modules come from, not what is built
KEPT = (
    *("GOPATH", "GOMODCACHE", "GOCACHE", "GOPROXY", "GONOPROXY", "GOSUMDB"),
    *("GONOSUMDB", "GOPRIVATE", "GOINSECURE", "GOVCS", "GOWORK"),
)
# settings that change what is built; part of the key
_BUILT_WITH = (
    *("GOOS", "GOARCH", "GOARM", "GOARM64", "GOAMD64", "GO386", "GORISCV64"),
    *("CGO_ENABLED", "CC", "CXX", "CGO_CFLAGS", "CGO_LDFLAGS", "GOEXPERIMENT", "GOFLAGS"),
    *("GOVERSION", "GOWORK", "GOMOD"),
)
# of these the content counts, not where they lie
_PLACES = ("GOMOD", "GOWORK")
_FILES = (
    *("GoFiles", "CgoFiles", "CFiles", "CXXFiles", "HFiles", "SFiles", "SysoFiles"),
    "EmbedFiles",
)
_TEST_FILES = ("TestGoFiles", "XTestGoFiles", "TestEmbedFiles", "XTestEmbedFiles")


def build_environment(
    base: Mapping[str, str], extra: Mapping[str, str], go: Path, run: Run, cwd: Path
) -> dict[str, str]:
    """Return an environment in which only the spec says how a program is built.

    The caller's own Go settings (variables and `go env -w`) are dropped, but
    for those that say where modules are fetched and kept.
    """
    ran = run([str(go), "env", "-json", *KEPT], env={**base, **extra}, cwd=cwd)
    try:
        settings = {k: str(v) for k, v in json.loads(ran.stdout).items() if v}
    except ValueError:
        settings = {}
    plain = {k: v for k, v in base.items() if not k.startswith(("GO", "CGO_"))}
    return {
        **plain,
        **settings,
        "GOENV": "off",
        # the commit of the working copy would make equal sources differ
        "GOFLAGS": "-buildvcs=false",
        **extra,
    }


def build_key(
    *, go: Path, env: Mapping[str, str], cwd: Path, request: Mapping[str, Any], run: Run
) -> str | None:
    """Hash all that decides the output; None where Go cannot say (the build will)."""
    ran = run([str(go), "env", "-json", *_BUILT_WITH], env=env, cwd=cwd)
    kinds = (*_FILES, *(_TEST_FILES if request["test"] else ()))
    listed = run(
        [
            *(str(go), "list", "-e", "-deps", *(["-test"] if request["test"] else [])),
            *([f"-tags={','.join(request['tags'])}"] if request["tags"] else []),
            "-json=ImportPath,Dir,Standard,Module,Error," + ",".join(kinds),
            str(request["package"]),
        ],
        env=env,
        cwd=cwd,
        timeout_s=600.0,
    )
    if ran.code != 0 or listed.code != 0:
        return None
    settings = json.loads(ran.stdout)
    modules = Path(env.get("GOMODCACHE") or "/nonexistent")
    digest = hashlib.sha256()
    for part in (
        json.dumps(request, sort_keys=True),
        json.dumps({k: v for k, v in settings.items() if k not in _PLACES}, sort_keys=True),
        _compiler(settings, env),
        # without -trimpath the output holds the names of the folders
        "" if request["trimpath"] else str(cwd.resolve()),
        *_described(_packages(listed.stdout), modules, kinds),
        *_described_files(_module_files(settings)),
    ):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()


def _packages(text: str) -> Iterator[dict[str, object]]:
    """`go list -json` prints one object after the other, without commas."""
    decoder = json.JSONDecoder()
    at = 0
    while (at := text.find("{", at)) >= 0:
        package, at = decoder.raw_decode(text, at)
        yield package


def _described(
    packages: Iterable[dict[str, Any]], modules: Path, kinds: Sequence[str]
) -> Iterator[str]:
    for package in packages:
        if package.get("Standard"):
            continue
        module = package.get("Module") or {}
        yield f"{package['ImportPath']} {module.get('Path')}@{module.get('Version')}"
        folder = Path(package.get("Dir") or "/nonexistent")
        if folder.is_relative_to(modules):
            continue  # never changes: go.sum holds its hash
        names: Sequence[str] = [name for kind in kinds for name in package.get(kind) or ()]
        yield from _described_files(sorted({folder / name for name in names}))


def _described_files(paths: Iterable[Path]) -> Iterator[str]:
    for path in paths:
        # generated test mains have no file
        yield f"{path.name} {sha256_of(path) if path.is_file() else 'absent'}"


def _module_files(settings: Mapping[str, str]) -> list[Path]:
    paths: list[Path] = []
    if (mod := settings.get("GOMOD", "")) and mod != "/dev/null":
        paths += [Path(mod), Path(mod).with_name("go.sum")]
    if (work := settings.get("GOWORK", "")) and work != "off":
        paths += [Path(work), Path(work + ".sum")]
    return paths


def _compiler(settings: Mapping[str, str], env: Mapping[str, str]) -> str:
    """Identity of the C compiler, where one takes part."""
    if settings.get("CGO_ENABLED") != "1":
        return ""
    path = shutil.which(settings.get("CC", "").split(" ")[0], path=env.get("PATH"))
    if path is None:
        return "none"
    stat = Path(path).resolve().stat()
    return f"{stat.st_size} {stat.st_mtime_ns}"
