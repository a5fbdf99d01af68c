"""What counts as the same fact."""

import pytest

from runner.analysis.claims.must import same, table


@pytest.mark.parametrize(
    ("declared", "observed", "equal"),
    [
        ("1.22", "go1.22.10", True),
        ("1.22.1", "1.22.10", False),
        ("1.22", "1.23.0", False),
        ("1.2", "1.22.10", False),
        ("32MiB", 33554432, True),
        ("32MiB", "33554432", True),
        ("32MB", 33554432, False),
        (1, 1, True),
        (1, "1", True),
        (1, 2, False),
        (0, 0, True),
        (0, None, False),
        (10, "10", True),
        ("off", False, True),
        (True, "yes", True),
        (True, "perhaps", False),
        ("Raspberry Pi 4 Model B", "Raspberry Pi 4 Model B Rev 1.4", True),
        ("Raspberry Pi 4 Model B", "Raspberry Pi 4 Model B+", False),
        ("raspberry pi 4 model b", "Raspberry Pi 4 Model B", True),
        (["memory", "cpu"], ["cpu", "memory"], True),
        ("memory", ["cpu", "memory"], False),
        ("stopped", "running", False),
        (1.5, 1.5, True),
        (True, 1, True),
        (["memory"], "memory", True),
    ],
)
def test_same(declared, observed, equal):
    assert same(declared, observed) is equal


def test_table_rows():
    rows = table(["a", "b", "c"], {"a": 1, "c": 2}, {"a": 1, "b": "x"})
    assert [row.row() for row in rows] == [
        ("a", "1", "1", True),
        ("b", "not declared", "x", None),
        ("c", "2", "not observed", False),
    ]
