"""How the Go program is built."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from runner.spec.base import MaybeSecret, Model, Text, Words, fault

_VERSION = re.compile(r"(?:go)?(\d+\.\d+(?:\.\d+)?(?:(?:rc|beta)\d+)?)")


def _version(text: str) -> str:
    match = _VERSION.fullmatch(text.strip())
    if match is None:
        raise fault("go_version", f'`{text}` is no version of Go: write for instance "1.22.10"')
    return match[1]


class Build(Model):
    """A program built from its sources; GOOS and GOARCH default to the host's."""

    go: Annotated[Text, AfterValidator(_version)] | None = Field(
        None, description="Exactly this version of Go, in quotes"
    )
    package: Text = Field(".", description="Folder or import path, relative to the spec's file")
    env: dict[str, MaybeSecret] = Field({}, description="GOOS, GOARCH, CGO_ENABLED, …")
    ldflags: Words = ()
    gcflags: Words = ()
    asmflags: Words = ()
    tags: Words = ()
    trimpath: bool = False
    race: bool = False
    flags: Words = Field((), description="Further flags of `go build`")
