"""Rules about what others see of a run, and what a spec makes run here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.lint.model import Rule
from runner.records.secrets import Secret
from runner.spec.reach import steered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.lint.subject import Subject

    Hits = Iterator[tuple[str, str]]


def _in_argv(subject: Subject) -> Hits:
    for variant in subject.variants:
        argv = (variant.workload.argv if variant.workload else None) or ()
        for index, word in enumerate(argv):
            if isinstance(word, Secret):
                where = variant.path(f"workload.argv[{index}]")
                source = word.written()[-1]
                yield where, f"{source} is in the argv of the program: others of the host see it"


def _unsaid(subject: Subject) -> Hits:
    for variant in subject.variants:
        if variant.build is None:
            continue
        for found in steered(variant.build):
            # a command says for itself that it is run
            if found.where != "build.command" and found.runs not in variant.build.runs:
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
