"""What workers of `pytest -n` may not share: kernel keys, ports, names of groups.

Each test file is run by one worker (see conftest.py), so tests of one file never run at once.
"""

import itertools
import os
import socket
import tempfile
import uuid

import pytest

WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
AT_MOST = 4
"""As many workers as there are choices in each `own`."""

HOLDS = f"{tempfile.gettempdir()}/runner-test-holds-{uuid.uuid4().hex}"
"""Where this worker's hosts are held, and those of its sshd."""
os.environ["RUNNER_HOLDS"] = HOLDS

kernel = pytest.mark.xdist_group("kernel")
"""On tests that change values of the whole machine that are not theirs alone."""

_PORTS = itertools.count(20_000 + 1_000 * WORKER)  # below those that Linux gives to clients


def own(*choices):
    """The choice of this worker."""
    assert len(choices) == AT_MOST
    return choices[WORKER]


def unique(name: str = "runner-test") -> str:
    return f"{name}-{uuid.uuid4().hex[:8]}"


def free_port() -> int:
    """A port that no other worker takes before it is used."""
    for port in _PORTS:
        with socket.socket() as sock:
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError
