"""What a host may send, and how long it may be silent: it may be broken, or somebody else's.

Each limit has its name in the error that says it was hit; RUNNER_LIMITS raises them:
`RUNNER_LIMITS="stream_bytes=2GiB,events=5000000"`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Final

from runner.errors import SpecError
from runner.records.quantities import QuantityError, parse
from runner.transports.bounds import Bounds
from runner.transports.lines import LimitError

if TYPE_CHECKING:
    from collections.abc import Callable

VARIABLE: Final = "RUNNER_LIMITS"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one program's stream."""

    line_bytes: int = 32 << 20
    """One event: the longest holds 4 MiB of a generator's output, six bytes a character."""
    stream_bytes: int = 512 << 20
    """All events of one program; of a trial, all of its record."""
    events: int = 1_000_000
    """A day of samples at ten a second is 864,000."""
    quiet_s: int = 15
    """After so long it is said that nothing is heard."""
    silent_s: int = 60
    """So long without even a sign of life (the agent gives one every 5 s): the link is lost."""
    program_s: int = 7200
    """All of a program that is not a trial: packages may be installed by it."""

    def bounds(self, host: str, on_quiet: Callable[[float], None] | None) -> Bounds:
        """Give what the transport keeps."""
        return Bounds(host, self.line_bytes, self.quiet_s, self.silent_s, on_quiet)

    def refuse(self, host: str, name: str) -> LimitError:
        """Say which limit was hit."""
        return LimitError(
            f"{host}: sent more than {getattr(self, name)} {_WORDS[name]} (limit {name})",
            fix=f"if that is right for this host: {VARIABLE}={name}=…",
        )


_WORDS: Final = {
    "stream_bytes": "bytes of events",
    "events": "events",
    "program_s": "seconds of one program",
}


def limits() -> Limits:
    """Give the limits, as RUNNER_LIMITS has them; SpecError names what is wrong with it."""
    values = Limits()
    known = {one.name for one in fields(Limits)}
    for word in filter(None, os.environ.get(VARIABLE, "").split(",")):
        name, equals, text = word.strip().partition("=")
        if name not in known or not equals:
            names = ", ".join(sorted(known))
            raise SpecError(f"{VARIABLE}: `{word}` is not NAME=VALUE", fix=f"names: {names}")
        try:
            value = int(parse(text).exact)
        except QuantityError as wrong:
            raise SpecError(f"{VARIABLE}: {name}: {wrong}", fix=f"{name}=100000") from None
        if value < 1:
            raise SpecError(f"{VARIABLE}: {name}={text} is not above 0", fix=f"{name}=100000")
        values = replace(values, **{name: value})
    return values
