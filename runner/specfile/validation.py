"""What pydantic found wrong, said as the writer of the file would."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, RootModel, ValidationError

from runner.kinds import discovery
from runner.records.secrets import MASK, Secret
from runner.spec.base import did_you_mean, shape
from runner.spec.experiment import Experiment
from runner.spec.system import NAMES, System, payload_model

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic_core import ErrorDetails

    from runner.specfile.values import Document, Path

_WHAT = {
    "int": "a whole number",
    "float": "a number",
    "decimal": "a number",
    "bool": "true or false",
    "string": "a text",
    "model": "a mapping",
    "dict": "a mapping",
    "mapping": "a mapping",
    "tuple": "a list",
    "list": "a list",
    "set": "a list",
    "frozen": "a list",
    "date": "a date such as 2026-11-22",
}
_OWN = ("value_error", "assertion_error")
_EXPECTED = ("_type", "_parsing", "_from_float", "_attributes_type")


def resolve(data: Any, loc: Iterable[str | int]) -> tuple[Path, list[str | int]]:
    """Part pydantic's location into the path in the file and what is not in the file.

    Between the real keys stand names of union members and of validators.
    """
    path: list[str | int] = []
    rest: list[str | int] = []
    for part in loc:
        known = (isinstance(data, Mapping) and part in data) or (
            isinstance(data, list) and isinstance(part, int) and part < len(data)
        )
        if known:
            data = data[part]
            path.append(part)
            rest = []
        else:
            rest.append(part)
    return tuple(path), rest


def at(data: Any, path: Path) -> Any:
    """Give the value at a path; None where there is none."""
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def keys_at(path: Path, data: object) -> tuple[str, ...]:
    """Keys that the language knows at a path, from the models' annotations."""
    kind: object = Experiment
    for part in path:
        data = at(data, (part,))
        kind = _member(_inside(kind, part), data)
        if kind is None:
            return ()
    kind = _member(kind, {})
    if isinstance(kind, type) and issubclass(kind, BaseModel) and not issubclass(kind, RootModel):
        return tuple(field.alias or name for name, field in kind.model_fields.items())
    return ()


def _inside(kind: object, part: str | int) -> object:
    """Type of what stands below a key or an index."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _field(kind, part)
    arguments = get_args(kind)
    if get_origin(kind) is dict:
        return arguments[1]
    if get_origin(kind) in (tuple, list) and arguments:
        index = part if isinstance(part, int) and Ellipsis not in arguments else 0
        return arguments[min(index, len(arguments) - 1)]
    return None


def _field(model: type[BaseModel], part: str | int) -> object:
    if model is System and (part in NAMES or discovery.known("resources", str(part))):
        return payload_model(str(part))
    if issubclass(model, RootModel):
        return _inside(_member(model.model_fields["root"].annotation, {}), part)
    for name, field in model.model_fields.items():
        if part in (name, field.alias):
            return field.annotation
    return None


def _member(kind: object, data: object) -> object:
    """Strip Annotated and Optional; of a union take the member of the data's shape."""
    if get_origin(kind) is Annotated:
        return _member(get_args(kind)[0], data)
    if get_origin(kind) in (Union, types.UnionType):
        members = [_member(x, data) for x in get_args(kind) if x is not type(None)]
        wanted = (
            [m for m in members if get_origin(m) in (tuple, list)]
            if isinstance(data, list)
            else [m for m in members if _is_mapping(m)]
        )
        return (wanted or members)[0]
    return kind


def _is_mapping(kind: object) -> bool:
    return get_origin(kind) is dict or (isinstance(kind, type) and issubclass(kind, BaseModel))


def explain(
    document: Document, data: object, error: ValidationError, prefix: Path = ()
) -> list[Path]:
    """Add a fault for everything pydantic refused; give the paths that were refused.

    `prefix` is where in the file the data stands.

    A union complains once for each of its members: of several complaints about
    one value the deepest and the most particular is kept.
    """
    found: dict[Path, list[tuple[ErrorDetails, list[str | int]]]] = {}
    for detail in error.errors(include_url=False, include_context=True):
        path, rest = resolve(data, detail["loc"])
        found.setdefault(path, []).append((detail, rest))
    bad: list[Path] = []
    inner = {path[:depth] for path in found for depth in range(len(path))}
    already = {(fault.line, fault.column) for fault in document.faults}
    for path, details in found.items():
        value = at(data, path)
        if path in inner and isinstance(value, (Mapping, list)):
            details = [d for d in details if d[0]["type"] in ("missing", "extra_forbidden")]  # noqa: PLW2901
            if not details or _union(details):
                continue
        bad.append(path)
        for message, key in _messages(document, data, path, details, prefix):
            fault = document.fault((*prefix, *path), message, key=key)
            if (fault.line, fault.column) not in already:
                document.note(fault)
    return bad


