"""What a load sends from a file, and which answers are good."""

import base64
import binascii
import re
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from runner.errors import SpecError
from runner.records.steps import SUCCESS
from runner.spec.base import NUMBER, Bare, Model, Text, as_text, fault


class BodyFile(Bare):
    """The body of every request, from a file beside the spec; a bare text is its path."""

    bare = "path"

    path: Text = Field(description="File beside the spec, at most 1 MiB")
    base64: Text | None = Field(
        None, description="Its bytes as they were read: runner writes it into the record"
    )

    @model_validator(mode="after")
    def _whole(self) -> "BodyFile":
        try:
            base64.b64decode(self.base64 or "", validate=True)
        except binascii.Error:
            raise fault("body_file", f"the bytes of `{self.path}` are not base64") from None
        return self

    def content(self) -> bytes:
        """Give the bytes; SpecError where nobody has read them."""
        if self.base64 is None:
            raise SpecError(f"body_file: {self.path} was not read", fix="give the spec by its path")
        return base64.b64decode(self.base64)


def _statuses(value: object) -> object:
    """Read `201`, `200-299`, `2xx`, or a list of them, as ranges."""
    given = value if isinstance(value, (list, tuple)) else [value]
    found = []
    for item in given:
        if isinstance(item, (list, tuple)) and len(item) == 2:
            found.append(tuple(item))
            continue
        text = str(as_text(item)).strip().lower()
        if re.fullmatch(r"[1-5]xx", text):
            low, high = f"{text[0]}00", f"{text[0]}99"
        else:
            low, dash, high = text.partition("-")
            high = high if dash else low
        if not (re.fullmatch(r"[1-5]\d\d", low) and re.fullmatch(r"[1-5]\d\d", high)):
            raise fault("status", f"`{item}` is not a status: write 201, 200-299 or 2xx")
        if int(high) < int(low):
            raise fault("status", f"`{item}` ends below its begin")
        found.append((int(low), int(high)))
    if not found:
        raise fault("status", "names no status that is good")
    return tuple(found)


Statuses = Annotated[
    tuple[tuple[int, int], ...],
    BeforeValidator(_statuses, json_schema_input_type=int | str | list[int | str]),
]


class Expect(Model):
    """What an answer has to be to count as good."""

    status: Statuses = Field(SUCCESS, description="Statuses: 201, 200-299, 2xx, or a list of them")


class WeightedUrl(Bare):
    """One of several URLs; a bare text is one of weight 1."""

    bare = "url"

    url: Text = Field(description="What is asked for")
    weight: Annotated[int, Field(ge=1, le=1000), NUMBER] = Field(
        1, description="Its share: 3 is asked three times as often as 1"
    )
