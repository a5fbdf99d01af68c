"""Reading a spec is quick: nothing heavy is imported, and kinds only as they are used."""

from __future__ import annotations

import subprocess
import sys

from tests.specfile.reading import HERE

HEAVY = ("numpy", "scipy", "fabric", "paramiko", "jinja2", "asyncio", "hypothesis", "runner.cli")


def test_a_spec_is_read_without_heavy_modules():
    code = (
        "import sys\nfrom runner.specfile import load\n"
        f"load({str(HERE / 'examples' / 'capacity.yaml')!r})\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])\n"
        "print('runner.kinds.resources.network' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "False"]
