"""Files that are whole or absent, and lines that are whole or ignored."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import shutil
import zlib
from typing import IO, TYPE_CHECKING, Any, TypeVar

from runner.errors import RecordError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

Json = dict[str, Any]
ANEW = "restore it from git, or run the experiment again"
T = TypeVar("T")

_BLOCK = 1 << 16


def replace_bytes(path: Path, data: bytes) -> None:
    """Write a file so that a reader, or a crash, finds the old one or the new one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise RecordError(
            f"cannot write {path}: {error.strerror or error}",
            fix="free space, or the right to write",
        ) from error
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames in a folder survive a power cut; some file systems refuse, which is theirs."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def to_json(data: object) -> bytes:
    """JSON for people and for diffs: indented, keys as given, one newline at the end."""
    text = json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False)
    return _utf8(text)


def to_line(event: object) -> bytes:
    """One event as one line."""
    text = json.dumps(event, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return _utf8(text)


def _utf8(text: str) -> bytes:
    # lone surrogates are what is not UTF-8 on a host; `\\udcff` is JSON for one
    return text.encode(errors="backslashreplace") + b"\n"


def read_json(path: Path) -> Any:
    """Read a JSON file of the record; RecordError names it where that fails."""
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise RecordError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{path} is not JSON: {error}", fix=ANEW) from error


def read_mapping(path: Path) -> Json:
    """Read a JSON file that holds an object; RecordError names it where that fails."""
    document = read_json(path)
    if not isinstance(document, dict):
        raise RecordError(f"{path} holds no JSON object", fix=ANEW)
    return document


def read_mappings(path: Path) -> Json:
    """Read a JSON object of objects; RecordError names what is none."""
    objects = read_mapping(path)
    wrong = next((name for name, value in objects.items() if not isinstance(value, dict)), None)
    if wrong is not None:
        raise RecordError(f"{path} holds no object for {wrong!r}", fix=ANEW)
    return objects


def whole_bytes(path: Path) -> int:
    """Count the bytes up to and with the last newline: what a crash has left whole."""
    try:
        with path.open("rb") as stream:
            at = stream.seek(0, os.SEEK_END)
            while at > 0:
                low = max(0, at - _BLOCK)
                stream.seek(low)
                newline = stream.read(at - low).rfind(b"\n")
                if newline >= 0:
                    return low + newline + 1
                at = low
    except FileNotFoundError:
        return 0
    return 0


def open_lines(path: Path) -> IO[bytes]:
    """Open a file to append lines; half a line at its end, left by a crash, is cut off."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = whole_bytes(path)
    if path.exists() and path.stat().st_size != whole:
        os.truncate(path, whole)
    return path.open("ab")


def read_lines(path: Path, read: Callable[[bytes], T], *, packed: bool = False) -> Iterator[T]:
    """Yield what `read` makes of each line of a file, plain or gzip; a torn end is left out.

    A line in the middle of which it makes a ValueError is a RecordError: that is not a crash
    but a damaged file.
    """
    fault = ""
    number = 0
    try:
        with gzip.open(path, "rb") if packed else path.open("rb") as stream:
            for number, line in enumerate(_lines(stream), 1):
                if fault:
                    raise RecordError(fault, fix="restore the file from git or from the host")
                try:
                    value = read(line)
                except ValueError as error:
                    # only the last line may be torn: the next one, if any, makes it a fault
                    fault = f"{path}:{number}: {error}: {line[:80]!r}"
                    continue
                yield value
    except OSError as error:
        raise RecordError(
            f"cannot read {path} beyond line {number}: {error.strerror or error}"
        ) from error


def read_object(line: bytes) -> Json:
    """Read a JSON object; ValueError where a line is none."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ValueError("not JSON object")  # noqa: TRY004 - it is the text that is wrong
    return value


def _lines(stream: Iterable[bytes]) -> Iterator[bytes]:
    """Lines of a stream; a gzip file that was cut ends where it was cut."""
    lines = iter(stream)
    while True:
        try:
            line = next(lines)
        except (StopIteration, EOFError, zlib.error):
            return
        yield line


def pack(source: Path, target: Path) -> None:
    """Compress, the same bytes for the same content: no name, no time in the header."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    with (
        source.open("rb") as plain,
        temporary.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=6) as packed,
    ):
        shutil.copyfileobj(plain, packed, 1 << 20)
    temporary.replace(target)


def unpack(source: Path, target: Path) -> None:
    """Decompress; `target` is there whole or not at all."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with gzip.open(source, "rb") as packed, temporary.open("wb") as plain:
            shutil.copyfileobj(packed, plain, 1 << 20)
        temporary.replace(target)
    except (OSError, EOFError, zlib.error) as error:
        temporary.unlink(missing_ok=True)
        raise RecordError(f"cannot decompress {source}: {error}") from error


def sha256_of(path: Path) -> str:
    """Hash a file without holding it in memory."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
