"""What every section of a spec is made of: the frozen model and the value types."""

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    PlainValidator,
    SecretStr,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from runner.errors import SpecError
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

MASK = "**********"


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


class Secret(SecretStr):
    """A text that is known at run time only: literal pieces and sources in order.

    A source is `env:NAME` or `file:path`. It is read when `get_secret_value` is
    called and not before; everything else shows the mask. Two secrets are equal
    when they come from the same place.
    """

    def __init__(
        self,
        parts: tuple[tuple[str, str], ...],
        reveal: Callable[[tuple[tuple[str, str], ...]], str] | None = None,
    ) -> None:
        super().__init__(MASK)
        self.parts = parts
        """("text", literal), ("env", name) or ("file", path)."""
        self._reveal = reveal

    def get_secret_value(self) -> str:
        """Read the sources; SpecError names one that is missing."""
        if self._reveal is None:
            raise SpecError(f"the secret {' '.join(self.written())} cannot be read here")
        return self._reveal(self.parts)

    def with_parts(self, parts: tuple[tuple[str, str], ...]) -> "Secret":
        """Give a secret of other pieces that is read in the same way."""
        return Secret(parts, self._reveal)

    def written(self) -> list[str]:
        """Give the sources as a user writes them; literal pieces are `text:…`."""
        return [f"{kind}:{what}" for kind, what in self.parts]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.parts == other.parts

    def __hash__(self) -> int:
        return hash(self.parts)

    def __len__(self) -> int:
        return len(MASK)

    @staticmethod
    def source(text: str) -> tuple[str, str]:
        """Read `env:NAME` or `file:path`; ValueError says what is wrong."""
        kind, colon, what = text.strip().partition(":")
        if not colon or kind not in ("env", "file") or not what.strip():
            raise ValueError(f"`!secret {text}` is not known: write !secret env:NAME or file:path")
        return kind, what.strip()


def fault(kind: str, message: str) -> PydanticCustomError:
    """Make an error whose text is shown as it is (braces are no template)."""
    return PydanticCustomError(kind, "{message}", {"message": message})


def as_text(value: Any) -> Any:
    """Take text as it is and whole numbers as their digits; refuse what YAML has bent.

    `1.30` is the number 1.3 by the time it is seen and `off` the boolean false.
    """
    if isinstance(value, bool):
        raise fault("text_boolean", f"`{str(value).lower()}` is a boolean: write it in quotes")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        raise fault("text_float", f'`{value}` is a number here: write it in quotes, "{value}"')
    if value is None:
        raise fault("text_empty", 'has no value: write one, or "" for an empty text')
    if isinstance(value, Secret):
        raise fault("text_secret", "a secret cannot be used here")
    if not isinstance(value, str):
        raise fault("text_type", f"has to be a text, not {shape(value)}")
    return value


def shape(value: Any) -> str:
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


def _maybe_secret(value: Any) -> str | Secret:
    if isinstance(value, Secret):
        return value
    if isinstance(value, Mapping) and set(value) == {"secret"}:
        parts = [str(part).partition(":") for part in value["secret"]]
        return Secret(tuple((kind, what) for kind, _, what in parts))
    text: str = as_text(value)
    return text


def _write_secret(value: str | Secret) -> Any:
    return {"secret": value.written()} if isinstance(value, Secret) else value


_TEXT_SCHEMA = {"type": ["string", "integer"]}
Text = Annotated[str, BeforeValidator(as_text, json_schema_input_type=str | int)]
MaybeSecret = Annotated[
    str | Secret,
    PlainValidator(_maybe_secret),
    PlainSerializer(_write_secret, when_used="json"),
    WithJsonSchema(_TEXT_SCHEMA),
]


def split_words(value: Any) -> Any:
    """Take `"-s -w"` as a list of its words."""
    return value.split() if isinstance(value, str) else value


Words = Annotated[
    tuple[Text, ...], BeforeValidator(split_words, json_schema_input_type=str | list[str | int])
]


def one_or_many(value: Any) -> Any:
    """Take a lone value as a list of one."""
    return value if isinstance(value, (list, tuple)) else [value]


Texts = Annotated[
    tuple[Text, ...],
    BeforeValidator(one_or_many, json_schema_input_type=str | int | list[str | int]),
]


def _amount(dimension: str | None) -> Any:
    def read(value: Any) -> Quantity:
        if isinstance(value, (Mapping, list, tuple, Secret)) or value is None:
            example = EXAMPLE[dimension or BYTES]
            raise fault("quantity", f"has to be a quantity such as {example}, not {shape(value)}")
        try:
            return parse(value) if dimension is None else parse_as(dimension, value)
        except QuantityError as wrong:
            raise fault("quantity", str(wrong)) from None

    return PlainValidator(read)


def _kind(dimension: str | None) -> tuple[Any, ...]:
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
    if 0 < len(names) <= 8:  # more would hide the fault
        return f"; known: {', '.join(names)}"
    return ""
