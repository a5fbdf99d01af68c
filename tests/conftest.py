"""For every test: what Hypothesis may take, which worker runs it, and that Ctrl-C works."""

import shutil
import signal
from pathlib import Path

import pytest
from hypothesis import settings

from tests.workers import AT_MOST, HOLDS, WORKER

settings.register_profile("project", deadline=None)  # a loaded machine is not a defect of the code
settings.load_profile("project")


@pytest.fixture(autouse=True)
def _free():
    """Nobody has this host yet: state folders of one machine are many hosts to the tests."""
    _empty()
    yield
    _empty()


def _empty():
    shutil.rmtree(HOLDS, ignore_errors=True)
    Path(HOLDS).mkdir()
    Path(HOLDS).chmod(0o1777)


def pytest_configure():
    if WORKER >= AT_MOST:
        raise pytest.UsageError(f"at most {AT_MOST} workers: each needs kernel keys of its own")
    _empty()  # fixtures of a whole file come before those of its tests
    # a shell ignores SIGINT in what it starts by `&`, and every child inherits that
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure():
    shutil.rmtree(HOLDS, ignore_errors=True)


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items):
    """All tests of a file are run by one worker, but those that change the whole machine by one."""
    # swap devices are the machine's: their priorities tell of each other
    swapping = {_file(item) for item in items if {"scene", "swap"} & set(item.fixturenames)}
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            group = "swap" if _file(item) in swapping else _file(item)
            item.add_marker(pytest.mark.xdist_group(group))


def _file(item):
    return item.nodeid.partition("::")[0]
