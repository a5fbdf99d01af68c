"""What a build makes run on the controller beside the compilers: what of a spec is a command. Pure.

Names and flags that only say how code is made pass; all others count as commands of whoever
wrote the spec. Sources: go help environment, go help build, go doc cmd/link, cmd/compile,
cmd/asm; gcc(1); ld.so(8); git(1).
"""

import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from runner.records.secrets import Secret
from runner.spec.sections.build import Build


@dataclass(frozen=True)
class Steered:
    """One place of a build that makes something run here."""

    where: str
    """Path in the spec, as build.env.CC."""
    text: str
    """What stands there."""
    runs: str
    """The program, as `build.runs` has to name it."""


_ENV = frozenset((
    "GOOS", "GOARCH", "GOARM", "GOARM64", "GOAMD64", "GO386", "GOMIPS", "GOMIPS64", "GOPPC64",
    "GORISCV64", "GOWASM", "CGO_ENABLED", "GOEXPERIMENT", "GODEBUG", "GOGC", "GOMAXPROCS",
    "GOMEMLIMIT", "GOFIPS140", "GOTOOLCHAIN", "GOPROXY", "GOSUMDB", "GONOSUMDB", "GONOPROXY",
    "GOPRIVATE", "GO111MODULE",
))  # fmt: skip
"""Variables of Go that say how code is made, or where modules come from."""
_PROGRAMS = frozenset((
    "CC", "CXX", "AR", "FC", "LD", "AS", "PKG_CONFIG", "GOCACHEPROG", "GOAUTH", "GIT_SSH",
    "GIT_SSH_COMMAND",
))  # fmt: skip
_C_FLAGS = frozenset(["CFLAGS", "CPPFLAGS", "CXXFLAGS", "FFLAGS", "LDFLAGS"])
_LOADS = re.compile(
    r"(?:LD|DYLD|GCC|GIT|GO|CGO|COLLECT|PYTHON|PERL|RUBY|NODE|PKG_CONFIG|SSH|SUDO|CCACHE|DISTCC|NIX|"
    r"BASH|XDG|MAKE|CMAKE|CLANG|LLVM|COMPILER|MALLOC|GLIBC|GCONV)_?.*|.*PATH|.*PRELOAD.*|.*_WRAPPER|"
    r"ENV|SHELL|IFS|HOME|EDITOR|VISUAL|PAGER|BROWSER|CLASSPATH|SPECS|TMPDIR"
)
"""Variables by which a program loads or runs another one."""
_COMPILERS = re.compile(
    r"(?:/usr/bin/|/bin/)?(?:[a-z0-9_]+-)*(?:gcc|g\+\+|clang|clang\+\+|cc|c\+\+|gfortran|gcc-ar|ar)(?:-[0-9.]+)?"
)
_C_SAFE = re.compile(
    r"-O\w*|-g[\w.]*|-m[\w.=+,-]+|-[DUIL].+|-l[\w.+-]+|-std=[\w+:]+|-W(?![lap],)[\w.=+-]*|"
    r"-f(?!plugin|use-ld|pass-plugin|load|profile|dump|auto-profile)[\w.=,-]+|-static(?:-pie|-libgcc)?|"
    r"-pthread|-s|-w|-pipe|-v|-Wl,(?:-s|-z,[\w=-]+|-O\d|--gc-sections|--as-needed|--build-id(?:=\w+)?)"
)
_GO_FLAG = re.compile(
    r"-(?:trimpath|race|msan|asan|a|v|x|n|work|linkshared)|-(?:mod|buildmode|buildvcs|p|tags|pgo|"
    r"count|installsuffix|covermode|coverpkg|compiler)(?:=[^-].*)?|-trimpath=\w+|-race=\w+|-v=\w+|-cover"
)
_LINK_FLAG = re.compile(
    r"-(?:s|w|d|g|n|v|race|msan|asan|linkshared|aslr(?:=\w+)?|debugtramp=\d+|"
    r"(?:s|w|n|d|g)=\w+|compressdwarf(?:=\w+)?|buildid=.*|linkmode=\w+|B=.*|"
    r"H=\w+|T=\w+|R=\w+|E=\w+|X=.*|extldflags=.*|checklinkname=\d)"
)
_LINK_PAIRS = frozenset(["X", "B", "H", "T", "R", "E", "linkmode", "buildid"])
_GC_FLAG = re.compile(
    r"-(?:[lNBSeECKWhjrtvwL%]|[lNBSe]=\w+|m(?:=\d+)?|c=\d+|d=[\w=,/.+:*-]+|lang=go[\d.]+|live|race|"
    r"msan|asan|spectre=\w+|shared|dwarf(?:=\w+)?|dwarflocationlists(?:=\w+)?|dwarfbasentries(?:=\w+)?|"
    r"goversion=\w+|std|wb(?:=\w+)?|complete|smallframes|installsuffix=\w+)"
)
_ASM_FLAG = re.compile(r"-(?:S|V|e|dynlink|shared|spectre=\w+|D[\w=]*|D=[\w=]+|I=?.*|gensymabis)")
_PATTERN = re.compile(r"\A(?!-)[A-Za-z0-9./_-]*=(?=-)")
"""`all=`, `std=`, `./...=`: which packages the flags are of."""


