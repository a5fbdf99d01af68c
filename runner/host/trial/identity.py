"""Who the workload is: its user, and the place outside our own folders that this user can reach.

The state folder is root's alone. A workload of another user gets its executable and a folder of
its own in one that others may pass through, removed with the trial; `restore` removes what a
killed supervisor has left there.
"""

from __future__ import annotations

import contextlib
import os

from ..digest import sha256
from ..state.state_folder import Refused
from . import process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Mapping, Optional, Sequence

    from runner.records.program import Workload

    from .context import Context

WHERE = "/var/tmp"  # noqa: S108 - made by mkdtemp; unlike /run it is not mounted noexec
PREFIX = "runner-place-"


def prefix(root: str) -> str:
    """Begin of the names of our places: other state folders have others."""
    return f"{PREFIX}{sha256(root.encode()).hexdigest()[:8]}-"


def tidy(root: str) -> None:
    """Remove the places that a killed supervisor of this state folder has left."""
    import shutil

    with contextlib.suppress(OSError):
        for entry in os.scandir(WHERE):
            own = entry.name.startswith(prefix(root)) and entry.is_dir(follow_symlinks=False)
            if own and entry.stat(follow_symlinks=False).st_uid == os.geteuid():
                shutil.rmtree(entry.path, ignore_errors=True)


class Identity:
    """A user of the host by name or number, with its groups; Refused where there is none."""

    def __init__(self, user: str, root: str) -> None:
        import pwd  # here, and below: few workloads have a user of their own

        try:
            entry = pwd.getpwuid(int(user)) if user.isdigit() else pwd.getpwnam(user)
        except KeyError as fault:
            raise Refused(
                "bad_program", f"workload.user: there is no user {user} on this host",
                "name one that is there, such as nobody",
            ) from fault  # fmt: skip
        if os.geteuid() not in (0, entry.pw_uid):
            raise Refused(
                "need_root", f"workload.user: only root can start a program as {user}",
                "say become: true for this host",
            )  # fmt: skip
        self.uid, self.gid = entry.pw_uid, entry.pw_gid
        self.groups = os.getgrouplist(entry.pw_name, entry.pw_gid)
        self.env = {"HOME": entry.pw_dir, "USER": entry.pw_name, "LOGNAME": entry.pw_name}
        self.folder: Optional[str] = None
        self._root = root

    def place(self, words: Mapping[str, str]) -> Dict[str, str]:
        """Give the words with {dir} and {binary} where this user can reach them."""
        if os.geteuid() == self.uid:
            return dict(words)
        import shutil
        import tempfile

        self.remove()
        self.folder = tempfile.mkdtemp(prefix=prefix(self._root), dir=WHERE)
        os.chmod(self.folder, 0o711)  # noqa: S103 - passed through, not read
        own = os.path.join(self.folder, "dir")
        os.mkdir(own, 0o700)
        os.chown(own, self.uid, self.gid)
        places = {**words, "dir": own}
        if "binary" in words:
            places["binary"] = os.path.join(self.folder, "binary")
            shutil.copyfile(words["binary"], places["binary"])
            os.chmod(places["binary"], 0o755)  # noqa: S103 - root's; others may run it
        return places

    def remove(self) -> None:
        """Remove the place."""
        if self.folder is not None:
            import shutil

            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None


def start_of(
    ctx: Context,
    plan: Workload,
    join: Sequence[str],
    env: Mapping[str, str],
    who: Optional[Identity],
) -> process.Start:
    """Say what is started: argv, environment, place, limits, user and input, all filled in."""
    asked = {name: ctx.fill(str(text)) for name, text in (plan.get("env") or {}).items()}
    stdin, cwd = plan.get("stdin"), plan.get("cwd")
    return process.Start(
        ctx.fill_all(plan["argv"]),
        env={**(who.env if who else {}), **asked, **env},
        cwd=ctx.fill(cwd) if cwd else None,
        join=join,
        limits=plan.get("limits"),
        cpus=plan.get("cpus"),
        aslr=bool(plan.get("aslr", True)),
        user=(who.uid, who.gid, who.groups) if who else None,
        umask=plan.get("umask"),
        stdin={**stdin, "path": ctx.fill(stdin["path"])} if stdin and "path" in stdin else stdin,
    )
