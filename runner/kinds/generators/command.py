"""Any program as a load: its own argv, numbers from the last JSON object it prints."""

from __future__ import annotations

import json

from runner.kinds.generators.interface import LoadNumbers, LoadStep, Output


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

    def threads(self, step: LoadStep) -> int:
        """Give what the spec says: nothing more is known of the program."""
        return step.threads

    def files(self) -> list[dict[str, str]]:
        """Nothing is sent beside the program."""
        return []

    def argv(self, step: LoadStep) -> list[str]:
        """Give the user's argv; {connections}, {rate} and {duration} are the step's."""
        words = {
            "{connections}": str(step.connections),
            "{duration}": f"{step.duration_s:g}",
            "{rate}": "" if step.rate is None else f"{step.rate:g}",
        }
        found = []
        for word in step.argv:
            text = word
            for key, value in words.items():
                text = text.replace(key, value)
            found.append(text)
        return found

    def log(self) -> str | None:
        """None: it keeps no log of single requests."""
        return None

    def opened(self, step: LoadStep) -> int:
        """Give what was asked: nothing more is known of the program."""
        return step.connections

    def parse(self, output: Output, step: LoadStep) -> LoadNumbers:
        """Take every number of the last line that is a JSON object, by its key."""
        if output.exit_code != 0:
            said = output.stderr.strip().splitlines()
            return LoadNumbers(
                error=f"exit {output.exit_code}: {said[-1] if said else 'nothing on stderr'}"
            )
        numbers: dict[str, float | int | None] = {"opened": self.opened(step)}
        for line in reversed(output.stdout.splitlines()):
            if line.lstrip().startswith("{"):
                try:
                    found = json.loads(line)
                except ValueError:
                    continue
                numbers |= {
                    key: value
                    for key, value in found.items()
                    if isinstance(value, int | float) and not isinstance(value, bool)
                }
                break
        return LoadNumbers(numbers)


KIND = Command()
