"""The recipe made into kernel, disk and first roots; needs root, once.

Steps, each skipped where its result is there: packages → root folder → disk →
kernel and initrds → image.json. The folder gets its name only when all is done.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runner.board import apt, archive, initrd, paths, recipe, tools
from runner.board.errors import BoardError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Tell = Callable[[str], None]

_BINFMT: Final = Path("/proc/sys/fs/binfmt_misc")
# of what mmdebstrap says, what a user waits for
_SAID: Final = re.compile(r"I: (downloading|extracting|installing|cleaning)\b.*[^.\s]")
_ROOT_DONE: Final = "root.done"
_DISK_DONE: Final = "disk.done"


class Image:
    """A built image: the files QEMU is given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.disk = folder / "disk.raw"
        self.kernel = folder / "vmlinuz"
        self.identity = folder.name

    def initrd(self, machine: str) -> Path:
        """Give the first root for a machine."""
        return self.folder / f"initrd-{machine}.img"

    def device_tree(self, name: str) -> Path:
        """Give a board's device tree."""
        return self.folder / name

    @property
    def kernel_version(self) -> str:
        """The kernel's release, as `uname -r` says it."""
        description: dict[str, object] = json.loads(
            (self.folder / "image.json").read_text(encoding="utf-8")
        )
        return str(description["kernel"])


def find() -> Image | None:
    """Give the image of this recipe if it was built."""
    folder = paths.images() / recipe.identity()
    return Image(folder) if (folder / "image.json").is_file() else None


def build(tell: Tell, *, mirror: str | None = None) -> Image:
    """Give the image, built now if need be; an interrupted build is taken up again."""
    existing = find()
    if existing is not None:
        return existing
    tools.require(tools.BUILD, root=True)
    folder = paths.images() / recipe.identity()
    part = folder.with_name(folder.name + ".part")
    part.mkdir(parents=True, exist_ok=True)
    with _alone(part, tell) as lock:
        existing = find()  # somebody else may have built it while we waited
        if existing is not None:
            return existing
        started = time.monotonic()

        def step(text: str) -> None:
            tell(f"[{time.monotonic() - started:4.0f} s] {text}")

        root = part / "root"
        if not (part / _ROOT_DONE).exists():
            sources = apt.lines(recipe.SUITE, apt.read(), mirror)
            _bootstrap(root, step, sources, lock)
            (part / _ROOT_DONE).write_text(json.dumps(sources), encoding="utf-8")
        if not (part / _DISK_DONE).exists():
            _personal(root)
            point_apt(root, _sources(part))
            # a minute of an emulated board's first apt-get
            _run(["chroot", str(root), "apt-cache", "gencaches"])
            _disk(root, part / "disk.raw", step)
            (part / _DISK_DONE).touch()
        _boot_files(root, part, step)
        _unmounted(root)
        shutil.rmtree(root)
        part.replace(folder)
        size = (folder / "disk.raw").stat().st_blocks * 512 / 1e6
        step(f"image {folder.name}: {size:.0f} MB at {folder}")
    return Image(folder)


@contextlib.contextmanager
def _alone(part: Path, tell: Tell) -> Iterator[int]:
    """Hold the lock of one image, as a file descriptor.

    What writes the root inherits it: it goes on holding when this process is killed.
    """
    lock = part.with_name(part.name.removesuffix(".part") + ".lock")
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell("another process builds the same image: waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
            part.mkdir(parents=True, exist_ok=True)
        yield file.fileno()


def _sources(part: Path) -> list[str]:
    """Give the archives that the root folder was made of."""
    archives: list[str] = json.loads((part / _ROOT_DONE).read_text(encoding="utf-8"))
    return archives


def _bootstrap(root: Path, step: Tell, sources: list[str], lock: int) -> None:
    """Packages into a folder; what an earlier attempt downloaded is used again."""
    store = paths.packages()
    store.mkdir(parents=True, exist_ok=True)
    if root.exists():
        _unmounted(root)
        for package in (root / "var/cache/apt/archives").glob("*.deb"):
            shutil.move(package, store / package.name)
        shutil.rmtree(root)
    _foreign(step)
    step(f"packages of {sources[0].removeprefix('deb ')}")
    argv = command(root, store, sources)
    log = root.with_name("build.log")
    with (
        log.open("w", encoding="utf-8") as kept,
        subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", pass_fds=(lock,),
        ) as process,
    ):  # fmt: skip
        assert process.stdout is not None  # noqa: S101 - asked for above
        packages = 0
        for line in process.stdout:
            kept.write(line)
            packages += line.startswith("Setting up ")
            message = _SAID.match(line)
            if message:
                step(message[0].removeprefix("I: ").rstrip("."))
            elif packages and packages % 20 == 0 and line.startswith("Setting up "):
                step(f"{packages} packages set up, now {line.split()[2]}")
    if process.returncode:
        tail = [line for line in log.read_text(encoding="utf-8").splitlines() if line.strip()]
        raise BoardError(
            "the image was not built: " + "; ".join(tail[-3:]),
            fix=f"read {log}, then run the command again: it goes on with what it has",
        )


def _unmounted(root: Path) -> None:
    """Refuse to remove a folder below which this machine's own /proc or /sys is mounted."""
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    inside = [point for point in (line.split()[4] for line in mounts) if f"{root}/" in point]
    if inside:
        raise BoardError(
            f"{', '.join(inside)} is still mounted",
            fix=f"umount {' '.join(reversed(inside))}, then run the command again",
        )


