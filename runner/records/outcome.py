"""How things end, each word once: what became of a cell, a step, a trial, a claim."""

from __future__ import annotations

from typing import Final, Literal

Phase = Literal[
    "packages", "reboot", "converge", "actions", "again", "treatment", "base", "restore"
]
"""When a cell was looked at: brought to the base's state (`reboot`: what a new boot takes up),
a second time for `--twice`, to a treatment's, from that back to the base's, or put back as it
was found."""

CellOutcome = Literal[
    "ok", "ok (normalised)", "changed", "failed", "would change", "unknown", "restored", "drifted",
    "skipped",
]  # fmt: skip
"""What became of a cell of a host."""
QUIET: Final[frozenset[CellOutcome]] = frozenset({"ok", "ok (normalised)"})
"""It was right already."""
FAILED: Final[frozenset[CellOutcome]] = frozenset({"failed", "drifted", "unknown"})
"""It is not what was asked for."""
TOUCHED: Final[frozenset[CellOutcome]] = frozenset({"changed", "restored", "would change"})
"""The host was changed, or would be."""
BACK: Final[frozenset[CellOutcome]] = frozenset({"ok", "restored", "skipped"})
"""Of `restore`: it is as it was before; `skipped` where a boot has taken it."""

Outcome = Literal["healthy", "unhealthy", "invalid", "error"]
"""Of a step or a trial: invalid where a guard broke and it is run again."""
MEASURED: Final[tuple[Outcome, ...]] = ("healthy", "unhealthy")
"""It says something of what was measured."""

Verdict = Literal[
    "not testable", "not measured", "not comparable", "reproduced", "contradicted",
    "differs (environment undeclared)", "inconclusive",
]  # fmt: skip
"""What the data say of a claim, the first that applies."""
