"""Secrets of a load that would stand in its generator's argv, where other users see them."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from runner.records.secrets import HIDDEN, Secret, literal


def seen(generator: str, url: str | Secret, headers: Mapping[str, str | Secret]) -> str | None:
    """Say which secret others would see, and what to do; None where there is none."""
    if generator == "h2load" and any(isinstance(value, Secret) for value in headers.values()):
        return "h2load takes headers in its argv, where others see them: use wrk or vegeta"
    if not isinstance(url, Secret):
        return None
    if generator != "wrk":
        return f"{generator} takes its url in its argv, where others see it: use wrk"
    if HIDDEN in urlsplit(literal(url)).netloc:
        return "url: a secret may stand in its path and query; a password goes into headers"
    return None
