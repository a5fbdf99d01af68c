"""kernel_cmdline: words on the kernel command line; takes a reboot.

Without `reboot: allowed` nothing is edited: the plan says which line of which
file to change. With it the one line of the Raspberry Pi's cmdline.txt is edited
and the host rebooted before the rest is applied. At the end the file is put
back; the words themselves go with the next reboot, whenever that is, so that a
row of experiments that ask for the same words costs one reboot and not two each.

The firmware puts words of its own in front of cmdline.txt, and the last word
wins: `cgroup_enable=memory` has to come after `cgroup_disable=memory`.
"""

import base64
import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from runner.kinds.resources.interface import (
    Cell,
    Facts,
    Frozen,
    Json,
    Planned,
    Refused,
    Unknown,
    Values,
)

_NOW = "kernel_cmdline:now"
FILES = ("/boot/firmware/cmdline.txt", "/boot/cmdline.txt")
# the later one of each pair wins
_OPPOSITE = {"cgroup_enable": "cgroup_disable"}
# given several times each of these counts (kernel-parameters.txt); so do what init and the
# initramfs read (systemd.setenv=, rd.luks.uuid=)
_ADDED = frozenset((
    "cgroup_disable", "cgroup_enable", "console", "crashkernel", "dyndbg", "earlycon",
    "hugepages", "hugepagesz", "initcall_blacklist", "memmap", "modprobe.blacklist", "pci", "video",
))  # fmt: skip
_OF_OTHERS = ("systemd.", "rd.", "luks.")

Word = Annotated[str, StringConstraints(pattern=r"^[!-~]+$")]


def _listed(value: object) -> object:
    return value.split() if isinstance(value, str) else value


Words = Annotated[
    tuple[Word, ...], BeforeValidator(_listed, json_schema_input_type=str | list[str])
]


