"""Golden texts: every fault of a file at once, each with its place, line and caret.

`python -m tests.specfile.test_faults` writes the golden texts anew.
"""

from __future__ import annotations

import pytest

from runner.specfile import SpecFaults, parse_text
from tests.specfile.reading import HERE

FAULTY = sorted((HERE / "faults").glob("*.yaml"))


def message(path) -> str:
    with pytest.raises(SpecFaults) as caught:
        parse_text(path.read_bytes(), path.name)
    assert caught.value.exit_code == 3
    return caught.value.message + "\n"


@pytest.mark.parametrize("path", FAULTY, ids=lambda path: path.stem)
def test_what_is_said_of_a_faulty_file(path):
    assert message(path) == path.with_suffix(".txt").read_text(encoding="utf-8")


if __name__ == "__main__":
    for faulty in FAULTY:
        faulty.with_suffix(".txt").write_text(message(faulty), encoding="utf-8")
