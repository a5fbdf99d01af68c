"""How checks are printed for continuous integration: `--format`, the same for every gate."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli import console
from runner.errors import RunnerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.report.exports.ci import Check

FORMATS = ("github", "junit", "markdown")
SUMMARY = "GITHUB_STEP_SUMMARY"
"""Variable that names the file of a job's summary; docs.github.com."""


def show(form: str, title: str, checks: Sequence[Check]) -> None:
    """Print checks in one of FORMATS; `github` adds to the job's summary where there is one."""
    from runner.report.exports import ci

    if form == "junit":
        console.out(ci.junit(checks).rstrip("\n"))
    elif form == "markdown":
        console.out(ci.summary(title, checks).rstrip("\n"))
    else:
        commands = ci.github(checks)
        if commands:
            console.out(commands.rstrip("\n"))
        if os.environ.get(SUMMARY):
            try:
                with Path(os.environ[SUMMARY]).open("a", encoding="utf-8") as file:
                    file.write(ci.summary(title, checks) + "\n")
            except OSError as error:
                raise RunnerError(
                    f"cannot write the job's summary: {error.strerror or error}",
                    fix=f"unset {SUMMARY}, or make the file that it names writable",
                ) from error
