"""For every test: what Hypothesis may take, which worker runs it, and that Ctrl-C works."""

import signal

import pytest
from hypothesis import settings

from tests.workers import AT_MOST, WORKER

settings.register_profile("project", deadline=None)  # a loaded machine is not a defect of the code
settings.load_profile("project")


def pytest_configure():
    if WORKER >= AT_MOST:
        raise pytest.UsageError(f"at most {AT_MOST} workers: each needs kernel keys of its own")
    # a shell ignores SIGINT in what it starts by `&`, and every child inherits that
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """All tests of a file are run by one worker, but those that change the whole machine by one."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))
