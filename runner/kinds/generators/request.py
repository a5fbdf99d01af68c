"""What a load asks for, and which answers are good. Plain data; a body may be a secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.records.steps import Expect

DEFAULT_URL: Final = "http://127.0.0.1:{port}/"
"""What a load asks where a spec says nothing."""
NO_ARGV: Final = "argv is not passed to {}: say url, method, headers, body, connections, timeout"
NO_STATUS: Final = -1
"""In a log of requests: it failed. Below it: it failed after the time that the log says."""


@dataclass(frozen=True)
class Target:
    """A URL, and how many of all requests go to it beside the other targets."""

    url: str
    weight: int = 1


@dataclass(frozen=True)
class Request:
    """One kind of request; without `targets` it goes to the step's URL."""

    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    keep_alive: bool = True
    insecure: bool = False
    """Certificates are not checked."""
    ca: str | None = None
    """File of the load's host with the certificate of the CA that they are checked against."""
    targets: tuple[Target, ...] = ()
    think_s: tuple[float, float] = (0.0, 0.0)
    """Of a closed loop: the shortest and the longest pause before each request."""

    @property
    def plain(self) -> bool:
        """Whether it is a bare GET over connections that stay open."""
        bare = self.method == "GET" and self.body is None and not self.headers
        return bare and self.keep_alive

    def urls(self, url: str) -> list[str]:
        """Give the URLs in the order in which they are asked, over and over; evenly mixed.

        Smooth weighted round robin, as nginx spreads requests over its upstreams.
        """
        if not self.targets:
            return [url]
        total = sum(target.weight for target in self.targets)
        credit, urls = [0] * len(self.targets), []
        for _ in range(total):
            credit = [c + t.weight for c, t in zip(credit, self.targets, strict=True)]
            most = max(range(len(credit)), key=lambda i: (credit[i], -i))
            credit[most] -= total
            urls.append(self.targets[most].url)
        return urls


PLAIN: Final = Request()


def path_of(url: str) -> str:
    """Give the path of a URL with its query."""
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def origin_of(url: str) -> str:
    """Give scheme, host and port of a URL."""
    scheme, place = urlsplit(url)[:2]
    return f"{scheme}://{place}/"


def is_good(status: int, expect: Expect) -> bool:
    """Whether an answer of this status is good."""
    return any(low <= status <= high for low, high in expect)


def good_of(statuses: Mapping[str, int], expect: Expect) -> int:
    """Count the good answers in numbers of answers by status."""
    return sum(
        many
        for text, many in statuses.items()
        if text.lstrip("-").isdigit() and is_good(int(text), expect)
    )


def answered_of(statuses: Mapping[str, int]) -> int:
    """Count the answers in numbers of requests by status; the failed ones have none."""
    return sum(many for text, many in statuses.items() if text.isdigit())
