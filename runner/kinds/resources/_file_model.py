"""What files and templates share: where a file goes, whose it is, and how it is compared."""

import base64
import posixpath
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, StringConstraints

from runner.kinds.resources.interface import Cell, Facts, Frozen, Json, Refused, Unknown, Values
from runner.records.cells import FileState

_KERNEL = ("/proc/", "/sys/", "/dev/")
PASSWD, GROUP = "/etc/passwd", "/etc/group"


def _destination(path: str) -> str:
    if not path.startswith("/") or posixpath.normpath(path) != path or path == "/":
        raise ValueError(f"`{path}` has to be an absolute path without `..` or a final slash")
    if "\0" in path or "\n" in path:
        raise ValueError("a path of one line")
    if f"{path}/".startswith(_KERNEL):
        raise ValueError(f"{path} is not a file: the kernel's settings have kinds of their own")
    return path


def _confined(path: str) -> str:
    """Refuse what leaves the spec's folder; links that do are left to the reader of the file."""
    normal = posixpath.normpath(path)
    if not path or path.startswith(("/", "~")) or normal.split("/")[0] == ".." or "\0" in path:
        raise ValueError(f"`{path}` has to be a file in the spec's folder or below it")
    return normal


def _mode(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, str):
        raise ValueError('write the mode in quotes, as octal digits: "0644"')  # noqa: TRY004 - pydantic's word
    return value.removeprefix("0o")


Destination = Annotated[str, AfterValidator(_destination)]
Source = Annotated[str, AfterValidator(_confined)]
Mode = Annotated[str, BeforeValidator(_mode), StringConstraints(pattern=r"^[0-7]{3,5}$")]
Owner = Annotated[int, Field(strict=True, ge=0)] | Annotated[str, StringConstraints(min_length=1)]


class Attributes(Frozen):
    """Mode, owner and extended attributes; what is left out stays as it is."""

    mode: Mode | None = Field(None, description='octal digits in quotes: "0644"')
    owner: Owner | None = Field(None, description="name or uid")
    group: Owner | None = Field(None, description="name or gid")
    xattrs: dict[str, str] = Field({}, description="extended attributes: {user.origin: runner}")
    secret: bool = Field(False, description="never shown, nor its diff")

    _loaded: bytes | None = PrivateAttr(None)

    def loaded(self) -> bytes | None:
        """Give the bytes of the source, once they were read."""
        return self._loaded

    def with_bytes(self, data: bytes | None) -> Self:
        """Give the same entry with the bytes of its source."""
        if data is None:
            return self
        copy = self.model_copy()
        copy._loaded = data  # noqa: SLF001 - its own class
        return copy

    def named(self) -> bool:
        """Say whether a name has to be looked up on the host."""
        return any(isinstance(one, str) and one != "root" for one in (self.owner, self.group))


def account_cells(kind: str) -> list[Json]:
    """Cells of the host's user and group lists."""
    return [
        Cell(id=f"{kind}:{path}?", via="pseudo", path=path).to_json() for path in (PASSWD, GROUP)
    ]


def numbers(
    kind: str, attributes: Attributes, facts: Facts, values: Values
) -> dict[str, int] | Unknown | Refused:
    """Give mode, uid and gid as numbers; names are looked up in the host's own lists."""
    by_key: dict[str, int] = {}
    if attributes.mode is not None:
        by_key["mode"] = int(attributes.mode, 8)
    lists = (("uid", attributes.owner, PASSWD, "users"), ("gid", attributes.group, GROUP, "groups"))
    for key, name, path, fact in lists:
        if name is None:
            continue
        if isinstance(name, int) or name == "root":
            by_key[key] = 0 if name == "root" else int(name)
            continue
        known = facts.get(fact)
        text = values.get(f"{kind}:{path}?")
        if known is None and isinstance(text, str):
            rows = [line.split(":") for line in text.splitlines()]
            known = {row[0]: int(row[2]) for row in rows if len(row) > 2 and row[2].isdecimal()}
        if known is None:
            return Unknown(path)
        if name not in known:
            return Refused(f"the host has no {fact[:-1]} {name}", "make it, or give a number")
        by_key[key] = known[name]
    return by_key


def file_value(content: bytes, numbers_: dict[str, int], xattrs: dict[str, str]) -> FileState:
    """Give the desired value of a regular file."""
    value: FileState = {"type": "file", "bytes_b64": base64.b64encode(content).decode()}
    for key in ("mode", "uid", "gid"):
        if key in numbers_:
            value[key] = numbers_[key]
    if xattrs:
        value["xattrs"] = {
            name: base64.b64encode(text.encode()).decode() for name, text in xattrs.items()
        }
    return value


def file_cell(kind: str, path: str, **more: Any) -> Cell:
    """Give the cell of one path."""
    return Cell(id=f"{kind}:{path}", via="file", path=path, form="file", runtime=False, **more)
