"""packages: Debian packages that have to be installed, and that stay.

A phase of its own, before everything else: apt needs the network and minutes.
Nothing is removed at the end, so nothing is journalled.
"""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, RootModel

from runner.kinds.resources.interface import Cell, Facts, Json, Planned, Skipped, Values

_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")
ID = "packages:apt"


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(f"`{text}` is no Debian package name (lower case, no version)")
    return text


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Name = Annotated[str, AfterValidator(_name)]
Listed = BeforeValidator(_listed, json_schema_input_type=str | list[str])


class PackagesModel(RootModel[Annotated[tuple[Name, ...], Listed]]):
    """`packages: [wrk]`."""

    model_config = ConfigDict(frozen=True)


class Packages:
    """Packages of apt."""

    name = "packages"
    doc = "Debian packages: `[wrk, iproute2]`; a phase of its own, they stay installed"
    absent = "skipped without apt"
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
            "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120", *wanted,
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
        """Ask for all packages in one query."""
        return [self._cell(payload.root).asking().to_json()] if payload.root else []

    def plan(self, payload: PackagesModel, facts: Facts, values: Values) -> Planned:  # noqa: ARG002 - the query says all
        """One cell for all packages: one call of apt."""
        if facts.get("packages.manager", "apt") != "apt":
            return Skipped("the host has no apt: install the packages with its own manager")
        return [self._cell(payload.root)] if payload.root else []


KIND = Packages()
