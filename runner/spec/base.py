"""What every section of a spec is made of: the frozen model and the value types."""

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from runner.records.quantities import (
    BYTES,
    COUNT,
    EXAMPLE,
    FREQUENCY,
    RATE,
    RATIO,
    TEMPERATURE,
    TIME,
    Quantity,
    QuantityError,
    parse,
    parse_as,
)
from runner.records.secrets import Secret, from_written

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema


class Model(BaseModel):
    """A section: frozen, no unknown keys, written by alias (`memory.max`)."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        validate_default=False,
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,
        defer_build=True,  # once, as part of the experiment: a fifth of what an import costs
    )


class Bare(Model):
    """A section with one key that says it all: a bare text stands for `{key: text}`."""

    bare: ClassVar[str]

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: object) -> object:
        return {cls.bare: value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: "CoreSchema", handler: "GetJsonSchemaHandler"
    ) -> "JsonSchemaValue":
        return {"anyOf": [{"type": "string"}, handler(core)]}


def fault(kind: str, message: str) -> PydanticCustomError:
    """Make an error whose text is shown as it is (braces are not templates)."""
    return PydanticCustomError(kind, "{message}", {"message": message})


class Spelled(int):
    """A whole number that its digits do not spell: `0x10`, `1_000`, `+3`."""


def as_text(value: Any) -> Any:
    """Take text as it is and whole numbers as their digits; refuse what YAML has bent.

    `1.30` is the number 1.3 by the time it is seen and `off` the boolean false.
    """
    if isinstance(value, bool):
        raise fault("text_boolean", f"`{str(value).lower()}` is a boolean: write it in quotes")
    if isinstance(value, Spelled):
        raise fault("text_spelled", f"is the number {value:d} here: write it in quotes")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        raise fault("text_float", f'`{value}` is a number here: write it in quotes, "{value}"')
    if value is None:
        raise fault("text_empty", 'has no value: write one, or "" for an empty text')
    if isinstance(value, Secret):
        raise fault("text_secret", "a secret cannot be used here")
    if isinstance(value, str) and "\0" in value:
        message = "holds a NUL character, which no argument, variable or name can: use a file"
        raise fault("text_nul", message)
    if not isinstance(value, str):
        raise fault("text_type", f"has to be a text, not {shape(value)}")
    return value


def shape(value: object) -> str:
    """Name a YAML value as its writer would."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, Secret):
        return "a secret"
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f"`{value}`"


def not_boolean(value: Any) -> Any:
    """Refuse `yes` where a number belongs: it would count as 1."""
    if isinstance(value, bool):
        raise fault("number_boolean", f"has to be a number, not {shape(value)}")
    return value


def _maybe_secret(value: object) -> str | Secret:
    if isinstance(value, Secret):
        return value
    found = from_written(value)
    if isinstance(found, Secret):
        return found
    text: str = as_text(value)
    return text


def _write_secret(value: str | Secret) -> object:
    return {"secret": value.written()} if isinstance(value, Secret) else value


_TEXT_SCHEMA = {"type": ["string", "integer"]}
NUMBER = BeforeValidator(not_boolean)
"""On numbers without a unit, last: bounds before it keep their names in the schema."""
MAX_COUNT = 10_000_000
"""Connections, threads, sockets: more than any host has."""
Text = Annotated[str, BeforeValidator(as_text, json_schema_input_type=str | int)]
MaybeSecret = Annotated[
    str | Secret,
    PlainValidator(_maybe_secret),
    PlainSerializer(_write_secret, when_used="json"),
    WithJsonSchema(_TEXT_SCHEMA),
]

_ENV_NAME = re.compile(r"[^=\s\x00-\x1f]+")


def _environment(env: dict[str, str | Secret]) -> dict[str, str | Secret]:
    for name in env:
        if not _ENV_NAME.fullmatch(name):
            raise fault("env", f"`{name}` cannot name a variable of the environment")
    return env


