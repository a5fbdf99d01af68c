"""Lines of JSON as a broken or hostile host might have them: each call makes one variant."""

from __future__ import annotations

import json
import random
from typing import Any

VALUES: list[Any] = [
    None, True, False, 0, -1, 2**31, 2**63, -(2**63) - 1, 10**400, 0.1, -0.0, 1e308, float("nan"),
    float("inf"), -float("inf"), "", " ", "\0", "\ud800", "\x1b]0;x\x07\x1b[2J", "\u202etxt.exe", "a\nb\r\nc",
    "<script>alert(1)</script>", "../../../etc/passwd", "/dev/zero", "{x}", "{{ x }}", "=1+1", "x" * 5000,
    [], {}, [[]], [{}], {"": ""}, ["a"] * 300, {"event": "end"}, {"a": {"b": {"c": 1}}}, "1", "1e9", "NaN",
]  # fmt: skip
RAW = [
    b"", b"\n", b"\0\n", b"{\n", b"null\n", b"[]\n", b'"x"\n', b"17\n", b"{}\n", b'{"event":1}\n',
    b'{"event":"end","ok":true}\n', b'{"event":"end","ok":false}\n', b'{"event":"end"}\n',
    b'{"event":"end","ok":true,"error":{"code":"internal","message":"\\u001b[31mx","fix":""}}\n',
    b'{"event":"end","ok":false,"error":{"code":"no such code","message":null}}\n',
    b'{"event":"need_agent"}\n', b'{"event":"need_blob","sha256":"x","size":-1}\n',
    b'{"event":"trial_started","at":1,"t":0}\n', b'{"event":"nothing"}\n', b"\xff\xfe\xfd\n",
    b"[" * 3000 + b"\n", b'{"event":"value","id":' + b'{"a":' * 2000 + b"\n", b"x" * 70000 + b"\n",
    b'{"event":"sample","at":1,"t":1,"v":[' + b"1," * 3000 + b"1]}\n",
]  # fmt: skip


def lines(rng: random.Random, given: list[bytes]) -> bytes:
    """A stream of these lines, with one to four things wrong."""
    found = list(given)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        rng.choice((_value, _value, _value, _key, _raw, _drop, _twice, _swap, _bytes, _cut))(
            rng, found
        )
    return b"".join(found)


def _value(rng: random.Random, found: list[bytes]) -> None:
    """Put another value somewhere into one object."""
    at, said = _object(rng, found)
    if said is None:
        return
    place, key = _place(rng, said)
    place[key] = rng.choice(VALUES)
    found[at] = _written(rng, said)


def _key(rng: random.Random, found: list[bytes]) -> None:
    """Take a key away, rename it, or add one."""
    at, said = _object(rng, found)
    if said is None:
        return
    place, key = _place(rng, said)
    value = place.pop(key)
    if isinstance(place, dict) and rng.random() < 0.5:
        place[rng.choice(["", "event", "id", "at", "x" * 300, "\ud800"])] = value
    found[at] = _written(rng, said)


def _raw(rng: random.Random, found: list[bytes]) -> None:
    found.insert(rng.randint(0, len(found)), rng.choice(RAW))


def _drop(rng: random.Random, found: list[bytes]) -> None:
    if found:
        first = rng.randrange(len(found))
        del found[first : first + rng.choice((1, 1, 2, len(found)))]


def _twice(rng: random.Random, found: list[bytes]) -> None:
    if found:
        found.insert(rng.randrange(len(found)), rng.choice(found))


def _swap(rng: random.Random, found: list[bytes]) -> None:
    rng.shuffle(found)


def _bytes(rng: random.Random, found: list[bytes]) -> None:
    if found:
        at = rng.randrange(len(found))
        data = bytearray(found[at])
        for _ in range(rng.randint(1, 8)):
            if data:
                data[rng.randrange(len(data))] = rng.randrange(256)
        found[at] = bytes(data)


def _cut(rng: random.Random, found: list[bytes]) -> None:
    if found:
        at = rng.randrange(len(found))
        found[at] = found[at][: rng.randint(0, len(found[at]))]
        if rng.random() < 0.5:
            del found[at + 1 :]


def _object(rng: random.Random, found: list[bytes]) -> tuple[int, Any]:
    if not found:
        return 0, None
    at = rng.randrange(len(found))
    try:
        said = json.loads(found[at])
    except (ValueError, RecursionError):
        return at, None
    return at, said if isinstance(said, dict) and said else None


def _place(rng: random.Random, said: Any) -> tuple[Any, Any]:
    """Go down some way and give a container that is not empty, with one of its keys."""
    while True:
        key = rng.choice(list(said) if isinstance(said, dict) else range(len(said)))
        inner = said[key]
        if not isinstance(inner, (dict, list)) or not inner or rng.random() < 0.3:
            return said, key
        said = inner


def _written(rng: random.Random, said: Any) -> bytes:
    return (
        json.dumps(said, ensure_ascii=rng.random() < 0.8).encode("utf-8", "surrogatepass") + b"\n"
    )