def command(root: Path, store: Path, sources: list[str]) -> list[str]:
    """Give mmdebstrap's argument list."""
    return [
        # what it mounts below the root, and every process of it, ends with it
        *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"),
        "mmdebstrap",
        "--verbose",
        f"--architectures={recipe.ARCHITECTURE}",
        "--variant=apt",
        "--mode=root",
        "--format=directory",
        f"--include={','.join(recipe.PACKAGES)}",
        f"--keyring={apt.KEYRING}",
        "--dpkgopt=force-unsafe-io",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in recipe.EXCLUDED),
        '--aptopt=Acquire::Languages "none"',
        "--skip=download/empty",
        "--skip=essential/unlink",
        "--skip=cleanup/apt/lists",  # a board knows what it may install
        '--setup-hook=mkdir -p "$1/var/cache/apt/archives"',
        f"--setup-hook=sync-in {store} /var/cache/apt/archives",
        *(f"--essential-hook={line}" for line in recipe.BEFORE_PACKAGES),
        f"--customize-hook=sync-out /var/cache/apt/archives {store}",
        recipe.SUITE,
        str(root),
        *sources,
    ]


def _foreign(step: Tell) -> None:
    """Let this machine run programs of the board's architecture, by QEMU's user mode."""
    if os.uname().machine == "aarch64":
        return
    if not (_BINFMT / "register").exists():
        step("mounting binfmt_misc")
        _run(["mount", "-t", "binfmt_misc", "binfmt_misc", str(_BINFMT)])
    if not (_BINFMT / "qemu-aarch64").exists():
        step("switching on the emulation of arm64 programs")
        _run(["update-binfmts", "--enable", "qemu-aarch64"])


def _personal(root: Path) -> None:
    """Users, files and masked units; done again from the start after an interruption."""
    for name, content in recipe.FILES.items():
        file = root / name.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.write_text(content, encoding="utf-8")
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    for user, sudo in recipe.USERS.items():
        if not (root / "home" / user).exists():
            _run(["chroot", str(root), "useradd", "-m", "-s", "/bin/bash", user])
        if sudo:
            rule = root / "etc/sudoers.d" / user
            rule.write_text(f"{user} ALL=(ALL) NOPASSWD: ALL\n", encoding="utf-8")
            rule.chmod(0o440)
    for unit in recipe.MASKED:
        link = root / "etc/systemd/system" / unit
        link.unlink(missing_ok=True)
        link.symlink_to("/dev/null")
    pam = root / "etc/pam.d/sshd"
    lines = pam.read_text(encoding="utf-8").splitlines(keepends=True)
    pam.write_text("".join(x for x in lines if "pam_motd" not in x), encoding="utf-8")


def point_apt(root: Path, sources: list[str]) -> None:
    """Point the board's apt at this machine's; its lists of packages are kept."""
    shutil.rmtree(root / "etc/apt/sources.list.d", ignore_errors=True)
    lines = archive.board_lines(sources)
    (root / "etc/apt/sources.list").write_text("\n".join(lines) + "\n", encoding="ascii")
    for label, line in zip(archive.LABELS, sources, strict=False):
        suite = f"_dists_{line.split()[2]}_"
        for file in (root / "var/lib/apt/lists").glob(f"*{suite}*"):
            rest = file.name.partition(suite)[2]
            file.rename(file.with_name(f"{archive.ADDRESS}_{label}{suite}{rest}"))


def _disk(root: Path, disk: Path, step: Tell) -> None:
    step("writing the disk")
    disk.unlink(missing_ok=True)
    with disk.open("wb") as file:
        file.truncate(recipe.DISK_BYTES)
    _run([
        "mke2fs", "-q", "-t", "ext4", "-d", str(root), "-L", "board-root",
        "-E", "lazy_itable_init=1,nodiscard", "-O", "^metadata_csum", str(disk),
    ])  # fmt: skip


def _boot_files(root: Path, part: Path, step: Tell) -> None:
    step("kernel and first roots")
    kernels = sorted((root / "lib/modules").iterdir())
    if len(kernels) != 1:
        raise BoardError(f"{root} holds {len(kernels)} kernels", fix=f"remove {part}, build again")
    version = kernels[0].name
    shutil.copy(root / "boot" / f"vmlinuz-{version}", part / "vmlinuz")
    for name in recipe.DEVICE_TREES:
        shutil.copy(root / f"usr/lib/linux-image-{version}" / "broadcom" / name, part / name)
    for machine, modules in recipe.MODULES.items():
        first_root = initrd.first_root(root, version, modules)
        (part / f"initrd-{machine}.img").write_bytes(first_root)
    description = {"recipe": recipe.identity(), "kernel": version, "sources": _sources(part)}
    (part / "image.json").write_text(json.dumps(description) + "\n", encoding="utf-8")


def _run(argv: list[str]) -> None:
    done = subprocess.run(
        argv, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode:
        output = (done.stderr or done.stdout).strip().splitlines()
        raise BoardError(
            f"{argv[0]} failed: {output[-1] if output else f'exit {done.returncode}'}",
            fix="run the command again: it goes on with what it has",
        )
