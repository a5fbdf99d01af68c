"""A run as one file: spec, sources and record in a zip, with the SHA-256 of each in its metadata.

    ro-crate-metadata.json
    experiment/<spec>, experiment/<what it names beside it>
    run/run.json, run/…

A bundle comes from strangers: nothing is written outside the folder that is given, no links are
made, sizes have limits, and every file has to be the one that the metadata names.
"""

from __future__ import annotations

import stat
import time
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from runner.errors import RecordError
from runner.store.files import sha256_of
from runner.store.keeping import RAW
from runner.store.manifest_file import MANIFEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

EXPERIMENT: Final = "experiment"
RUN: Final = "run"
MOST_SOURCES: Final = 64 << 20
"""Bytes of all sources together."""
MOST_BYTES: Final = 2 << 30
"""Bytes that a bundle may unpack to."""
MOST_FILES: Final = 100_000
UNREADABLE: Final = (
    zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, KeyError, TypeError,
    AttributeError, NotImplementedError, RuntimeError,
)  # fmt: skip
"""What zipfile and json raise for damaged or odd input; a password is a RuntimeError."""
_OLDEST: Final = (1980, 1, 1, 0, 0, 0)
_NOT_SOURCES: Final = frozenset(
    (".git", ".venv", "__pycache__", "node_modules", ".cache", "reports")
)


def sources(spec: Path, texts: Iterable[str]) -> list[Path]:
    """Give the files beside a spec that it names, itself first; folders with all that is in them.

    `texts` are all texts of the expanded spec: a path, as `./server` or `web/index.html`, that is
    there counts as named. A Go package brings its whole module. Nothing outside the spec's folder
    is taken, no link is followed.
    """
    base = spec.parent.resolve()
    files: dict[Path, None] = {spec.resolve(): None}
    size = 0
    for text in dict.fromkeys(texts):
        for path in _named(base, text):
            size += path.stat().st_size
            if size > MOST_SOURCES:
                raise RecordError(
                    f"the sources of {spec} are more than {MOST_SOURCES >> 20} MB",
                    fix="keep what is built apart from other files",
                )
            files[path] = None
    return list(files)


def _named(base: Path, text: str) -> list[Path]:
    if not text or "\0" in text or "\n" in text or len(text) > 1024 or text in {".", "./", "/"}:
        return []
    try:
        place = (base / text).resolve()
        if place == base or not place.is_relative_to(base) or not place.exists():
            return []
        if place.is_file():
            return [place]
        root = _module(base, place)
        return [
            path
            for path in sorted(root.rglob("*"))
            if path.is_file()
            and not path.is_symlink()
            and not _NOT_SOURCES & set(path.relative_to(base).parts)
        ]
    except OSError:
        return []


def _module(base: Path, package: Path) -> Path:
    """Give the folder of the go.mod that a package belongs to; the package's own without one."""
    for folder in (package, *package.parents):
        if not folder.is_relative_to(base) or folder == base:
            break
        if (folder / "go.mod").is_file():
            return folder
    return package


def record_files(run: Path) -> list[Path]:
    """Give the files of a run's folder that a reader needs, in a fixed order."""
    return [
        path
        for path in sorted(run.rglob("*"))
        if path.is_file() and not path.is_symlink() and path.suffix not in {RAW, ".tmp"}
    ]


def write(out: Path, files: Mapping[str, Path], texts: Mapping[str, str], at: float) -> None:
    """Write the zip: `files` by their names in it, then `texts`; the same input, the same bytes."""
    when = max(time.gmtime(at)[:6], _OLDEST)
    temporary = out.with_name(f".{out.name}.tmp")
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, path in files.items():
                archive.writestr(_info(name, when), path.read_bytes())
            for name, text in texts.items():
                archive.writestr(_info(name, when), text.encode())
        temporary.replace(out)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise RecordError(f"cannot write {out}: {error.strerror or error}") from error


def _info(name: str, when: tuple[int, ...]) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, when)  # type: ignore[arg-type]
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    return info


def unpack(
    bundle: Path, target: Path, metadata: str, hashes: Callable[[str], Mapping[str, str]]
) -> None:
    """Unpack a bundle into an empty folder and check each file against its metadata.

    `metadata` is the name of the file that `hashes` reads. RecordError names what is wrong.
    """
    try:
        with zipfile.ZipFile(bundle) as archive:
            names = _checked(bundle, archive)
            if metadata not in names:
                raise _bad(bundle, f"it has no {metadata}")
            for name in names:
                path = target / name
                path.parent.mkdir(parents=True, exist_ok=True)
                left = archive.getinfo(name).file_size
                with archive.open(name) as packed, path.open("xb") as plain:
                    # the header may lie about the size: no more than it says is written
                    while block := packed.read(min(1 << 20, left + 1)):
                        left -= len(block)
                        if left < 0:
                            raise _bad(bundle, f"{name} is longer than it says")
                        plain.write(block)
            wanted = hashes((target / metadata).read_text("utf-8"))
    except UNREADABLE as error:
        raise _bad(bundle, str(error)) from error
    unnamed = sorted(set(names) - set(wanted) - {metadata})
    if unnamed:
        raise _bad(bundle, f"its metadata does not name {unnamed[0]}")
    for name, digest in wanted.items():
        if name not in names or sha256_of(target / name) != digest:
            raise _bad(bundle, f"{name} is not the file that its metadata names")
    if not (target / RUN / MANIFEST).is_file():
        raise _bad(bundle, f"it has no {RUN}/{MANIFEST}")


def _checked(bundle: Path, archive: zipfile.ZipFile) -> list[str]:
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if len(infos) > MOST_FILES or sum(info.file_size for info in infos) > MOST_BYTES:
        raise _bad(bundle, f"it unpacks to more than {MOST_FILES} files or {MOST_BYTES >> 30} GB")
    names = []
    for info in infos:
        name = PurePosixPath(info.filename)
        kind = stat.S_IFMT(info.external_attr >> 16)
        if (
            name.is_absolute()
            or ".." in name.parts
            or "\\" in info.filename
            or "\0" in info.filename
        ):
            raise _bad(bundle, f"{info.filename!r} would be written elsewhere")
        if kind not in {0, stat.S_IFREG}:
            raise _bad(bundle, f"{info.filename!r} is not a plain file")
        names.append(name.as_posix())
    if len(set(names)) != len(names):
        raise _bad(bundle, "a name stands in it twice")
    return names


def _bad(bundle: Path, why: str) -> RecordError:
    return RecordError(
        f"{bundle} cannot be used: {why}", fix="runner export RUN --to ro-crate makes one"
    )
