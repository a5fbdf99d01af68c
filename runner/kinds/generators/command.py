"""Any program as a load: its own argv, numbers from the last JSON object it prints."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from runner.kinds.generators.interface import LoadNumbers, Output, excerpt, failed
from runner.kinds.generators.request import PLAIN, Request
from runner.kinds.sources._many import many
from runner.kinds.sources.interface import Found

if TYPE_CHECKING:
    from runner.records.program import File
    from runner.records.steps import LoadStep


class Command:
    """A load program of the user's own."""

    name = "command"
    doc = "a program of the spec's own; its numbers from the last JSON object it prints"
    tool = ""
    package = ""
    program = ""
    paced = True  # as the program has it
    closed = False
    needs = ("argv",)
    takes: tuple[str, ...] = ("numbers",)
    lacks: tuple[str, ...] = ()
    wall_clock = False

    def refuses(self, request: Request, step: LoadStep) -> str:
        """Say that its argv is all that the program is told."""
        del step
        return "" if request == PLAIN else "the generator `command` is told by its argv alone"

    def threads(self, step: LoadStep) -> int:
        """Give what the spec says: nothing more is known of the program."""
        return step.threads

    def files(self, request: Request = PLAIN) -> list[File]:
        """Nothing is sent beside the program."""
        del request
        return []

    def argv(self, step: LoadStep, request: Request = PLAIN) -> list[str]:
        """Give the user's argv; {connections}, {rate} and {duration} are the step's."""
        del request
        words = {
            "{connections}": str(step.connections),
            "{duration}": f"{step.duration_s:g}",
            "{rate}": "" if step.rate is None else f"{step.rate:g}",
        }
        filled = []
        for word in step.argv:
            text = word
            for key, value in words.items():
                text = text.replace(key, value)
            filled.append(text)
        return filled

    def log(self) -> str | None:
        """None: it keeps no log of single requests."""
        return None

    def opened(self, step: LoadStep) -> int:
        """Give what was asked: nothing more is known of the program."""
        return step.connections

    def parse(self, output: Output, step: LoadStep) -> LoadNumbers:
        """Take what the spec looks for, else every number of the last line that is an object."""
        if output.exit_code != 0:
            return failed(step.argv[0] if step.argv else self.name, output)
        if step.numbers:
            return self._looked_for(output, step)
        printed = self._object(output.stdout)
        if printed is None:
            text = excerpt(output.stdout) or excerpt(output.stderr) or "nothing"
            return LoadNumbers(error=f"the load program printed no JSON object; it printed: {text}")
        numbers: dict[str, float | int | None] = {"opened": self.opened(step)}
        numbers |= {
            key: value
            for key, value in printed.items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        }
        return self._with_errors(LoadNumbers(numbers))

    @staticmethod
    def _with_errors(parsed: LoadNumbers) -> LoadNumbers:
        for name in ("errors", "error_ratio"):
            if name not in parsed.numbers:
                parsed.numbers[name] = None
                parsed.why[name] = f"the load program printed no `{name}`"
        return replace(parsed, own=parsed.numbers)

    def _looked_for(self, output: Output, step: LoadStep) -> LoadNumbers:
        """Give each number of `load.numbers`; null with the reason where it was not printed."""
        left_out = {"stdout": output.dropped, "stderr": output.dropped}
        matches = Found()
        for stream, text in (("stdout", output.stdout), ("stderr", output.stderr)):
            asked = [one for one in step.numbers if one.source.startswith(f"{stream}.")]
            many(asked, text, stream, left_out[stream], matches)
        numbers: dict[str, float | int | None] = {"opened": self.opened(step)}
        why = {}
        for one in step.numbers:
            value = matches.numbers.get(one.name)
            numbers[one.name] = value if isinstance(value, int | float) else None
            if isinstance(value, str):
                why[one.name] = f"`{value[:60]}` is not a number"
            elif value is None:
                why[one.name] = matches.why.get(one.name, "not printed")
        return self._with_errors(LoadNumbers(numbers, why))

    @staticmethod
    def _object(text: str) -> dict[str, object] | None:
        """Give the last line that is a JSON object, or the whole output where it is one."""
        for line in (*reversed(text.splitlines()), text):
            if line.lstrip().startswith("{"):
                with contextlib.suppress(ValueError, RecursionError):
                    value = json.loads(line)
                    if isinstance(value, dict):
                        return value
        return None


KIND = Command()
