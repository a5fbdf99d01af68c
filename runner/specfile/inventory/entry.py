"""One host of an inventory: how it is reached, and what a spec sees of it.

The names are Ansible's: of two that mean the same the `ssh` one wins, as in its ssh
plugin. What is named here and cannot be kept is refused where it is written; what
has no effect is listed.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runner.errors import SpecError
from runner.records.quantities import TIME, QuantityError, parse_as
from runner.records.secrets import Secret
from runner.spec.base import shape
from runner.specfile.inventory.power import Power, PowerError, read_power
from runner.specfile.variables import VariableError, Variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.specfile.inventory.written import Origin, Vars

ADDRESS = ("ansible_host", "ansible_ssh_host")
USER = ("ansible_user", "ansible_ssh_user")
PORT = ("ansible_port", "ansible_ssh_port")
KEY = ("ansible_private_key_file", "ansible_ssh_private_key_file")
PYTHON = "ansible_python_interpreter"
CONNECTION = "ansible_connection"
BECOME = ("ansible_become",)
ARGS = ("ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args")
OWN = ("runner_jump", "runner_lease", "runner_state", "runner_tags", "runner_power", "runner_load")

_SSH = ("ssh", "smart", "paramiko", "paramiko_ssh", "ansible.builtin.ssh")
_LOCAL = ("local", "ansible.builtin.local")
_AUTO = ("auto", "auto_silent", "auto_legacy", "auto_legacy_silent")
_TRUE = ("true", "yes", "y", "on", "1", "t")
_FALSE = ("false", "no", "n", "off", "0", "f")
_PASSWORDS = ("ansible_password", "ansible_ssh_pass", "ansible_ssh_password")
_SUDO = (
    "ansible_become_password", "ansible_become_pass", "ansible_sudo_pass", "ansible_become_flags",
    "ansible_become_exe", "ansible_ssh_executable",
)  # fmt: skip
_BY_KEY = "a key in the agent or in the inventory logs in: ssh-copy-id puts it there"
_BY_SUDOERS = "allow sudo without a password (`<user> ALL=(ALL) NOPASSWD: ALL` by `sudo visudo`)"
_HANDLED = {*ADDRESS, *USER, *PORT, *KEY, PYTHON, CONNECTION, *BECOME, *ARGS, *OWN,
            "ansible_become_user", "ansible_become_method"}  # fmt: skip


@dataclass(frozen=True)
class HostEntry:
    """One host: how it is reached, and its variables."""

    name: str
    address: str | None = None
    """None: the name itself, as ~/.ssh/config has it."""
    user: str | None = None
    port: int | None = None
    become: bool = False
    key: str | None = None
    python: str | None = None
    jump: str | None = None
    local: bool = False
    """This machine: no ssh."""
    ssh_args: tuple[str, ...] = ()
    """Options of ssh that say how it is reached."""
    lease_s: float | None = None
    """Dead-man lease; None: the default."""
    state: str | None = None
    """Folder of the agent and its journal there; None: /var/lib/runner, or below the home."""
    tags: tuple[str, ...] = ()
    """Words that a spec chooses boards by."""
    load: str | None = None
    """The host that its load comes from, where a spec pairs them."""
    power: Power | None = None
    """How it is switched off and on, by a command of the controller."""
    vars: dict[str, object] = field(default_factory=dict)
    """What a spec sees: the host's own over those of its groups."""
    groups: tuple[str, ...] = ()
    without_effect: tuple[str, ...] = ()
    """Variables that mean something to Ansible and nothing here."""


def is_connection_variable(name: str) -> bool:
    """Whether a variable is of the connection, and not for specs."""
    return name.startswith(("ansible_", "runner_"))


def host_entry(name: str, joined: Vars, groups: tuple[str, ...] = ()) -> HostEntry:
    """Make a host of its joined variables; SpecError names file and line of a wrong one."""
    said = _Said(name, joined)
    said.refuse()
    connection = said.text(CONNECTION) or "ssh"
    if connection not in (*_SSH, *_LOCAL):
        raise said.wrong(
            CONNECTION, f"`{connection}` is a connection that runner has not got", "ssh or local"
        )
    method = said.text("ansible_become_method") or "sudo"
    if method not in ("sudo", "ansible.builtin.sudo"):
        raise said.wrong(
            "ansible_become_method", f"`{method}`: runner becomes root by sudo", "sudo"
        )
    user = said.text("ansible_become_user") or "root"
    if user != "root":
        raise said.wrong(
            "ansible_become_user", f"`{user}`: state belongs to root or to the login user",
            "root, or become: false and that user as ansible_user",
        )  # fmt: skip
    return HostEntry(
        name=name,
        address=said.text(*ADDRESS),
        user=said.text(*USER),
        port=said.port(),
        become=said.truth(*BECOME),
        key=said.text(*KEY),
        python=said.python(),
        jump=said.text("runner_jump"),
        local=connection in _LOCAL,
        ssh_args=said.args(),
        lease_s=said.lease_s(),
        state=said.state(),
        tags=said.tags(),
        load=said.text("runner_load"),
        power=said.power(),
        vars={key: one.value for key, one in joined.items() if not is_connection_variable(key)},
        groups=groups,
        without_effect=tuple(
            key for key in joined if is_connection_variable(key) and key not in _HANDLED
        ),
    )


