"""The host agent: reads, writes, spawns and samples what a plain-data program says.

Standard library of Python 3.9 and relative imports only: this folder is sent to
the host as it is and runs there as the package `runner_host`.

What it imports stays in memory beside the workload of a small board: `typing` (0.8 MB) is
for type checkers alone, so `TYPE_CHECKING` is a name of each module's own.
"""