class KernelCmdlineModel(Frozen):
    """`kernel_cmdline: {present: [cgroup_enable=memory], reboot: allowed}`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    present: Words = Field((), description="words that have to be there")
    absent: Words = Field((), description="words that must not be there")
    reboot: Literal["never", "allowed"] = Field(
        "never", description="allowed: the host is rebooted where its line has to change"
    )

    @model_validator(mode="after")
    def _one_state(self) -> "KernelCmdlineModel":
        both = sorted(set(self.present) & set(self.absent))
        if both:
            raise ValueError(f"both present and absent: {', '.join(both)}")
        for index, word in enumerate(self.present):
            later = next((w for w in self.present[index + 1 :] if _undoes(w, word)), None)
            if later is not None:
                raise ValueError(f"`{later}` undoes `{word}`: write one of them")
        return self


def _undoes(later: str, word: str) -> bool:
    """Say whether a word further back on the line takes the effect of another away."""
    if later == word:
        return False
    key, equals, value = word.partition("=")
    if key in _OPPOSITE:
        return later == f"{_OPPOSITE[key]}{equals}{value}"
    added = not equals or key in _ADDED or key.startswith(_OF_OTHERS)
    # the kernel reads `-` and `_` in a name as one
    return not added and later.partition("=")[0].replace("-", "_") == key.replace("-", "_")


def holds(words: list[str], word: str) -> bool:
    """Say whether a word is in force: present, and not undone by a later one."""
    if word not in words:
        return False
    last = len(words) - words[::-1].index(word)
    return not any(_undoes(later, word) for later in words[last:])


def edited(text: str, payload: KernelCmdlineModel, running: list[str]) -> str:
    """Give the file with the wanted words at the end of its first line, the unwanted taken out.

    All else stays as it is: blanks, line ends, and the lines after the first, which no
    firmware reads.
    """
    line, end, rest = re.fullmatch(r"([^\r\n]*)([\r\n]*)(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr] # it matches any text
    body = line.rstrip(" \t")
    blanks = line[len(body) :]
    for word in payload.absent:
        body = _without(body, word)
    for word in payload.present:
        if word not in body.split() or not holds(running, word):
            body = f"{_without(body, word)} {word}".lstrip()
    return body + blanks + (end or "\n") + rest


def _without(line: str, word: str) -> str:
    """Take a word out with the blanks before it, or after it where it is the first."""
    return re.sub(rf"^{re.escape(word)}(?:\s+|$)|\s+{re.escape(word)}(?!\S)", "", line)


def _in_force(payload: KernelCmdlineModel, now: str) -> Cell:
    """Give what says that the words are in force already: compared, and so never written.

    The rest of the line may name what is nobody's business; it is not shown.
    """
    words = [*(f"+{word}" for word in payload.present), *(f"-{word}" for word in payload.absent)]
    summary = " ".join([*payload.present, *(f"no {word}" for word in payload.absent)])
    return Cell(
        id=f"kernel_cmdline:in force: {summary}",
        via="pseudo",
        path="/proc/cmdline",
        want=" ".join(words),
        form="set",
        secret=True,
        needs_root=False,
        observed=now,
    )


class KernelCmdline:
    """Words on the kernel command line."""

    name = "kernel_cmdline"
    doc = (
        "`{present: [cgroup_enable=memory], absent: […], reboot: never}`: says what to edit; "
        "with `reboot: allowed` edits cmdline.txt, reboots, waits, goes on; the file is put back "
        "at the end, the words go with the next reboot"
    )
    absent = "refused, with the line to edit; edits only a Raspberry Pi's cmdline.txt"
    fixed = (
        "it takes a reboot, and treatments share one boot: with `repeat: {levels: {boot: block}}` "
        "they have their own"
    )
    freed = "boot"
    sets: tuple[str, ...] = ("kernel.cmdline",)
    needs_root = True
    Model = KernelCmdlineModel

    def candidates(self, payload: KernelCmdlineModel) -> list[Json]:  # noqa: ARG002 - the same three files
        """Read the running command line and both places of cmdline.txt."""
        return [
            Cell(id=_NOW, via="pseudo", path="/proc/cmdline", form="words").to_json(),
            *(self._cell(path).to_json() for path in FILES),
        ]

    def _cell(self, path: str, **more: Any) -> Cell:
        this = f"kernel_cmdline:{path}"
        return Cell(id=this, via="file", path=path, form="file", runtime=False, **more)

    def plan(self, payload: KernelCmdlineModel, facts: Facts, values: Values) -> Planned:
        """Nothing where the words hold; else the edit, or what to edit by hand."""
        now = values.get(_NOW, facts.get("kernel.cmdline"))
        if not isinstance(now, str):
            return Unknown("kernel.cmdline")
        running = now.split()
        lacking = [word for word in payload.present if not holds(running, word)]
        extra = [word for word in payload.absent if word in running]
        if not lacking and not extra:
            return [_in_force(payload, now)]
        path, content = self._file(values)
        where = path or "the boot loader's configuration"
        advice = " and ".join(
            [f"append `{word}` to the one line of {where}" for word in lacking]
            + [f"take `{word}` out of {where}" for word in extra]
        )
        why = "the kernel was booted " + " and ".join(
            [f"without {word} in force" for word in lacking] + [f"with {word}" for word in extra]
        )
        if path is None or content is None:
            return Refused(why, f"{advice}, then reboot")
        if payload.reboot != "allowed":
            return Refused(why, f"{advice}, then reboot; or say `reboot: allowed`")
        left = [word for word in extra if word not in content.split()]
        if left:
            return Refused(
                f"{why}: {', '.join(left)} is not from {path}, but from the firmware, or from a "
                "run that put the file back: its words go with the next reboot",
                "reboot the host once; where it is back then, ask for the word that undoes it",
            )
        edited_bytes = edited(content, payload, running).encode(errors="surrogateescape")
        value = {"type": "file", "bytes_b64": base64.b64encode(edited_bytes).decode()}
        return [self._cell(path, want=value, reboot=True)]

    def _file(self, values: Values) -> tuple[str | None, str | None]:
        for path in FILES:
            value = values.get(f"kernel_cmdline:{path}")
            if isinstance(value, dict) and value.get("type") == "file":
                text = base64.b64decode(value["bytes_b64"]).decode(errors="surrogateescape")
                # Raspberry Pi OS leaves a note where the file was before
                if "DO NOT EDIT" not in text:
                    return path, text
        return None, None


KIND = KernelCmdline()
