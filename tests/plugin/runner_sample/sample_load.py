"""sample_load: asks a server in turn, on one connection after the other, with Python alone."""

from __future__ import annotations

import json

from runner.kinds.generators.interface import LoadNumbers, Output, failed
from runner.kinds.generators.request import PLAIN, Request
from runner.records.steps import LoadStep

PROGRAM = """\
import json, sys, time, urllib.request
url, seconds, done = sys.argv[1], float(sys.argv[2]), 0
end = time.monotonic() + seconds
while time.monotonic() < end:
    urllib.request.urlopen(url, timeout=5).read()
    done += 1
print(json.dumps({"requests": done}))
"""


class SampleLoad:
    """One request at a time."""

    name = "sample_load"
    doc = "one request at a time, for tests"
    tool = "python3"
    package = "python3"
    program = ""
    paced = False
    closed = True
    needs = ("connections",)
    takes = ()
    wall_clock = False

    def refuses(self, request: Request, step: LoadStep) -> str:
        """Say what of this it cannot do: anything but a plain GET."""
        del step
        return "" if request.plain else "sample_load sends plain GETs alone"

    def threads(self, step: LoadStep) -> int:
        """One, whatever is asked for."""
        del step
        return 1

    def files(self, request: Request = PLAIN) -> list[dict[str, str]]:
        """Give the program, which is put into the trial's folder."""
        del request
        return [{"name": "sample_load.py", "text": PROGRAM}]

    def argv(self, step: LoadStep, request: Request = PLAIN) -> list[str]:
        """Command line of one step."""
        del request
        return ["python3", "-I", "{dir}/sample_load.py", step.url, f"{step.duration_s:g}"]

    def log(self) -> str | None:
        """None: no log of single requests."""
        return None

    def opened(self, step: LoadStep) -> int:
        """Give the connections at once."""
        return step.connections

    def parse(self, output: Output, step: LoadStep) -> LoadNumbers:
        """Numbers of one step."""
        if output.exit_code != 0:
            return failed(self.name, output)
        done = json.loads(output.stdout)["requests"]
        return LoadNumbers(
            {
                "requests": done,
                "rps": done / step.duration_s,
                "opened": step.connections,
                "errors": 0,
                "error_ratio": 0.0,
            }
        )


KIND = SampleLoad()
