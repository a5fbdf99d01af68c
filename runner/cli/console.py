"""How the terminal looks: results on stdout, everything said on the way on stderr."""

from __future__ import annotations

import os
import re
import sys
import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from runner.host.mask import Mask

COLOURS = {
    "ok": 32,
    "changed": 33,
    "failed": 31,
    "restored": 32,
    "skipped": 36,
    "bold": 1,
    "dim": 2,
}
OUTCOME = {
    "ok (normalised)": "ok",
    "would change": "changed",
    "healthy": "ok",
    "unhealthy": "changed",
    "invalid": "skipped",
    "error": "failed",
    "drifted": "failed",
    "unknown": "skipped",
    "would fail": "failed",
}


def colour(text: str, name: str, stream: TextIO = sys.stderr) -> str:
    """Colour for terminals only; NO_COLOR is honoured (no-color.org)."""
    code = COLOURS.get(OUTCOME.get(name, name))
    if code is None or os.environ.get("NO_COLOR") or not stream.isatty():
        return text
    return f"\x1b[{code}m{text}\x1b[0m"


_MASKS: list[Mask] = []


def hide(secrets: Iterable[str]) -> None:
    """Hide these values in all that is printed from now on."""
    from runner.host.mask import Mask

    values = tuple(secrets)
    if values:
        _MASKS.append(Mask(values))


_OURS = re.compile(r"\x1b\[(?:0|1|2|31|32|33|36)m")
"""The colours of `colour`; every other escape is somebody else's."""
_UNSEEN = re.compile(
    "\x1b\\[[0-9;?]*[ -/]*[@-~]|\x1b\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|\x1b."
    "|[\x00-\x08\x0b-\x1f\x7f-\x9f]|[\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]|[\ud800-\udfff]"
)
"""What moves the cursor, names the window, turns text around or is not a character."""


def hidden(text: str) -> str:
    """Give a text as it may be printed: no secret of this command, nothing that acts.

    What a host, a program or a spec says can hold escapes, control and bidirectional
    characters; each becomes U+FFFD. Line ends and tabs stay.
    """
    for mask in _MASKS:
        text = mask.text(text)
    kept = _OURS.findall(text)
    if not kept:
        return _UNSEEN.sub("\ufffd", text)
    parts = [_UNSEEN.sub("\ufffd", part) for part in _OURS.split(text)]
    return "".join(part + colour for part, colour in zip(parts, [*kept, ""], strict=True))


def out(text: str = "") -> None:
    """Print a result."""
    text = hidden(text)
    print(text, flush=True)


def say(text: str) -> None:
    """Print something on the way."""
    text = hidden(text)
    print(text, file=sys.stderr, flush=True)


def error(message: str, fix: str = "") -> None:
    """Print what went wrong and what to do next."""
    say(colour("error: ", "failed") + message)
    if fix:
        say(colour("  fix: ", "ok") + fix)


class Progress:
    """Live lines of running trials on a terminal; one plain line per event elsewhere."""

    def __init__(self, stream: TextIO = sys.stderr, *, quiet: bool = False) -> None:
        self.stream = stream
        self.live = stream.isatty() and not quiet
        self.quiet = quiet
        self._shown = 0
        self._last = 0.0

    def line(self, text: str) -> None:
        """Print a line that stays."""
        if self.quiet:
            return
        self.clear()
        text = hidden(text)
        print(text, file=self.stream, flush=True)

    def due(self) -> bool:
        """Whether the live lines may be replaced again: five times a second at most."""
        return self.live and time.monotonic() - self._last >= 0.2

    def status(self, *lines: str) -> None:
        """Replace the live lines; those that fit on the screen."""
        if not self.live:
            return
        self._last = time.monotonic()
        size = os.get_terminal_size(self.stream.fileno())
        kept = [" ".join(hidden(text).splitlines())[: size.columns - 1] for text in lines]
        if len(kept) >= size.lines:
            room = max(1, size.lines - 2)
            kept = [*kept[:room], f"   and {len(kept) - room} more"]
        self.clear()
        print("\n".join(kept), end="", file=self.stream, flush=True)
        self._shown = len(kept)

    def clear(self) -> None:
        """Remove the live lines."""
        if self._shown:
            up = "\x1b[1A\x1b[2K" * (self._shown - 1)
            print(f"\r\x1b[2K{up}", end="", file=self.stream, flush=True)
            self._shown = 0


def recap(
    hosts: Mapping[str, Mapping[str, int]],
    left_out: Mapping[str, str] | None = None,
    stream: TextIO = sys.stderr,
) -> Iterable[str]:
    """Ansible's last lines: `host : ok=3 changed=2 failed=0 restored=2 skipped=1`.

    Of a host that was left out with the reason, in one line.
    """
    width = max((len(name) for name in hosts), default=0)
    for name, counts in hosts.items():
        bad = counts.get("failed") or counts.get("unreachable")
        worst = "failed" if bad else "changed" if counts.get("changed") else "ok"
        keys = ("ok", "changed", "failed", "restored", "skipped")
        shown = "  ".join(f"{key}={counts.get(key, 0)}" for key in keys)
        seldom = (key for key in ("drifted", "unreachable") if counts.get(key))
        more = "".join(f"  {key}={counts[key]}" for key in seldom)
        if left_out and name in left_out:
            more += f"  ({' '.join(left_out[name].split())})"
        yield f"{colour(name.ljust(width), worst, stream)} : {shown}{more}"


def result_line(result: Mapping[str, object], diff: str = "") -> str:
    """One resource: what it was, what it is."""
    outcome = str(result["outcome"])
    text = f"  {colour(outcome.ljust(8), outcome)} {result['id']}"
    if outcome in {"changed", "would change", "restored"}:
        text += f"  {result.get('before')} → {result.get('after')}"
    if result.get("why"):
        text += f"  ({result['why']})"
    return text + (f"\n{diff}" if diff else "")
