"""What is done on the host in every trial before the workload is measured."""

from typing import Annotated, Literal

from pydantic import (
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from runner.kinds.resources.actions import Action
from runner.records.quantities import parse
from runner.spec.base import Duration, MaybeSecret, Model, fault, one_or_many

Actions = Annotated[
    tuple[Action, ...],
    BeforeValidator(one_or_many, json_schema_input_type=Action | list[Action]),
]


class Prepare(Model):
    """One preparation: actions, or a command; its failure is the trial's error, its time apart."""

    actions: Actions = Field((), description="sync, drop_caches, compact_memory")
    run: Annotated[tuple[MaybeSecret, ...] | None, Field(min_length=1)] = Field(
        None,
        description="Command, run where the workload runs with its env; {port}, {dir}, {binary} "
        "and factors are filled in. It has to exit 0",
    )
    when: Literal["before", "ready"] = Field(
        "before", description="before the workload starts, or once it is `ready`"
    )
    within: Duration = Field(parse("10min"), description="Time a command may take")

    @model_validator(mode="after")
    def _one(self) -> "Prepare":
        if bool(self.actions) == (self.run is not None):
            raise fault("prepare", "needs exactly one of actions and run")
        if self.actions and "within" in self.model_fields_set:
            raise fault("prepare", "`within` bounds a command, and actions are none")
        if not self.within.exact:
            raise fault("prepare", "within 0s nothing can run")
        return self

    @model_serializer(mode="wrap")
    def _read_back(self, write: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Leave out what would be refused where it is read back: a default that nothing heeds."""
        found: dict[str, object] = write(self)
        if self.actions:
            found.pop("within", None)
        return found