def _union(details: list[tuple[ErrorDetails, list[str | int]]]) -> bool:
    """Whether a refused key is that of another member of a union."""
    return any(len(rest) > 1 for _, rest in details)


def _messages(
    document: Document,
    data: object,
    path: Path,
    details: list[tuple[ErrorDetails, list[str | int]]],
    prefix: Path,
) -> list[tuple[str, bool]]:
    """Give each message, and whether the key and not the value is meant."""
    value = at(data, path)
    full = (*prefix, *path)
    messages: list[tuple[str, bool]] = []
    expected: list[str] = []
    for detail, rest in details:
        kind = detail["type"]
        if kind == "extra_forbidden":
            # the refused key is the last part of the path itself
            messages.append((_unknown(data, path), True))
        elif kind == "missing":
            name = str(path[-1]) if path and not rest else str(rest[-1])
            where = f"`{_shown(path)}`" if path else "the spec"
            messages.append((f"{where} lacks the key `{name}`", True))
        elif kind == "invalid_key" or (rest and rest[-1] == "[key]"):
            messages.append((_own(detail), True))
        elif kind in _OWN or "message" in (detail.get("ctx") or {}):
            messages.append((_raw(document, full, detail), False))
        elif kind == "literal_error":
            messages.append((_literal(document, full, value, detail), False))
        elif kind.endswith(_EXPECTED) or kind.startswith("date"):
            expected.append(_WHAT.get(kind.split("_")[0], ""))
        else:
            messages.append((_bound(detail), False))
    particular = [m for m in messages if m[0]]
    if particular:
        return list(dict.fromkeys(particular))
    wanted = " or ".join(dict.fromkeys(word for word in expected if word)) or "something else"
    return [(f"has to be {wanted}, not {_seen(document, full, value)}", False)]


def _unknown(data: object, path: Path) -> str:
    name, above = str(path[-1]), path[:-1]
    known = keys_at(above, data)
    where = f" in `{_shown(above)}`" if above else ""
    hint = did_you_mean(name, known)
    if "did you mean" not in hint and at(data, path) is None:
        # {title: MIPS, total} has a key `total` without a value
        hint = "; is it the end of a text with a comma? Write that text in quotes"
    return f"unknown key `{name}`{where}{hint}"


def _shown(path: Path) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _seen(document: Document, path: Path, value: object) -> str:
    if isinstance(value, Secret):
        return MASK
    raw = document.raw.get(path)
    return f"`{raw}`" if raw and not isinstance(value, (Mapping, list)) else shape(value)


def _own(detail: ErrorDetails) -> str:
    message = detail["msg"]
    for prefix in ("Value error, ", "Assertion failed, "):
        message = message.removeprefix(prefix)
    return message


def _raw(document: Document, path: Path, detail: ErrorDetails) -> str:
    """Use the text as written where YAML has made something else of it."""
    raw = document.raw.get(path)
    if raw is None or "{{" in raw:
        return _own(detail)
    if detail["type"] == "text_boolean":
        return f'`{raw}` reads as a boolean in YAML: write "{raw}" in quotes'
    if detail["type"] == "text_spelled":
        number = detail["input"]
        return f'`{raw}` reads as {number:d}, not as text: write "{raw}" in quotes'
    if detail["type"] == "text_float":
        number = float(raw.replace("_", ""))
        reading = "a number" if str(number) == raw else f"the number {number:g}"
        return f'`{raw}` reads as {reading}, not as text: write "{raw}" in quotes'
    return _own(detail)


def _literal(document: Document, path: Path, value: object, detail: ErrorDetails) -> str:
    expected = str((detail.get("ctx") or {}).get("expected", ""))
    names = [word.strip().strip("'") for word in expected.replace(" or ", ", ").split(",")]
    raw = document.raw.get(path)
    if isinstance(value, bool) and raw in names:
        return f'`{raw}` reads as a boolean in YAML: write "{raw}" in quotes'
    seen = _seen(document, path, value)
    if len(names) == 1:
        return f"has to be `{names[0]}`, not {seen}"
    hint = did_you_mean(str(value), names) if isinstance(value, str) else ""
    if "did you mean" in hint:
        return f"{seen} is none of {', '.join(names)}{hint}"
    return f"{seen} is none of {', '.join(names)}"


def _bound(detail: ErrorDetails) -> str:
    context = detail.get("ctx") or {}
    words = {
        "greater_than_equal": "has to be at least {ge}",
        "greater_than": "has to be above {gt}",
        "less_than_equal": "has to be at most {le}",
        "less_than": "has to be below {lt}",
        "too_short": "needs at least {min_length} entry",
        "too_long": "has at most {max_length} entries",
        "string_too_short": "must not be empty",
        "string_pattern_mismatch": "has to match {pattern}",
    }
    form = words.get(detail["type"])
    return form.format(**context) if form else detail["msg"][:1].lower() + detail["msg"][1:]
