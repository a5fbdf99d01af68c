"""A machine that reboots, for pid 1 of a pid and mount namespace: `machine.py FOLDER SSHD CONFIG`.

As on a Raspberry Pi, its kernel command line is words of the firmware and then the one
line of cmdline.txt, read at each boot. A boot has a boot_id of its own and an sshd; every
process of the boot before is killed. The kernel and its values are those of the test host;
of KEYS each boot brings back what they were at first, as a kernel that is started anew does.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

FIRMWARE = "coherent_pool=1M cgroup_disable=memory"
CMDLINE = Path("/boot/firmware/cmdline.txt")
KEYS = ("vm/stat_interval",)


def mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


def as_at_first(values: dict[str, str]) -> None:
    for key, value in values.items():
        Path("/proc/sys", key).write_text(value)


def main() -> None:
    assert os.getpid() == 1, "kills every process that it sees, and sees its namespace alone"
    folder, sshd, config = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    mount("-t", "proc", "proc", "/proc")
    mount("-t", "tmpfs", "tmpfs", "/boot")
    CMDLINE.parent.mkdir()
    CMDLINE.write_text("root=PARTUUID=1-02 rootwait quiet\n")
    for holds in ("/run/lock", os.environ.get("RUNNER_HOLDS", "/run/lock")):
        if Path(holds).is_dir():
            # where a machine tells its users who holds it: not to those of the other machines
            mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", holds)
    startup = Path.home() / ".bashrc"
    if startup.is_file():
        # what the tester's shell does at its start is not to be killed in its middle
        mount("--bind", "/dev/null", str(startup))
    asked = folder / "asked"
    # whichever name it goes by, no `reboot` in here reaches the test host
    reboot = folder / "reboot"
    reboot.write_text(f"#!/bin/sh\ntouch {asked}\n")
    reboot.chmod(0o755)
    for name in ("/usr/sbin/reboot", "/usr/bin/systemctl"):
        if Path(name).exists():
            mount("--bind", str(reboot), os.path.realpath(name))
    if Path("/run/systemd").is_dir():
        mount("-t", "tmpfs", "tmpfs", "/run/systemd")
    for name, path in (
        ("boot_id", "/proc/sys/kernel/random/boot_id"),
        ("cmdline", "/proc/cmdline"),
    ):
        (folder / name).write_text("")
        mount("--bind", str(folder / name), path)
    values = {key: Path("/proc/sys", key).read_text() for key in KEYS}
    while True:
        as_at_first(values)
        line = "" if (folder / "deaf").exists() else CMDLINE.read_text()
        (folder / "boot_id").write_text(f"{uuid.uuid4()}\n")
        (folder / "cmdline").write_text(f"{FIRMWARE} {line.strip()}\n")
        subprocess.Popen([sshd, "-D", "-e", "-f", config], stdin=subprocess.DEVNULL)
        while not asked.exists():
            time.sleep(0.05)
            reap()
        asked.unlink()
        time.sleep(0.3)
        with contextlib.suppress(ProcessLookupError):  # one that hangs has none left
            os.kill(-1, signal.SIGKILL)
        reap(block=True)
        time.sleep(float(os.environ.get("DOWN_S", "1")))


def reap(*, block: bool = False) -> None:
    try:
        while os.waitpid(-1, 0 if block else os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


main()
