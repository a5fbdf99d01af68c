"""Rules about what others see of a run, what a spec makes run here, and what nothing says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.kinds.sources.interface import SECTIONS
from runner.kinds.units import needs_of
from runner.lint.model import SIGPLAN, Rule
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


def _unfed(subject: Subject) -> Hits:
    said = repr([(one.workload, one.load) for one in subject.variants])
    paged = any(one.workload and (one.workload.fetch or one.workload.once)
                for one in subject.variants)  # fmt: skip
    for where, name in subject.mentions(""):
        for need in needs_of(name):
            if need == "pages" and not paged:
                yield where, f"`{name}` is of a page, and nothing is fetched"
            elif need not in SECTIONS and need != "pages" and need not in said:
                yield where, f"nothing in workload and load says `{need}`, which `{name}` is of"


def _unbuilt(subject: Subject) -> Hits:
    base = subject.base
    used = any(one.workload and one.workload.go_test for one in subject.variants)
    said = any("{binary}" in repr(one.workload) for one in subject.variants)
    looked_at = "build" in subject.experiment.families
    if base.build is not None and base.workload is not None and not (used or said or looked_at):
        yield "build", "is built, and neither run nor looked at: nothing in workload says {binary}"


def _left_behind(subject: Subject) -> Hits:
    for variant in subject.variants:
        workload = variant.workload
        if workload is None or workload.cwd is not None:
            continue
        runs = [
            (f"workload.prepare[{at}].run", step.run) for at, step in enumerate(workload.prepare)
        ]
        made = any(run for _, run in runs)  # by a preparation, perhaps
        for place, words in (("workload.argv", workload.argv), *runs):
            for index, word in enumerate(words or ()):
                name = str(word).removeprefix("{dir}/").removeprefix("./")
                on_path = index == 0 and "/" not in str(word)
                if on_path or name.startswith(("/", "-")) or (made and name != str(word)):
                    continue
                if name and subject.beside(name):
                    yield (
                        variant.path(f"{place}[{index}]"),
                        f"`{name}` lies beside the spec, and nothing brings it to the host",
                    )


RULES = (
    Rule(
        "file-left-behind", "error",
        "A command names a file of the spec's folder that nothing brings to the host.",
        "The program runs on the host, in a folder of the trial's own ({dir}), which is empty: "
        "files of the spec's folder are not there, on this machine neither.",
        "A program: `build: {command: [cp, NAME, program], output: program}`, and `{binary}` in "
        "argv. A file: `system: {files: {/tmp/NAME: {src: NAME}}}`, and /tmp/NAME in argv.",
        f"{SIGPLAN}, “Sufficient information to repeat”",
        _left_behind,
    ),
    Rule(
        "build-unused", "warning",
        "A program is built, and the workload is another one.",
        "What is measured is then the program that argv names, whatever `build` says: its flags "
        "as a factor change nothing.",
        "Write `{binary}` in `workload.argv`, or name a `build.*` metric.",
        f"{SIGPLAN}, “Sufficient information to repeat”",
        _unbuilt,
    ),
    Rule(
        "source-unfed", "warning",
        "A number is of what a program prints or answers, and nothing in the spec makes it do so.",
        "`gctrace.count` without `GODEBUG=gctrace=1` is null in every trial, as is a page of "
        "`/debug/vars` that is not fetched; a wrapper script may still do it.",
        "Say `workload: {env: {GODEBUG: gctrace=1}}`, or fetch the page.",
        "pkg.go.dev/runtime, “Environment Variables”; pkg.go.dev/expvar",
        _unfed,
    ),
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
