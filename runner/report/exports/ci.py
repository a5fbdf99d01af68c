"""Checks as continuous integration reads them: annotations, JUnit and a summary. Pure.

Sources: docs.github.com "Workflow commands for GitHub Actions" (escapes of data and
properties); the JUnit schema of the Jenkins xUnit plugin, which GitLab reads too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from xml.sax.saxutils import quoteattr

from runner.report.figures.svg import clean
from runner.report.format import markdown

if TYPE_CHECKING:
    from collections.abc import Sequence

State = Literal["passed", "failed", "skipped"]
_COMMAND = {"failed": "error", "skipped": "notice", "passed": "notice"}
_MARK = {"failed": "✗", "skipped": "–", "passed": "✓"}


@dataclass(frozen=True)
class Check:
    """One claim of a spec, or one metric of a comparison."""

    suite: str
    """What it belongs to: the spec's path, or the two runs."""
    name: str
    state: State
    said: str
    """The result in a few words: `contradicted`, `✗ worse`."""
    detail: str = ""
    file: str = ""
    """The spec's path as it was given; empty where there is none."""
    line: int = 0


def github(checks: Sequence[Check]) -> str:
    """Give a workflow command for each check that is not passed; empty where all are."""
    return "".join(_annotation(check) for check in checks if check.state != "passed")


def _annotation(check: Check) -> str:
    place = {"file": check.file, "line": str(check.line)} if check.file else {}
    properties = {**place, "title": f"{check.name}: {check.said}"}
    attributes = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    message = check.detail or check.said
    return f"::{_COMMAND[check.state]} {attributes}::{_data(message)}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def junit(checks: Sequence[Check]) -> str:
    """Give a JUnit document: a suite for each spec, a case for each check."""
    suites = list(dict.fromkeys(check.suite for check in checks))
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites {_counts(checks)}>"]
    for suite in suites:
        own = [check for check in checks if check.suite == suite]
        lines.append(f"  <testsuite name={_attribute(suite)} {_counts(own)}>")
        for check in own:
            lines += _case(check)
        lines.append("  </testsuite>")
    return "\n".join([*lines, "</testsuites>"]) + "\n"


def _case(check: Check) -> list[str]:
    place = f" file={_attribute(check.file)}" if check.file else ""
    place += f' line="{check.line}"' if check.line else ""
    head = f"    <testcase classname={_attribute(check.suite)} name={_attribute(check.name)}{place}"
    if check.state == "passed":
        return [head + "/>"]
    tag = "failure" if check.state == "failed" else "skipped"
    body = f"      <{tag} message={_attribute(check.said)}>{clean(check.detail)}</{tag}>"
    return [head + ">", body, "    </testcase>"]


def _attribute(text: str) -> str:
    # `clean` takes out what XML 1.0 does not allow and has escaped the rest already
    return '"' + clean(text) + '"' if text else quoteattr(text)


def _counts(checks: Sequence[Check]) -> str:
    failed = sum(check.state == "failed" for check in checks)
    skipped = sum(check.state == "skipped" for check in checks)
    return f'tests="{len(checks)}" failures="{failed}" errors="0" skipped="{skipped}"'


def summary(title: str, checks: Sequence[Check]) -> str:
    """Give a page for a job's summary or a pull request: what failed first."""
    order = ("failed", "skipped", "passed")
    rows = [
        [_MARK[check.state], markdown.escape(check.suite), markdown.escape(check.name),
         markdown.escape(check.said), markdown.escape(check.detail)]
        for state in order
        for check in checks
        if check.state == state
    ]  # fmt: skip
    failed = sum(check.state == "failed" for check in checks)
    result = f"{failed} of {len(checks)} failed" if failed else f"all of {len(checks)} hold"
    parts = [f"## {markdown.escape(title)}", f"{result}."]
    if rows:
        table = markdown.table(["", "of", "name", "result", "why"], rows, "lllll")
        parts.append(table)
    return "\n\n".join(parts) + "\n"