Environment = Annotated[dict[str, MaybeSecret], AfterValidator(_environment)]
"""Variables by name: POSIX allows any that has no `=`."""


def split_words(value: object) -> object:
    """Take `"-s -w"` as a list of its words."""
    return value.split() if isinstance(value, str) else value


Words = Annotated[
    tuple[Text, ...], BeforeValidator(split_words, json_schema_input_type=str | list[str | int])
]


def one_or_many(value: object) -> object:
    """Take a lone value as a list of one."""
    return value if isinstance(value, (list, tuple)) else [value]


Texts = Annotated[
    tuple[Text, ...],
    BeforeValidator(one_or_many, json_schema_input_type=str | int | list[str | int]),
]


def _amount(dimension: str | None) -> object:
    def read(value: Any) -> Quantity:
        if isinstance(value, (Mapping, list, tuple, Secret)) or value is None:
            example = EXAMPLE[dimension or BYTES]
            raise fault("quantity", f"has to be a quantity such as {example}, not {shape(value)}")
        try:
            return parse(value) if dimension is None else parse_as(dimension, value)
        except QuantityError as wrong:
            raise fault("quantity", str(wrong)) from None

    return PlainValidator(read)


def _kind(dimension: str | None) -> tuple[object, ...]:
    examples = [EXAMPLE[dimension]] if dimension else ["32MiB", "30s", "5%", 100]
    schema = {"type": ["string", "number"], "examples": examples}
    # in every mode: a treatment is the written spec with its levels laid over, read again
    written = PlainSerializer(write_quantity)
    return (_amount(dimension), written, WithJsonSchema(schema))


def write_quantity(value: Quantity) -> str | int | float:
    """Write a bare number as a number and everything else as text with its unit."""
    return value.value if value.dimension == COUNT else str(value)


Duration = Annotated[Quantity, *_kind(TIME)]
Size = Annotated[Quantity, *_kind(BYTES)]
Ratio = Annotated[Quantity, *_kind(RATIO)]
Rate = Annotated[Quantity, *_kind(RATE)]
Frequency = Annotated[Quantity, *_kind(FREQUENCY)]
Temperature = Annotated[Quantity, *_kind(TEMPERATURE)]
Amount = Annotated[Quantity, *_kind(None)]


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Give the known name most like a word, or None where nothing is near."""
    import difflib

    names = [str(name) for name in known]
    lower = {name.lower(): name for name in names}
    found = difflib.get_close_matches(word.lower(), list(lower), n=1, cutoff=0.6)
    return lower[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Give ` (did you mean …?)`, or the known names where they are few, or nothing."""
    names = list(dict.fromkeys(str(name) for name in known))
    near = nearest(word, names)
    if near is not None:
        return f"; did you mean `{near}`?"
    if 0 < len(names) <= FEW:  # more would hide the fault
        return f"; known: {', '.join(names)}"
    with_it = [name for name in names if _parts(word) <= _parts(name)] if word else []
    if 0 < len(with_it) <= FEW:  # cpu: user_cpu, system_cpu
        return f"; there is {' and '.join(f'`{name}`' for name in with_it)}"
    return ""


FEW = 8
"""Names that a message may list."""


def _parts(name: str) -> set[str]:
    return set(re.split(r"[._\s-]", name))


_CPUS = re.compile(r"\d{1,4}(-\d{1,4})?(,\d{1,4}(-\d{1,4})?)*")


def _cpu_list(text: str) -> str:
    if "{" in text:  # a factor's level stands there: seen when it is filled in
        return text
    parts = [part.partition("-") for part in text.split(",")]
    if not _CPUS.fullmatch(text) or any(dash and int(a) > int(b) for a, dash, b in parts):
        raise fault("cpus", f"`{text}` is not a list of CPUs: write for instance 0-1,3")
    return text


CpuList = Annotated[Text, AfterValidator(_cpu_list)]
"""CPUs as the kernel writes them: `0-1,3`."""