def steered(build: Build) -> list[Steered]:
    """Give every place of a build that makes something run here."""
    found: list[Steered] = []
    for name, value in build.env.items():
        found += _variable(f"build.env.{name}", name, _plain(value))
    for key, given, check in (
        ("flags", build.flags, _go_flags), ("ldflags", build.ldflags, _link_flags),
        ("gcflags", build.gcflags, _gc_flags), ("asmflags", build.asmflags, _asm_flags),
    ):  # fmt: skip
        found += [Steered(f"build.{key}", text, runs) for text, runs in check(_split(given))]
    if build.package.startswith("-"):
        found.append(Steered("build.package", build.package, build.package))
    if build.command:
        found.append(Steered("build.command", " ".join(build.command), build.command[0]))
    return list(dict.fromkeys(found))


def _plain(value: str | Secret) -> str:
    return "(secret)" if isinstance(value, Secret) else value


def _split(words: Iterable[str]) -> list[str]:
    """Part words as the go command parts the text that they are joined to; quotes count."""
    text = " ".join(words)
    try:
        return shlex.split(text)
    except ValueError:
        return [text]


def _variable(where: str, name: str, value: str) -> list[Steered]:
    text = f"{name}={value}"
    if name in _ENV or not value:
        return []
    if name == "GOFLAGS":
        return [Steered(where, text, runs) for _, runs in _go_flags(_split([value]))]
    words = _split([value])
    if name in ("CC", "CXX", "AR", "FC"):
        rest = [runs for _, runs in _c_flags(words[1:])]
        own = [] if _COMPILERS.fullmatch(words[0]) else [words[0]]
        return [Steered(where, text, runs) for runs in (*own, *rest)]
    if name in _PROGRAMS:
        return [Steered(where, text, words[0])]
    if name.removeprefix("CGO_") in _C_FLAGS:
        return [Steered(where, text, runs) for _, runs in _c_flags(words)]
    return [Steered(where, text, value)] if _LOADS.fullmatch(name) else []


def _c_flags(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    for word in words:
        if not _C_SAFE.fullmatch(word) or (".." in word and word.startswith("-B")):
            program = word.partition("=")[2] if word.startswith("-f") else word
            yield word, program or word


def _flags(words: Iterable[str]) -> Iterator[str]:
    """Give flags with one dash, as Go's flag package takes both."""
    for word in words:
        yield f"-{word[2:]}" if word.startswith("--") else word


def _go_flags(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    rest = list(_flags(words))
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        inner = {"-ldflags": _link_flags, "-gcflags": _gc_flags, "-asmflags": _asm_flags}.get(name)
        takes = name in (
            "-toolexec",
            "-exec",
            "-vettool",
            "-overlay",
            "-modfile",
            "-pkgdir",
            "-o",
            "-C",
        )
        if not equals and (takes or inner) and rest:
            value = rest.pop(0)
        if inner is not None:
            yield from inner(_split([value]))
        elif takes:
            yield f"{name}={value}", (_split([value]) or [""])[0]
        elif not _GO_FLAG.fullmatch(word):
            yield word, word


def _link_flags(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    rest = list(_flags(words))
    if rest:
        rest[0] = _PATTERN.sub("", rest[0])
    while rest:
        word = rest.pop(0)
        name, equals, value = word.removeprefix("-").partition("=")
        if not equals and name in {*_LINK_PAIRS, "extld", "extldflags"} and rest:
            value = rest.pop(0)
            word = f"-{name}={value}"
        if name == "extldflags":
            yield from _c_flags(_split([value]))
        elif name == "extld":
            first, *more = _split([value]) or [""]
            if not _COMPILERS.fullmatch(first):
                yield word, first
            yield from _c_flags(more)
        elif not _LINK_FLAG.fullmatch(word):
            yield word, word


def _gc_flags(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    yield from _only(_GC_FLAG, words)


def _asm_flags(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    yield from _only(_ASM_FLAG, words)


def _only(known: re.Pattern[str], words: Iterable[str]) -> Iterator[tuple[str, str]]:
    for word in _flags(words):
        bare = _PATTERN.sub("", word)
        if not known.fullmatch(f"-{bare[2:]}" if bare.startswith("--") else bare):
            yield word, word
