"""files: files, folders, links and absences on the host, put back byte for byte.

The content stands in the spec or in a file of the spec's folder. Who calls the
plan reads those files (`sources`, `with_sources`): a kind opens nothing.
"""

from collections.abc import Mapping

from pydantic import Field, SecretStr, model_validator

from runner.kinds.resources import _file_model as shared
from runner.kinds.resources.interface import (
    Cell,
    Facts,
    Json,
    Planned,
    Refused,
    Root,
    SecretText,
    Unknown,
    Values,
    reveal,
)


class FileEntry(shared.Attributes):
    """One path: exactly one of content, src, symlink, directory and absent."""

    content: str | SecretText | None = Field(None, description="the text itself")
    src: shared.Source | None = Field(None, description="a file in the spec's folder")
    symlink: str | None = Field(None, min_length=1, description="what the link points to")
    directory: bool = Field(False, description="a folder")
    absent: bool = Field(False, description="nothing there")

    @model_validator(mode="after")
    def _one_kind(self) -> "FileEntry":
        given = [
            name
            for name in ("content", "src", "symlink", "directory", "absent")
            if getattr(self, name) not in (None, False)
        ]
        if len(given) != 1:
            instead = f"not {' and '.join(given)}" if given else "none is given"
            raise ValueError(f"give one of content, src, symlink, directory or absent; {instead}")
        bare = given[0] in ("symlink", "absent")
        if bare and (self.mode or self.owner is not None or self.group is not None or self.xattrs):
            raise ValueError(f"{given[0]} has no mode, owner or attributes of its own")
        return self


class FilesModel(Root[dict[shared.Destination, FileEntry]]):
    """`files: {/etc/motd: {content: hello, mode: "0644"}}`."""

    def sources(self) -> list[str]:
        """Name the files to read, relative to the spec's folder."""
        return sorted({entry.src for entry in self.root.values() if entry.src})

    def with_sources(self, contents: Mapping[str, bytes]) -> "FilesModel":
        """Give the same payload with the bytes of its sources."""
        return FilesModel.model_construct(
            {
                path: entry.with_bytes(contents.get(entry.src or ""))
                for path, entry in self.root.items()
            }
        )


class Files:
    """Files as they are to be."""

    name = "files"
    doc = (
        'by path: `{content: …}` or `{src: …}` with `mode: "0644"`, owner, group, xattrs; '
        "`{symlink: …}`, `{directory: true}`, `{absent: true}`; folders on the way are made"
    )
    absent = "always there; needs root where the path does"
    fixed = ""
    sets: tuple[str, ...] = ()
    needs_root = True
    Model = FilesModel

    def candidates(self, payload: FilesModel) -> list[Json]:
        """Read every path, and the lists of users where a name is used."""
        cells = [shared.file_cell(self.name, path).to_json() for path in payload.root]
        if any(entry.named() for entry in payload.root.values()):
            cells += shared.account_cells(self.name)
        return cells

    def plan(self, payload: FilesModel, facts: Facts, values: Values) -> Planned:
        """One cell a path; a folder before what is in it."""
        cells: list[Cell] = []
        for path, entry in payload.root.items():
            value = self._value(entry, facts, values)
            if isinstance(value, (Unknown, Refused)):
                return value
            after = [
                other
                for other, declared in payload.root.items()
                # a folder before what is in it, but emptied before it goes
                if (path.startswith(f"{other}/") and not declared.absent)
                or (entry.absent and other.startswith(f"{path}/"))
            ]
            cells.append(
                shared.file_cell(
                    self.name,
                    path,
                    want=value,
                    secret=entry.secret or isinstance(entry.content, SecretStr),
                    after=tuple(f"{self.name}:{other}" for other in after),
                )
            )
        return cells

    def _value(self, entry: FileEntry, facts: Facts, values: Values) -> object:
        if entry.absent:
            return None
        if entry.symlink is not None:
            return {"type": "symlink", "target": entry.symlink}
        numbers = shared.numbers(self.name, entry, facts, values)
        if isinstance(numbers, (Unknown, Refused)):
            return numbers
        if entry.directory:
            return {"type": "dir", **numbers}
        if entry.content is not None:
            data = reveal(entry.content)[0].encode()
        elif (source := entry.loaded()) is not None:
            data = source
        else:
            return Unknown(f"the content of {entry.src}")
        return shared.file_value(data, numbers, entry.xattrs)


KIND = Files()
