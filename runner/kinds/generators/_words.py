"""Further arguments of a tool that `argv` gives, beside those that runner says itself."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from runner.kinds.generators.request import PLAIN, Request
from runner.records.steps import SUCCESS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.records.steps import LoadStep


def taken(argv: Sequence[str], own: Mapping[str, str]) -> str:
    """Say which word of `argv` runner says itself, by its key of `load`; or nothing.

    `-c20`, `-c 20`, `--time=5` and `--time 5` are each one that begins with such a word.
    """
    for word in argv:
        for option, key in own.items():
            long = option.startswith("--")
            if word.partition("=")[0] == option or (not long and _short(word, option)):
                return f"argv says `{word}`, which runner says itself: {key}"
    return ""


def _short(word: str, option: str) -> bool:
    """Whether a word is a short option with its value in it: `-c20`, and not `-csv`."""
    rest = word.removeprefix(option)
    return rest != word and rest[:1].isdigit()


def value_of(argv: Sequence[str], *options: str) -> str | None:
    """Give the value of the last of these options: `-n 5`, `--time=5`; None without one."""
    last = None
    for index, word in enumerate(argv):
        name, equals, value = word.partition("=")
        if name in options:
            last = value if equals else next(iter(argv[index + 1 : index + 2]), None)
    return last


def no_http(tool: str, request: Request, step: LoadStep) -> str:
    """Say what of a request, a rate and good statuses means nothing to a tool; or nothing."""
    if request != PLAIN:
        return (
            f"{tool} sends no HTTP: method, headers, body, urls, keep_alive, insecure say nothing"
        )
    if step.expect != SUCCESS:
        return f"{tool} sees no HTTP status: expect says nothing"
    if step.rate is not None:
        return f"{tool} is not told `rate`: say its own option for it in argv"
    return ""


def address(url: str) -> tuple[str, str]:
    """Give host and port of a URL, as they are written: `{port}` is filled in later."""
    host, _, port = urlsplit(url).netloc.rpartition(":")
    return host.strip("[]"), port


def no_address(tool: str, url: str) -> str:
    """Say why a URL names more, or less, than a host and a port; or nothing."""
    parts = urlsplit(url)
    if not all(address(url)):
        return f'{tool} is told host and port: say url: "tcp://127.0.0.1:{{port}}"'
    if parts.path not in ("", "/") or parts.query or "@" in parts.netloc:
        return f"{tool} is told host and port alone, and url is {url}"
    if parts.scheme not in ("http", "tcp", "redis"):
        return f"{tool} is told host and port alone: `{parts.scheme}:` says nothing to it"
    return ""
