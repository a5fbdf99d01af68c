"""Faults injected while the load runs; journalled and undone like any other change."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from runner.spec.base import Duration, Model, Ratio, Size, Text, fault


class NetworkFault(Model):
    """What happens to a link; `uplink` is the one with the default route."""

    down: Text | None = Field(None, description="Link that is taken down, or uplink")
    link: Text = Field(
        "uplink", description="Link that is slowed, or uplink: the one with the default route"
    )
    delay: Duration | None = Field(None, description="Added to every packet that leaves")
    jitter: Duration | None = Field(None, description="By how much the delay varies")
    loss: Ratio | None = Field(None, description="Share of packets that are lost, as 1%")
    rate: Text | None = Field(None, description="Highest rate of the link, as tc writes it: 10mbit")

    @model_validator(mode="after")
    def _something(self) -> "NetworkFault":
        if all(x is None for x in (self.down, self.delay, self.loss, self.rate)):
            raise fault("fault", "does nothing: give down, delay, loss or rate")
        if self.down is not None and any(x is not None for x in (self.delay, self.loss, self.rate)):
            raise fault("fault", "a link that is down is not slow too: make it two faults")
        if self.jitter is not None and self.delay is None:
            raise fault("fault", "jitter is that of a delay: give delay too")
        return self


class ProcessFault(Model):
    """Pause (SIGSTOP) or kill (SIGKILL) a process."""

    pause: Text | None = Field(
        None, description="workload: stopped by SIGSTOP, continued at the end"
    )
    kill: Text | None = Field(None, description="workload: ended by SIGKILL")

    @model_validator(mode="after")
    def _one(self) -> "ProcessFault":
        if (self.pause is None) == (self.kill is None):
            raise fault("fault", "needs exactly one of pause and kill, for example pause: workload")
        named = self.pause or self.kill
        if named != "workload":
            raise fault("fault", f"only the workload can be paused or killed, not `{named}`")
        return self


class MemoryFault(Model):
    """Memory taken away from the host by a process outside the workload's cgroup.

    The process is the first to go when the kernel has to kill one.
    """

    pressure: Size = Field(description="Memory that is taken, as 64MiB")


def _no_clock(value: object) -> object:
    if value is not None:
        raise fault(
            "fault", "steps of the clock are refused: every timestamp of the record would break"
        )
    return value


class Fault(Model):
    """One fault: when it begins, how long it lasts, and what it is."""

    at: Duration = Field(description="After the load began")
    for_: Duration | None = Field(
        None, alias="for", description="How long it lasts; a kill has no end"
    )
    network: NetworkFault | None = Field(None, description="A link that is down or slow")
    process: ProcessFault | None = Field(None, description="The workload paused or killed")
    memory: MemoryFault | None = Field(None, description="Memory taken from the whole host")
    clock: Annotated[object, BeforeValidator(_no_clock)] = Field(
        None, description="Refused: a step of the clock breaks every time of the record"
    )

    @model_validator(mode="after")
    def _one(self) -> "Fault":
        if sum(x is not None for x in (self.network, self.process, self.memory)) != 1:
            raise fault("fault", "needs exactly one of network, process, memory")
        killed = self.process is not None and self.process.kill is not None
        if self.for_ is None and not killed:
            raise fault("fault", "has no end: say how long with `for`")
        return self

    @property
    def kind(self) -> Literal["network", "process", "memory"]:
        """Which of the three it is."""
        if self.network is not None:
            return "network"
        return "process" if self.process is not None else "memory"
