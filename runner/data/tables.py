"""The tables that many runs make, each column once: its name, its SQL type, what it says.

Numbers are in base units (seconds, bytes, 1/s); `unit` names the unit in which the
author of the spec shows a metric. NULL was not measured, and `why` says the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    type: str
    """A DuckDB type."""
    doc: str


@dataclass(frozen=True, slots=True)
class Table:
    """One view of `runner query`."""

    name: str
    doc: str
    columns: tuple[Column, ...]

    @property
    def ddl(self) -> str:
        """The columns as SQL."""
        return ", ".join(f'"{column.name}" {column.type}' for column in self.columns)


def _columns(text: str) -> tuple[Column, ...]:
    rows = (line.split(" ", 2) for line in text.strip().splitlines())
    return tuple(Column(name, kind, doc) for name, kind, doc in rows)


_RUN = "experiment VARCHAR name of the experiment\nrun VARCHAR run-id, unique among all runs\n"
_TREATMENT = "treatment MAP(VARCHAR,VARCHAR) level of each factor: treatment['gogc']\n"

TABLES: Final = (
    Table(
        "runs",
        "One row for each run folder.",
        _columns(
            _RUN
            + """path VARCHAR folder of the run
state VARCHAR running, done, failed or interrupted
started_at TIMESTAMP start, UTC
ended_at TIMESTAMP end, UTC; NULL while it runs
host VARCHAR host of its first trial
board VARCHAR board.model of that host
arch VARCHAR its architecture
kernel VARCHAR its kernel release
emulated BOOLEAN whether its times say nothing
commit VARCHAR git revision of the spec's folder
dirty BOOLEAN whether that had changes
runner VARCHAR version of runner
spec_hash VARCHAR hash of what was asked
analysed BOOLEAN whether analysis.json was readable; else only `runs` has a row of it
why VARCHAR why it is not done, or not analysed"""
        ),
    ),
    Table(
        "trials",
        "One row for each attempt at a trial, invalid ones too.",
        _columns(
            _RUN
            + """trial VARCHAR id inside its run
host VARCHAR host that it ran on
"""
            + _TREATMENT
            + """repetition INTEGER index among the repetitions of its treatment
attempt INTEGER above 1 where a guard broke before
outcome VARCHAR healthy, unhealthy, invalid or error
why VARCHAR reason of the outcome
started_at TIMESTAMP start by the host's clock, UTC"""
        ),
    ),
    Table(
        "steps",
        "One row for each step of each trial; all its numbers are in one map.",
        _columns(
            _RUN
            + """trial VARCHAR id inside its run
"""
            + _TREATMENT
            + """repetition INTEGER index among the repetitions
step VARCHAR name of the step
position INTEGER index of the step in its trial, from 0
connections INTEGER declared level; NULL where it is not one of connections
start_s DOUBLE seconds since the start of the trial
end_s DOUBLE likewise
outcome VARCHAR healthy, unhealthy, invalid or error
numbers MAP(VARCHAR,DOUBLE) numbers['load.rps']; no such key where there was none
texts MAP(VARCHAR,VARCHAR) what was measured and is a text: texts['build.id']"""
        ),
    ),
    Table(
        "estimates",
        "One row for each metric, treatment and step of each run.",
        _columns(
            _RUN
            + """metric VARCHAR name in the spec
unit VARCHAR base unit of the numbers
shown_in VARCHAR unit in which the author shows them
"""
            + _TREATMENT
            + """step VARCHAR step; NULL where the metric is of the whole trial
n INTEGER values that there are
estimate DOUBLE the metric's estimate (the median, if the spec says nothing else)
low DOUBLE lower end of its interval
high DOUBLE upper end
level DOUBLE confidence that the interval really has
values DOUBLE[] one for each repetition; NULL was not measured
why VARCHAR why there is no estimate"""
        ),
    ),
    Table(
        "claims",
        "One row for each published number of each run.",
        _columns(
            _RUN
            + """claim VARCHAR id in the spec
section VARCHAR section of the source
quote VARCHAR words of the source
published VARCHAR what was published
verdict VARCHAR reproduced, contradicted, …
reason VARCHAR why this verdict
estimate DOUBLE what was measured
unit VARCHAR base unit of the numbers
shown_in VARCHAR unit in which the author shows them
low DOUBLE lower end of the interval
high DOUBLE upper end
n INTEGER units that were used
required BOOLEAN whether `verify` fails with it"""
        ),
    ),
    Table(
        "facts",
        "One row for each fact of each host of each run.",
        _columns(
            _RUN
            + """host VARCHAR host
fact VARCHAR dotted name: board.model
value VARCHAR its value as text; lists and maps as JSON; NULL is absent"""
        ),
    ),
    Table(
        "changes",
        "One row for each value that a run looked at on a host, converged or restored.",
        _columns(
            _RUN
            + """phase VARCHAR packages, converge or restore
host VARCHAR host
id VARCHAR what was changed: sysctl:vm.swappiness
outcome VARCHAR ok, changed, failed, …
before VARCHAR value before
after VARCHAR value after, read back
why VARCHAR reason where it failed or was skipped"""
        ),
    ),
)

SAMPLES: Final = Table(
    "samples",
    "One row for each sampled value; read from the events when a query names it.",
    _columns(
        _RUN
        + """trial VARCHAR id inside its run
t_s DOUBLE seconds since the start of the trial
name VARCHAR quantity: procfs.rss
unit VARCHAR base unit of the value
value DOUBLE the value"""
    ),
)

ALL: Final = (*TABLES, SAMPLES)


def markdown() -> str:
    """Give every view and column as Markdown, for docs/query.md."""
    lines: list[str] = []
    for table in ALL:
        lines += [
            f"### `{table.name}`",
            "",
            table.doc,
            "",
            "| column | type | what |",
            "|---|---|---|",
        ]
        lines += [f"| `{c.name}` | {c.type} | {c.doc} |" for c in table.columns]
        lines.append("")
    return "\n".join(lines)
