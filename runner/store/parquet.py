"""Parquet files of one schema made into one: their pages as they are, under one footer.

A Parquet file is its pages, then a footer in Thrift's compact protocol that says where each is.
So files are joined without reading a page: the row groups of each are named again, with what
stands before them added to their offsets.
Sources: github.com/apache/parquet-format (src/main/thrift/parquet.thrift), and
github.com/apache/thrift (doc/specs/thrift-compact-protocol.md).
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

MAGIC: Final = b"PAR1"
TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST = range(1, 10)
STRUCT: Final = 12
_ROWS, _GROUPS, _SAID = 3, 4, 5
"""Of a footer: rows in all, row groups, metadata by key."""
_COLUMNS, _ORDINAL = 1, 7
"""Of a row group: its columns, and its number."""
_META: Final = 3
"""Of a column of a row group: what its pages are."""
_IN_GROUP, _IN_COLUMN, _IN_META = (5,), (2, 4, 6), (9, 10, 11, 14)
"""What is an offset in the file: of each of these three."""

Struct = dict[int, "Value"]
"""By the number of the field."""


@dataclass
class Value:
    """A value and its type; of a list the type of what is in it, too."""

    kind: int
    value: object
    of: int = 0

    @property
    def number(self) -> int:
        """As an integer."""
        return cast("int", self.value)

    @property
    def struct(self) -> Struct:
        """As a struct."""
        return cast("Struct", self.value)

    @property
    def structs(self) -> list[Struct]:
        """As a list of structs."""
        return cast("list[Struct]", self.value)


class FooterError(ValueError):
    """Why files cannot be joined."""


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def struct(self) -> Struct:
        found: Struct = {}
        number = 0
        while head := self._byte():
            step, kind = head >> 4, head & 15
            number = number + step if step else self._signed()
            found[number] = self._value(kind)
        return found

    def _value(self, kind: int) -> Value:
        if kind == LIST:
            head = self._byte()
            size, of = head >> 4, head & 15
            size = self._varint() if size == 15 else size
            return Value(LIST, [self._bare(of) for _ in range(size)], of)
        if kind in (TRUE, FALSE):  # of a field, the type is the value
            return Value(kind, kind == TRUE)
        return Value(kind, self._bare(kind))

    def _bare(self, kind: int) -> object:
        if kind in (TRUE, FALSE, BYTE):
            return self._byte()
        if kind in (I16, I32, I64):
            return self._signed()
        if kind == DOUBLE:
            return self._take(8)
        if kind == BINARY:
            return self._take(self._varint())
        if kind == STRUCT:
            return self.struct()
        raise FooterError(f"its footer has a field of type {kind}")

    def _byte(self) -> int:
        return self._take(1)[0]

    def _take(self, size: int) -> bytes:
        found = self._data[self._at : self._at + size]
        if len(found) != size:
            raise FooterError("its footer is cut")
        self._at += size
        return found

    def _varint(self) -> int:
        found = shift = 0
        while True:
            byte = self._byte()
            found |= (byte & 127) << shift
            if byte < 128:
                return found
            shift += 7

    def _signed(self) -> int:
        zigzag = self._varint()
        return (zigzag >> 1) ^ -(zigzag & 1)


class _Writer:
    def __init__(self) -> None:
        self.data = bytearray()

    def struct(self, fields: Struct) -> None:
        last = 0
        for number, value in sorted(fields.items()):
            if 0 < number - last < 16:
                self.data.append((number - last) << 4 | value.kind)
            else:
                self.data.append(value.kind)
                self._signed(number)
            last = number
            self._value(value)
        self.data.append(0)

    def _value(self, value: Value) -> None:
        if value.kind == LIST:
            items = cast("list[object]", value.value)
            self.data.append(min(len(items), 15) << 4 | value.of)
            if len(items) >= 15:
                self._varint(len(items))
            for item in items:
                self._bare(value.of, item)
        elif value.kind not in (TRUE, FALSE):
            self._bare(value.kind, value.value)

    def _bare(self, kind: int, value: object) -> None:
        if kind in (TRUE, FALSE, BYTE):
            self.data.append(cast("int", value))
        elif kind in (I16, I32, I64):
            self._signed(cast("int", value))
        elif kind == STRUCT:
            self.struct(cast("Struct", value))
        else:
            given = cast("bytes", value)
            if kind == BINARY:
                self._varint(len(given))
            self.data += given

    def _varint(self, value: int) -> None:
        while value > 127:
            self.data.append(value & 127 | 128)
            value >>= 7
        self.data.append(value)

    def _signed(self, value: int) -> None:
        self._varint(value << 1 if value >= 0 else (-value << 1) - 1)


def footer(stream: IO[bytes]) -> tuple[Struct, int]:
    """Give the footer of a Parquet file, and where its pages end."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - 8))
    tail = stream.read(8)
    if len(tail) != 8 or tail[4:] != MAGIC:
        raise FooterError("it is not a Parquet file")
    end = size - 8 - int(struct.unpack("<I", tail[:4])[0])
    if end < len(MAGIC):
        raise FooterError("its footer is cut")
    stream.seek(end)
    return _Reader(stream.read(size - 8 - end)).struct(), end


def join(parts: Sequence[Path], out: IO[bytes], said: dict[str, str]) -> None:
    """Write one file of the rows of all, in their order; `said` is its metadata.

    FooterError where they are not of one schema.
    """
    out.write(MAGIC)
    whole: Struct = {}
    groups: list[Struct] = []
    schema = b""
    rows = 0
    for part in parts:
        with part.open("rb") as stream:
            whole, end = footer(stream)
            own = written({2: whole[2]})
            if schema and own != schema:
                raise FooterError("its parts are not of one schema")
            schema = own
            before = out.tell() - len(MAGIC)
            stream.seek(len(MAGIC))
            _copy(stream, out, end - len(MAGIC))
        for group in whole[_GROUPS].structs:
            _shift(group, before)
            if _ORDINAL in group:
                group[_ORDINAL].value = len(groups)
            groups.append(group)
        rows += whole[_ROWS].number
    whole[_ROWS] = Value(I64, rows)
    whole[_GROUPS] = Value(LIST, groups, STRUCT)
    whole[_SAID] = Value(LIST, list(_pairs(said)), STRUCT)
    data = written(whole)
    out.write(data + struct.pack("<I", len(data)) + MAGIC)


def written(fields: Struct) -> bytes:
    """Give the bytes of a struct."""
    writer = _Writer()
    writer.struct(fields)
    return bytes(writer.data)


def _pairs(said: dict[str, str]) -> Iterable[Struct]:
    for key, value in said.items():
        yield {1: Value(BINARY, key.encode()), 2: Value(BINARY, value.encode())}


def _shift(group: Struct, by: int) -> None:
    _add(group, _IN_GROUP, by)
    for column in group[_COLUMNS].structs:
        _add(column, _IN_COLUMN, by)
        _add(column[_META].struct, _IN_META, by)


def _add(fields: Struct, numbers: Iterable[int], by: int) -> None:
    for number in numbers:
        # 0 is what a writer says that says nothing: no page stands before the magic
        if number in fields and fields[number].number:
            fields[number].value = fields[number].number + by


def _copy(stream: IO[bytes], out: IO[bytes], size: int) -> None:
    while size and (block := stream.read(min(size, 1 << 20))):
        out.write(block)
        size -= len(block)
