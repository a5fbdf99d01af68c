"""One real Go for all tests of builds."""

from __future__ import annotations

import pytest

from runner.toolchain import default_cache_dir, resolve


@pytest.fixture(scope="session")
def go():
    return resolve("1.22.10", default_cache_dir())
