"""Every command block of README and docs does what it says, or says what it needs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.commands import PAGES, ROOT, blocks, files

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.geteuid() != 0, reason="runs experiments, as root"),
]
RUN = [page for page in PAGES if any(not block.needs for block in blocks(page))]


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_what_a_page_tells_to_type_works(page, tmp_path):
    for name in ("reports", "experiments", "tests"):
        (tmp_path / "repository").mkdir(exist_ok=True)
        (tmp_path / "repository" / name).symlink_to(ROOT / name)
    own = tmp_path / "own"
    own.mkdir()
    for name, text in files(page).items():
        (own / name).parent.mkdir(parents=True, exist_ok=True)
        (own / name).write_text(text, "utf-8")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    for block in blocks(page):
        if block.needs:
            continue
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block.text],
            cwd=tmp_path / "repository" if block.in_repository else own,
            env={**os.environ, "PATH": path}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        # 1 says that a required verdict failed: a result
        allowed = {0, 1} if "runner apply" in block.text or "runner verify" in block.text else {0}
        assert done.returncode in allowed, f"{page}:{block.line}\n{done.stdout}{done.stderr}"


def test_blocks_are_found():
    assert len(RUN) >= 4
    assert all(block.text.strip() for page in PAGES for block in blocks(page))
