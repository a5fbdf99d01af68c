"""Conditions on facts, checked before anything is touched."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from runner.records.patterns import PatternError, compiled
from runner.spec.base import Amount, Model, Text, as_text, fault

Scalar = str | int | float | bool
HOST_ROLES = ("server", "load")


class Requirement(Model):
    """A condition on one fact; all parts that are given have to hold."""

    equals: Scalar | None = Field(None, description="Exactly this")
    contains: Text | None = Field(None, description="This is part of the text")
    one_of: tuple[Scalar, ...] | None = Field(None, description="Any of these")
    at_least: Amount | None = Field(None, description="A number or quantity at least so large")
    at_most: Amount | None = Field(None, description="A number or quantity at most so large")
    matches: Text | None = Field(None, description="A regular expression that is found in the text")
    exists: bool | None = Field(
        None, description="true: the fact is known on the host; false: it is not"
    )

    @model_validator(mode="after")
    def _something(self) -> "Requirement":
        if not self.model_fields_set:
            raise fault("requires", "asks for nothing")
        if self.matches is not None:
            try:
                compiled(self.matches)
            except PatternError as wrong:
                raise fault("requires", f"matches: {wrong}") from None
        return self


def read_requirement(value: object) -> object:
    """Take a lone value as `equals`."""
    if isinstance(value, (Mapping, Requirement)):
        return value
    if isinstance(value, (list, tuple)):
        return {"one_of": value}
    if value is None:
        as_text(value)
    return {"equals": value}


RequirementOf = Annotated[
    Requirement,
    BeforeValidator(
        read_requirement, json_schema_input_type=str | float | bool | list[str] | Requirement
    ),
]


def split_role(fact: str) -> tuple[str, str]:
    """`server.nofile_hard` is (server, nofile_hard); without a role the server is meant."""
    role, dot, name = fact.partition(".")
    return (role, name) if dot and role in HOST_ROLES else ("server", fact)
