"""Rules about what others see of a run, and what a spec makes run here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.lint.model import Rule
from runner.spec.reach import steered

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.lint.view import View

    Hits = Iterator[tuple[str, str]]


def is_secret(value: object) -> bool:
    """Say whether a value of the expanded spec stands for a secret."""
    return isinstance(value, dict) and set(value) == {"secret"}


def _in_argv(view: View) -> Hits:
    for variant in view.variants:
        for index, word in enumerate(variant.at("workload", "argv") or ()):
            if is_secret(word):
                source = str(word["secret"][-1])
                where = variant.path(f"workload.argv[{index}]")
                yield where, f"{source} is in the argv of the program: others of the host see it"


def _unsaid(view: View) -> Hits:
    for variant in view.variants:
        build: Mapping[str, object] = variant.at("build") or {}
        said = set(map(str, build.get("runs") or ()))  # type: ignore[call-overload]
        for found in steered(build):
            # a command says for itself that it is run
            if found.where != "build.command" and found.runs not in said:
                yield variant.path(found.where), f"{found.text} makes `{found.runs}` run here"


RULES = (
    Rule(
        "secret-in-argv", "warning",
        "A secret is in the program's argv.",
        "Every user of the host reads the argv of every process (`ps -ef`, /proc/PID/cmdline).",
        "Give it by `workload.env` or by a file with mode 0600 that the program reads.",
        "proc_pid_cmdline(5)",
        _in_argv,
    ),
    Rule(
        "runs-unsaid", "error",
        "The build makes a program run on the controller that the spec does not declare.",
        "`-toolexec`, `-extld`, CC and the like are commands of whoever wrote the spec, run with "
        "the keys of whoever applies it.",
        "Say so: `build: {runs: [./x]}`; `runner apply` then asks once.",
        "go help environment, go doc cmd/link, gcc(1)",
        _unsaid,
    ),
)  # fmt: skip
