"""Tests of a file are run by one worker: what they share is theirs alone."""

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="one worker runs all")
def test_this_test_is_in_the_group_of_its_file(request):
    """xdist tells workers apart by what stands behind the @."""
    assert request.node.nodeid.endswith("@tests/tools/test_workers.py")
