"""How the program is built."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from runner.spec.base import Environment, MaybeSecret, Model, Text, Words, did_you_mean, fault

_VERSION = re.compile(r"(?:go)?(\d+\.\d+(?:\.\d+)?(?:(?:rc|beta)\d+)?)")


def _version(text: str) -> str:
    match = _VERSION.fullmatch(text.strip())
    if match is None:
        raise fault("go_version", f'`{text}` is not a version of Go: write for instance "1.22.10"')
    return match[1]


_SYSTEMS = (
    "aix", "android", "darwin", "dragonfly", "freebsd", "illumos", "ios", "js", "linux", "netbsd",
    "openbsd", "plan9", "solaris", "wasip1", "windows",
)  # fmt: skip
_MACHINES = (
    "386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc64",
    "ppc64le", "riscv64", "s390x", "wasm",
)  # fmt: skip


def _env(env: dict[str, MaybeSecret]) -> dict[str, MaybeSecret]:
    """Refuse targets that Go has not got."""
    for name, known in (("GOOS", _SYSTEMS), ("GOARCH", _MACHINES)):
        value = env.get(name)
        if isinstance(value, str) and value and value not in known and "{" not in value:
            raise fault("env", f"{name} `{value}` is not known to Go{did_you_mean(value, known)}")
    return env


_KEYS = ("ldflags", "gcflags", "asmflags", "tags", "trimpath", "race")
_RUNNERS = ("o", "c", "C", "n", "v", "x", "work", "json", "toolexec", "exec", "overlay", "p")


def _flags(words: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse what is not a flag, what has a key of its own, and what is the runner's to say."""
    for word in words:
        name = word.lstrip("-").partition("=")[0]
        if not word.startswith("-") or not name:
            raise fault("flag", f"`{word}` is not a flag of `go build`: write -name or -name=value")
        if name in _KEYS:
            raise fault("flag", f"`{word}` has a key of its own: write `{name}:` under build")
        if name in _RUNNERS:
            raise fault("flag", f"`-{name}` cannot be set: it does not change the program")
    return words


_GO_KEYS = ("go", "package", "ldflags", "gcflags", "asmflags", "tags", "trimpath", "race", "flags")
_COMMAND_KEYS = ("sources", "output", "tools")


def _ref(text: str) -> str:
    if text.startswith("-") or any(mark in text for mark in "\0\n :?*[\\"):
        raise fault("ref", f"`{text}` cannot name a git revision")
    return text


def _inside(path: str) -> str:
    """Refuse a path that leaves the spec's folder."""
    if path.startswith(("/", "~")) or ".." in path.split("/") or "\0" in path or not path:
        raise fault("path", f"`{path}` has to lie beside the spec: a relative path without ..")
    return path


Inside = Annotated[Text, AfterValidator(_inside)]


class Build(Model):
    """A program built from its sources, by Go or by a command; for the host's architecture."""

    go: Annotated[Text, AfterValidator(_version)] | None = Field(
        None, description="Exactly this version of Go, in quotes"
    )
    package: Text = Field(".", description="Folder or import path, relative to the spec's file")
    env: Annotated[Environment, AfterValidator(_env)] = Field(
        {}, description="GOOS, GOARCH, CGO_ENABLED, …"
    )
    ldflags: Words = Field((), description="Flags of the linker, as [-s, -w] or -X main.version=1")
    gcflags: Words = Field((), description="Flags of the compiler, as [-N, -l] or -m")
    asmflags: Words = Field((), description="Flags of the assembler")
    tags: Words = Field((), description="Build tags, which choose the files that are compiled")
    trimpath: bool = Field(
        False, description="Paths of the file system are left out of the program"
    )
    race: bool = Field(False, description="The race detector, which needs cgo")
    flags: Annotated[Words, AfterValidator(_flags)] = Field(
        (), description="Further flags of `go build`, such as -buildvcs=false"
    )
    ref: Annotated[Text, AfterValidator(_ref)] | None = Field(
        None, description="Git revision whose clean tree is built; else the files as they are"
    )
    command: Words = Field(
        (), description="In place of Go: argv, run without a shell in a clean copy of `sources`"
    )
    sources: tuple[Inside, ...] = Field(
        (".",), description="Files and folders beside the spec that the command is given"
    )
    output: Inside | None = Field(
        None, description="The program that the command makes; becomes {binary}"
    )
    tools: Words = Field(
        (), description="Programs that the command needs; their versions are recorded and count"
    )
    runs: Words = Field(
        (),
        description="Programs that env or flags make run on the controller (CC, -toolexec, -extld)",
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        """Refuse keys of Go beside a command, and those of a command without one."""
        # a record holds the defaults as well: only what differs from them was asked for
        fields = type(self).model_fields
        given = {name for name in fields if getattr(self, name) != fields[name].default}
        if self.command:
            other = [name for name in _GO_KEYS if name in given]
            if other:
                raise fault(
                    "build", f"`{other[0]}` is of a Go build, and `command` builds this one"
                )
            if self.output is None:
                raise fault("build", "`command` makes a program: say which with `output`")
        else:
            other = [name for name in _COMMAND_KEYS if name in given]
            if other:
                raise fault("build", f"`{other[0]}` takes effect only beside `command`")
        return self
