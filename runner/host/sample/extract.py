"""Picking numbers out of a kernel file's text. Pure: text in, numbers or None out.

A pick is plain data made by a source kind:

    {"int": true}                     the whole text is one number; the column is the read's id
    {"hex": true}                     one number in hexadecimal, with or without 0x
    {"keys": ["VmRSS", "oom_kill"]}   lines `Key:   12 kB` or `key 12`
    {"after_comm": [11, 12]}          words of /proc/PID/stat behind the command name
    {"words": [0, 3]}                 words of the whole text
    {"psi": ["some.total"]}           `some avg10=0.00 … total=12`
    {"netstat": ["TcpExt.ListenOverflows"]}   header line and value line in pairs
    {"established": 8080}             not a file: the socket dump answers (see sockets.py)
    {"perf": ["instructions"]}        not a file: perf_event_open answers (see perf.py)
    {"pmic": "/usr/bin/vcgencmd"}     not a file: watts by the firmware's tool (see pmic.py)
    {"tree": ["user", "rss_pages"]}   all processes of the workload together (see tree.py)
    {"vcgencmd": "/usr/bin/vcgencmd"} not a file: the firmware's tool answers (see throttle.py)

What is not there, or is not a number (`max`), is None and never 0.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, List, Optional, Sequence, Union

    from runner.records.program import Pick

    Number = Union[int, float]
    Values = List[Optional[Number]]
KINDS = (
    "int",
    "hex",
    "keys",
    "after_comm",
    "words",
    "psi",
    "netstat",
    "established",
    "perf",
    "vcgencmd",
    "pmic",
    "tree",
)


def kind(pick: Pick) -> str:
    """Name of the pick; ValueError when there is none or more than one."""
    kinds = [name for name in KINDS if name in pick]
    if len(kinds) != 1 or len(pick) != 1:
        raise ValueError(f"a pick has exactly one of {', '.join(KINDS)}, not {sorted(pick)!r}")
    return kinds[0]


def columns(read_id: str, pick: Pick) -> List[str]:
    """Names of the columns that this read gives, in the order of its values."""
    name = kind(pick)
    if name in ("int", "hex", "established", "vcgencmd", "pmic"):
        return [read_id]
    items = pick.get(name)
    if not isinstance(items, (list, tuple)):
        raise ValueError(f"a pick of {name} has a list, not {items!r}")  # noqa: TRY004 - as above
    return [f"{read_id}.{item}" for item in items]


def number(word: str) -> Optional[Number]:
    """Give the int or float that the word is, else None."""
    try:
        return int(word)
    except ValueError:
        pass
    try:
        value = float(word)
    except ValueError:
        return None
    # `nan` and `inf` parse as floats but have no place in JSON
    return value if value - value == 0 else None


def _int(text: str, _: Pick) -> Values:
    return [number(text.strip())]


def _hex(text: str, _: Pick) -> Values:
    try:
        return [int(text.strip(), 16)]
    except ValueError:
        return [None]


def _keys(text: str, pick: Pick) -> Values:
    wanted = pick["keys"]
    values: Dict[str, Optional[Number]] = {}
    missing = set(wanted)
    for line in text.split("\n"):
        parts = line.split(None, 2)
        if len(parts) < 2:
            continue
        key = parts[0].rstrip(":")
        if key in missing:
            values[key] = number(parts[1])
            missing.discard(key)
            if not missing:
                break
    return [values.get(key) for key in wanted]


def _after_comm(text: str, pick: Pick) -> Values:
    # The command name may hold blanks and parentheses: only the last `)` ends it.
    return _at(text[text.rfind(")") + 1 :], pick["after_comm"])


def _words(text: str, pick: Pick) -> Values:
    return _at(text, pick["words"])


def _at(text: str, wanted: Sequence[int]) -> Values:
    # /proc/stat is long on many-core hosts; nothing behind the last wanted word is split.
    words = text.split(None, max(wanted) + 1) if wanted else []
    return [number(words[index]) if index < len(words) else None for index in wanted]


def _psi(text: str, pick: Pick) -> Values:
    wanted = pick["psi"]
    values: Dict[str, Optional[Number]] = {}
    for line in text.split("\n"):
        parts = line.split()
        for item in parts[1:]:
            key, _, value = item.partition("=")
            values[f"{parts[0]}.{key}"] = number(value)
    return [values.get(key) for key in wanted]


def _netstat(text: str, pick: Pick) -> Values:
    wanted = pick["netstat"]
    by_name: Dict[str, Optional[Number]] = {}
    lines = text.split("\n")
    for head, body in zip(lines[::2], lines[1::2]):  # noqa: B905 - Python 3.9 has no `strict`
        group, _, names = head.partition(":")
        if not any(item.startswith(group + ".") for item in wanted):
            continue
        values = body.partition(":")[2].split()
        for name, value in zip(names.split(), values):  # noqa: B905 - as above
            by_name[f"{group}.{name}"] = number(value)
    return [by_name.get(key) for key in wanted]


_PARSE: Dict[str, Callable[[str, Pick], Values]] = {
    "int": _int,
    "hex": _hex,
    "keys": _keys,
    "after_comm": _after_comm,
    "words": _words,
    "psi": _psi,
    "netstat": _netstat,
}


def parse(pick: Pick, text: str) -> Values:
    """Give the values of a pick in a file's text, as many as `columns` names.

    Raises ValueError for a pick that reads no file (`established`, `perf`, `vcgencmd`).
    """
    name = kind(pick)
    if name not in _PARSE:
        raise ValueError(f"{name} is not picked from a text")
    return _PARSE[name](text, pick)
