"""The program under test: its command, its cgroup, its limits, when it is ready."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from runner.kinds.resources.cgroup import Limits as Cgroup
from runner.records.patterns import PatternError, compiled
from runner.records.quantities import parse
from runner.records.secrets import literal
from runner.spec.base import (
    NUMBER,
    CpuList,
    Duration,
    Environment,
    MaybeSecret,
    Model,
    Text,
    Texts,
    as_text,
    fault,
)
from runner.spec.limits import Limits
from runner.spec.sections.prepare import Prepare

WITHIN = parse("10min")
"""Time that a program that runs once may take, where a spec does not say one."""
_PLACE = re.compile(r"(?:(?:\[[0-9A-Fa-f:.]+\]|[^\s:/]+):)?(?:\d{1,5}|\{\w+\})")


class Ready(Model):
    """When the workload can take load: exactly one of http, tcp, stdout, stderr and listening."""

    http: MaybeSecret | None = Field(None, description="URL that has to answer with 2xx")
    tcp: Annotated[Text, BeforeValidator(as_text)] | None = Field(
        None, description="Port, {port}, or host:port"
    )
    insecure: bool = Field(False, description="Of https: the certificate is not checked")
    ca: Text | None = Field(
        None, description="Of https: file of the host with the CA's certificate, as PEM"
    )
    stdout: Text | None = Field(None, description="Regular expression that has to be printed")
    stderr: Text | None = Field(
        None, description="Regular expression that has to be printed on stderr"
    )
    listening: Literal[True] | None = Field(
        None,
        description="true: something listens on its port; nothing is asked of it, as of a "
        "server that takes a probe for a client",
    )
    within: Duration = Field(
        parse("10s"), description="Time until then; later, the trial is an error"
    )

    @model_validator(mode="after")
    def _one(self) -> "Ready":
        ways = (self.http, self.tcp, self.stdout, self.stderr, self.listening)
        if sum(way is not None for way in ways) != 1:
            raise fault("ready", "needs exactly one of http, tcp, stdout, stderr, listening")
        secure = self.http is not None and literal(self.http).lower().startswith("https:")
        if (self.insecure or self.ca is not None) and not secure:
            raise fault("ready", "insecure and ca are for an https URL under `http`")
        if self.insecure and self.ca is not None:
            raise fault("ready", "`insecure` checks nothing: `ca` has no use beside it")
        if self.tcp is not None and not _PLACE.fullmatch(self.tcp):
            raise fault("ready", f"tcp: `{self.tcp}` is not a port or host:port")
        for stream, pattern in (("stdout", self.stdout), ("stderr", self.stderr)):
            if pattern is None:
                continue
            try:
                compiled(pattern)
            except PatternError as wrong:
                raise fault("ready", f"{stream}: {wrong}") from None
        return self


class Fetch(Model):
    """A page of the workload, or a file of the host, kept with the trial."""

    name: Text = Field(description="Name of the file that is kept with the trial")
    url: MaybeSecret | None = Field(
        None, description="Page that is asked for, as http://127.0.0.1:{port}/debug/vars"
    )
    path: Text | None = Field(
        None, description="File of the host; {pid} and {cgroup} are filled in: /proc/{pid}/smaps"
    )
    binary: bool = Field(
        False, description="Bytes and not text, such as a heap dump: deflated, up to 64 MiB"
    )
    when: Literal["before", "during_step", "after_step", "after"] = Field(
        "after", description="before or after the load, after each step, or during the step"
    )
    after: Duration | None = Field(
        None, description="Of during_step: seconds of the measurement that have to be over"
    )

    @model_validator(mode="after")
    def _one(self) -> "Fetch":
        if (self.url is None) == (self.path is None):
            raise fault("fetch", f"`{self.name}` needs exactly one of url and path")
        if self.after is not None and self.when != "during_step":
            raise fault("fetch", f"`after` of `{self.name}` needs `when: during_step`")
        return self


class Stop(Model):
    """How the workload is ended."""

    signal: Text = Field(
        "TERM", description="Name of the signal that asks it to end: TERM, INT, QUIT"
    )
    grace: Duration = Field(parse("5s"), description="Time until SIGKILL, where it does not end")


class GoTest(Model):
    """Go benchmarks as the workload."""

    package: Text = Field(".", description="Package whose benchmarks run, as ./codec")
    bench: Text = Field(
        ".", description="Regular expression of benchmarks, as `go test -bench` takes it"
    )
    benchmem: bool = Field(False, description="Allocations are reported as well")
    count: Annotated[int, Field(ge=1, le=10_000), NUMBER] = Field(
        1, description="How often each benchmark runs in one trial"
    )
    benchtime: Text | None = Field(
        None, description="Time or number for each, as `go test` takes it: 2s or 1000x"
    )
    cpu: Texts | None = Field(None, description="Values of GOMAXPROCS, each a run of its own")
    timeout: Duration = Field(parse("10min"), description="After which `go test` gives up")


class InputFile(Model):
    """A file of the host that the program reads on stdin."""

    path: Text = Field(description="File of the host; {dir} is filled in")


_USER = re.compile(r"[a-z_][a-z0-9_.-]{0,31}\$?|\d{1,10}", re.IGNORECASE)
_UMASK = re.compile(r"[0-7]{3,4}")


def _user(text: str) -> str:
    if not _USER.fullmatch(text):
        raise fault("user", f"`{text}` cannot name a user: write a name or a number")
    return text


def _umask(text: str) -> str:
    if not _UMASK.fullmatch(text):
        raise fault("umask", f'`{text}` is not a umask: write octal digits in quotes, "022"')
    return text


class Workload(Model):
    """What runs in every trial: a server, a program run once, or Go benchmarks."""

    argv: Annotated[tuple[MaybeSecret, ...], Field(min_length=1)] | None = Field(
        None, description="Command; {binary}, {port}, {dir} and factors are filled in"
    )
    go_test: GoTest | None = Field(None, description="Go benchmarks, in place of a command")
    run: Literal["server", "once"] = Field(
        "server", description="server: runs while the load does; once: is waited for to its end"
    )
    env: Environment = Field(
        {}, description="Variables of its environment, beside the few that it is always given"
    )
    cwd: Text | None = Field(
        None, description="Folder of the host that it runs in; else one of its own"
    )
    user: Annotated[Text, AfterValidator(_user)] | None = Field(
        None, description="User of the host it runs as; {dir} and {binary} are where it can reach"
    )
    umask: Annotated[Text, AfterValidator(_umask)] | None = Field(
        None, description='Octal, in quotes: "022"'
    )
    stdin: InputFile | MaybeSecret | None = Field(
        None, description="What it reads: a text, or {path: …} of the host; else nothing"
    )
    cgroup: Cgroup | None = Field(
        None, description="Limits of its control group, as {memory.max: 32MiB}"
    )
    limits: Limits = Field(
        Limits.model_construct(), description="Limits of the process, as {nofile: 4096}"
    )
    ready: Ready | None = Field(
        None, description="When a server can take load; else as soon as it has started"
    )
    port: Annotated[int, Field(ge=1, le=65535), NUMBER] | None = Field(
        None, description="Fixed port; a free one is chosen where there is none"
    )
    network: Literal["host", "isolated"] = Field(
        "host", description="isolated: a network namespace of its own, with loopback alone"
    )
    cpus: CpuList | None = Field(None, description="CPUs it may use, as 0-1,3")
    aslr: bool | None = Field(
        None, description="false: addresses are not randomised; left out: as the host has it"
    )
    trace: Texts = Field(
        (), description="System calls that strace counts, as [mmap, madvise], or all"
    )
    within: Duration = Field(
        WITHIN, description="Time a `run: once` or go_test may take; beyond it is an error"
    )
    timeout: Duration | None = Field(
        None,
        description="Time it may take where running out of it is a result: it is stopped, and "
        "counts by its rank, as at least so long",
    )
    prepare: tuple[Prepare, ...] = Field(
        (), description="Done in every trial before it is measured, in this order"
    )
    stop: Stop = Field(Stop.model_construct(), description="How it is ended")
    fetch: tuple[Fetch, ...] = Field((), description="Pages and files that are kept with the trial")

    @model_validator(mode="after")
    def _what(self) -> "Workload":
        if (self.argv is None) == (self.go_test is None):
            raise fault("workload", "needs exactly one of argv and go_test")
        once = self.once
        if any(item.when == "ready" for item in self.prepare) and (once or self.ready is None):
            why = "it is never ready" if once else "say `ready`, when that is"
            raise fault("prepare", f"`when: ready` needs a server: {why}")
        if once and self.ready is not None:
            raise fault("ready", "a program that runs once is waited for to its end: leave it out")
        if not once and self.within != WITHIN:
            raise fault("within", "a server has no end: it is for `run: once`, as in ready.within")
        if self.timeout is not None:
            self._timeout(self.timeout.seconds)
        return self

    def _timeout(self, seconds: float) -> None:
        """Refuse a timeout of what has no end, none at all, and two of them."""
        if not self.once:
            raise fault("timeout", "a server has no end: it is for `run: once`, as in load.timeout")
        if seconds <= 0:
            raise fault("timeout", "no program ends in no time")
        if self.within != WITHIN:
            raise fault(
                "timeout",
                "beside `within`: one of them ends it; with `timeout` that is a result, with "
                "`within` an error",
            )

    @property
    def once(self) -> bool:
        """Whether it is waited for to its end."""
        return self.run == "once" or self.go_test is not None
