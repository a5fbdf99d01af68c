"""`yes` where a number belongs is refused in every section: it would count as 1."""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
import typing
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

import runner.spec
from runner.spec.base import Model


def models(base: type[Model] = Model) -> list[type[Model]]:
    """Give every section of a spec."""
    for found in pkgutil.walk_packages(runner.spec.__path__, "runner.spec."):
        importlib.import_module(found.name)
    return [one for below in base.__subclasses__() for one in (below, *models(below))]


def leaves(annotation: Any, outer: Any = None) -> list[Any]:
    """Give the types of one field that stand alone in it, each with what is said of it."""
    if typing.get_origin(annotation) is Annotated:
        inner, *said = typing.get_args(annotation)
        inner_said = said if outer is None else [*said, *outer]
        return leaves(inner, inner_said)
    parts = typing.get_args(annotation)
    if annotation in (int, float):
        return [Annotated[(annotation, *outer)] if outer else annotation]
    return [leaf for part in parts for leaf in leaves(part, outer)]


def test_no_number_of_a_section_is_a_boolean():
    numbers = [
        (model, name, leaf)
        for model in models()
        for name, field in model.model_fields.items()
        for leaf in leaves(Annotated[(field.annotation, *field.metadata)]
                           if field.metadata else field.annotation)
        if "bool" not in repr(field.annotation)  # facts may be any scalar
    ]  # fmt: skip
    assert len(numbers) > 20
    taken = []
    for model, name, leaf in numbers:
        with contextlib.suppress(ValidationError):
            TypeAdapter(leaf).validate_python(True)
            taken.append(f"{model.__name__}.{name}")
    assert not taken
