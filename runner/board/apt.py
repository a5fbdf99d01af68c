"""Where packages come from: the machine's own apt sources, in both of their forms."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runner.board.errors import BoardError

if TYPE_CHECKING:
    from collections.abc import Iterable

ETC: Final = Path("/etc/apt")
KEYRING: Final = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_SUITE: Final = re.compile(
    r"(bullseye|bookworm|trixie|forky|sid|stable|testing)(-security|/updates|-updates|-backports)?"
)
_ONE_LINE: Final = re.compile(r"deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+(\S+)\s+(.+)")


@dataclass(frozen=True, slots=True)
class Source:
    """One archive: `deb URI SUITE COMPONENT…`."""

    uri: str
    suite: str
    components: tuple[str, ...]


def parse(text: str) -> list[Source]:
    """Read a sources file, deb822 or one line per archive; what is switched off is left out."""
    if re.search(r"^Types:", text, re.MULTILINE):
        return [source for part in re.split(r"\n\s*\n", text) for source in _deb822(part)]
    sources = []
    for line in text.splitlines():
        match = _ONE_LINE.match(line.split("#", 1)[0].strip())
        if match:
            sources.append(Source(match[1], match[2], tuple(match[3].split())))
    return sources


def _deb822(part: str) -> Iterable[Source]:
    fields: dict[str, str] = {}
    key = ""
    for line in part.splitlines():
        if line.startswith("#"):
            continue
        if line[:1].isspace() and key:
            fields[key] += " " + line.strip()
        elif ":" in line:
            name, value = line.split(":", 1)
            key = name.strip().lower()
            fields[key] = value.strip()
    if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes") == "no":
        return
    for uri in fields.get("uris", "").split():
        for suite in fields.get("suites", "").split():
            yield Source(uri, suite, tuple(fields.get("components", "").split()))


def read(etc: Path = ETC) -> list[Source]:
    """Read every sources file of the machine."""
    files = [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]
    return [
        source
        for file in files
        if file.is_file() and file.suffix in (".list", ".sources")
        for source in parse(file.read_text(encoding="utf-8", errors="replace"))
    ]


def lines(suite: str, sources: Iterable[Source], mirror: str | None = None) -> list[str]:
    """Give the `deb` lines for a board of `suite`: Debian's archives among the machine's own.

    `mirror` replaces the main archive. A machine of another Debian release lends its
    archives; one of another distribution has none that fits.
    """
    main = security = None
    for source in sources:
        match = _SUITE.fullmatch(source.suite)
        if match is None or "main" not in source.components:
            continue
        if match[2] is None and main is None:
            main = source.uri
        elif match[2] in ("-security", "/updates") and security is None:
            security = source.uri
    main = mirror or main
    if main is None:
        raise BoardError(
            "no Debian archive is among this machine's apt sources",
            fix="name one: runner board build --mirror http://deb.debian.org/debian",
        )
    entries = [f"deb {main.rstrip('/')} {suite} main"]
    if security is not None and mirror is None:
        entries.append(f"deb {security.rstrip('/')} {suite}-security main")
    return entries
