"""packages: Debian packages that have to be installed, and that stay.

A phase of its own, before everything else: apt needs the network and minutes.
Nothing is removed at the end, so nothing is journalled.

apt reads more than names (apt-get(8)): `name-` removes, `name+` and `name=1.2` choose, and
a name that it does not know is taken as a regular expression. So a name has to be one by
Debian's grammar (Policy 5.6.7), and one that apt knows, before apt is asked to install it;
and apt may remove nothing, nor upgrade what is there or held.
"""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from runner.kinds.resources.interface import (
    Cell,
    Facts,
    Json,
    Planned,
    ReadError,
    Refused,
    Root,
    Skipped,
    Values,
)

_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")
ID = "packages:apt"
KNOWN = "packages:known?"

# Names that are not installed, and what apt knows of them. `apt-cache policy` takes what it
# does not know as a regular expression, as apt-get does: only a block of the exact name counts.
_ASK_APT = (
    'for p; do shift; s=$(dpkg-query -W -f="\\${db:Status-Status}" "$p" 2>/dev/null); '
    '[ "$s" = installed ] || set -- "$@" "$p"; done; '
    '[ $# = 0 ] || apt-cache policy "$@" 2>/dev/null; true'
)
_BLOCK = re.compile(r"(?m)^(\S+):\n(?: {2}Installed: .*\n) {2}Candidate: (.*)$")


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(f"`{text}` is not a Debian package name (lower case, no version)")
    if text.endswith("-") or re.search(r"(?<!\+)\+$", text):
        what = "remove" if text.endswith("-") else "choose"
        raise ValueError(f"`{text}` asks apt to {what} `{text[:-1]}`: write a package's name")
    return text


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Name = Annotated[str, AfterValidator(_name)]
Listed = BeforeValidator(_listed, json_schema_input_type=str | list[str])


class PackagesModel(Root[Annotated[tuple[Name, ...], Listed]]):
    """`packages: [wrk]`."""


class Packages:
    """Packages of apt."""

    name = "packages"
    doc = "Debian packages: `[wrk, iproute2]`; a phase of its own, they stay installed"
    absent = "skipped without apt"
    fixed = "packages stay installed: declare those of all treatments under system"
    sets: tuple[str, ...] = ("tools", "go.version")
    needs_root = True
    Model = PackagesModel

    def _cell(self, names: tuple[str, ...]) -> Cell:
        wanted = sorted(set(names))
        # one line whatever the number of packages: `wrk=installed curl=not-installed`
        # and exit 0 for one that dpkg has never heard of
        query = "dpkg-query -W -f='${Package}=${db:Status-Status} ' \"$@\" 2>/dev/null; true"
        ask = ("sh", "-c", query, "sh", *wanted)
        install = [
            "env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", "apt-get", "install", "-y", "-q",
            "--no-install-recommends", "--no-remove", "--no-upgrade",
            "-o", "APT::Get::allow-change-held-packages=false",
            "-o", "DPkg::Lock::Timeout=120", "--", *wanted,
        ]  # fmt: skip
        want = " ".join(f"{name}=installed" for name in wanted)
        return Cell(
            id=ID,
            via="argv",
            name="apt",
            read=ask,
            parse=r"\A(.*?)\s*\Z",
            write={want: install},
            want=want,
            form="set",
            runtime=False,
            keep=True,
            timeout_s=1800,
        )

    def candidates(self, payload: PackagesModel) -> list[Json]:
        """Ask for all packages in one query, and for what apt knows of those that are missing."""
        if not payload.root:
            return []
        names = sorted(set(payload.root))
        ask = ("sh", "-c", _ASK_APT, "sh", *names)
        known = Cell(id=KNOWN, via="argv", name="apt-cache", read=ask, parse=r"\A(.*)\Z")
        return [self._cell(payload.root).asking().to_json(), known.to_json()]

    def plan(self, payload: PackagesModel, facts: Facts, values: Values) -> Planned:
        """One cell for all packages: one call of apt; Refused for names that apt has not got."""
        if facts.get("packages.manager", "apt") != "apt":
            return Skipped("the host has no apt: install the packages with its own manager")
        return self._unknown(payload, values) or (
            [self._cell(payload.root)] if payload.root else []
        )

    def _unknown(self, payload: PackagesModel, values: Values) -> Refused | None:
        listing = values.get(KNOWN)
        if listing is None or isinstance(listing, ReadError):
            return None  # not asked yet: nothing is installed before it was
        there = set(str(values.get(ID) or "").split())
        known = dict(_BLOCK.findall(str(listing)))
        missing = [name for name in payload.root if f"{name}=installed" not in there]
        unknown = [name for name in missing if name not in known]
        if unknown:
            return Refused(
                f"apt knows no package {', '.join(unknown)}",
                "see how it is written; `sudo apt update` on the host refreshes what apt knows",
            )
        virtual = [name for name in missing if known[name].strip() == "(none)"]
        if virtual:
            return Refused(
                f"no version of {', '.join(virtual)} can be installed",
                "name the package that provides it, see `apt-cache showpkg NAME` on the host",
            )
        return None


KIND = Packages()