class _Said:
    """Variables of one host, with expressions filled in as they are asked for."""

    def __init__(self, host: str, joined: Vars) -> None:
        self.host, self.joined = host, joined
        values: Mapping[str, object] = {key: one.value for key, one in joined.items()}
        self.variables = Variables({"inventory_hostname": host, **values})

    def wrong(self, name: str, message: str, fix: str) -> SpecError:
        origin: Origin = self.joined[name].origin
        said = f"{origin}: host `{self.host}`: {name}: {message}"
        return SpecError(said, fix=f"write {fix}" if fix else "")

    def refuse(self) -> None:
        """Refuse what would be taken for an order and cannot be one."""
        for names, why, fix in (
            (_PASSWORDS, "runner gives no password to ssh", _BY_KEY),
            (_SUDO, "runner starts `sudo -n` and `ssh`'s own configuration alone", _BY_SUDOERS),
        ):
            for name in names:
                if name in self.joined:
                    origin = self.joined[name].origin
                    raise SpecError(f"{origin}: host `{self.host}`: {name}: {why}", fix=fix)

    def which(self, *names: str) -> str | None:
        """Give the last of some names that is set."""
        found = [
            name for name in names if name in self.joined and self.joined[name].value is not None
        ]
        return found[-1] if found else None

    def value(self, name: str) -> object:
        try:
            return self.variables.fill(self.joined[name].value)
        except VariableError as wrong:
            raise self.wrong(name, str(wrong), "a value, or the name of a variable") from None

    def text(self, *names: str) -> str | None:
        name = self.which(*names)
        if name is None:
            return None
        value = self.value(name)
        if isinstance(value, Secret):
            return value.get_secret_value()
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self.wrong(name, f"has to be a text, not {shape(value)}", "it in quotes")
        text = str(value)
        if not text or any(ord(sign) < 32 or sign == "\x7f" for sign in text):
            raise self.wrong(name, "is empty or holds a control character", "a plain text")
        return text

    def port(self) -> int | None:
        name = self.which(*PORT)
        if name is None:
            return None
        value = self.value(name)
        digits = value if isinstance(value, str) else str(value)
        if isinstance(value, bool) or not (digits.isascii() and digits.isdecimal()):
            raise self.wrong(name, f"has to be a port number, not {shape(value)}", "1 to 65535")
        if not 0 < int(digits[:9]) < 65536:
            raise self.wrong(name, f"{digits} is not a port", "1 to 65535")
        return int(digits)

    def truth(self, *names: str) -> bool:
        name = self.which(*names)
        value = self.value(name) if name is not None else False
        if str(value).lower() in _TRUE:
            return True
        if name is not None and str(value).lower() not in _FALSE:
            raise self.wrong(name, f"has to be true or false, not {shape(value)}", "true or false")
        return False

    def python(self) -> str | None:
        path = self.text(PYTHON)
        if path is None or path in _AUTO:
            return None
        if path.split() != [path]:
            raise self.wrong(PYTHON, f"`{path}` is more than one word", "the path of a Python")
        return path

    def args(self) -> tuple[str, ...]:
        found: list[str] = []
        for name in ARGS:
            text = self.text(name) if name in self.joined and self.joined[name].value else None
            if text is None:
                continue
            try:
                words = shlex.split(text)
            except ValueError as wrong:
                raise self.wrong(name, str(wrong), "options as on ssh's command line") from None
            why = fault_of_args(words)
            if why:
                raise self.wrong(name, why, "-J, -p, -l, -i, or -o ProxyJump=… and the like")
            found += words
        return tuple(found)

    def state(self) -> str | None:
        folder = self.text("runner_state")
        if folder is not None and not folder.startswith("/"):
            raise self.wrong("runner_state", f"`{folder}` is not absolute", "a path from / on")
        return folder

    def tags(self) -> tuple[str, ...]:
        if "runner_tags" not in self.joined:
            return ()
        value = self.value("runner_tags")
        words = value.split(",") if isinstance(value, str) else value
        if not isinstance(words, list) or not all(isinstance(word, str | int) for word in words):
            raise self.wrong("runner_tags", f"has to be words, not {shape(value)}", "[pi4, 4g]")
        return tuple(str(word).strip() for word in words)

    def power(self) -> Power | None:
        if "runner_power" not in self.joined:
            return None
        try:
            return read_power(self.value("runner_power"))
        except PowerError as wrong:
            said = "{cycle: [uhubctl, -p, '2', -a, cycle], times: 2, within: 5m}"
            raise self.wrong("runner_power", str(wrong), said) from None

    def lease_s(self) -> float | None:
        if "runner_lease" not in self.joined:
            return None
        value = self.value("runner_lease")
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return float(value)
        try:
            return float(parse_as(TIME, str(value)).exact)
        except QuantityError as wrong:
            raise self.wrong("runner_lease", str(wrong), "15m, or a number of seconds") from None


_PLAIN = "46aACkKqtTvxX"
_VALUED = ("-J", "-p", "-l", "-i", "-c", "-m", "-b", "-B")
_RUNS = (
    "proxycommand",
    "localcommand",
    "permitlocalcommand",
    "knownhostscommand",
    "match",
    "include",
)


def fault_of_args(words: list[str]) -> str:
    """Say why words cannot be options of ssh here, or nothing.

    What makes ssh run a program on this machine belongs to ~/.ssh/config: an inventory
    may come from somebody else.
    """
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "-o" or word.startswith("-o"):
            option = word[2:] or (rest.pop(0) if rest else "")
            name = option.replace("=", " ").split(maxsplit=1)[0].lower() if option.strip() else ""
            if not name:
                return "`-o` without an option"
            if name in _RUNS:
                return f"{name} runs a program on this machine: it belongs to ~/.ssh/config"
        elif word[:2] in _VALUED:
            if word in _VALUED and not rest:
                return f"`{word}` without a value"
            if word in _VALUED:
                rest.pop(0)
        elif not (word.startswith("-") and len(word) > 1 and set(word[1:]) <= set(_PLAIN)):
            return f"`{word}` is not an option of ssh that says how a host is reached"
    return ""
