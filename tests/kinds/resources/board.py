"""A simulated board: values by address, with the kernel's habit of showing other forms."""

from runner.host.cells.normal_forms import integer
from runner.kinds.resources.interface import UNSET, Cell

THP = ("always", "madvise", "never")


def _page(want, _):
    if want in ("max", "-1"):
        return "9223372036854771712" if want == "-1" else "max"
    return str(int(want) // 4096 * 4096)


SHOWN = {
    "set": lambda want, prior: " ".join(
        dict.fromkeys([*(prior or "").split(), *(word[1:] for word in want.split())])
    ),
    "bracket": lambda want, _: " ".join(
        f"[{word}]" if word == want else word for word in dict.fromkeys((*THP, want))
    ),
    "page": _page,
    "integer": lambda want, _: str(integer(want)),
    "words": lambda want, _: "\t".join(want.split()),
}


def key(cell: Cell):
    return cell.address


class Board:
    def __init__(self, state=None):
        self.state = dict(state or {})
        self.journal = []

    def read(self, cell: Cell):
        if cell.via == "pseudo" and not self._there(cell.path):
            return None
        return self.state.get(key(cell))

    def _there(self, path):
        """A kernel file of a group is there when its folder is."""
        folder = path.rpartition("/")[0]
        if not folder.startswith("/sys/fs/cgroup/"):
            return True
        if folder.endswith(".service"):  # made by systemd with the unit
            units = [k for k in self.state if k[:2] == ("argv", folder.rpartition("/")[2])]
            return any(self.state[k] == "active" for k in units)
        return self.state.get(("cgroup", folder, "")) == "present"

    def apply(self, cells):
        for cell in cells:
            prior = self.read(cell)
            self.journal.append((cell, prior))
            self.state[key(cell)] = self._kept(cell, prior)

    def _kept(self, cell, prior):
        """What the kernel shows of what was written."""
        want = cell.want
        if want is None or isinstance(want, dict):
            return want
        if cell.form == "set" and not want.startswith("+"):
            return want
        return SHOWN.get(cell.form, lambda want, _: want)(want, prior)

    def restore(self):
        for cell, prior in reversed(self.journal):
            if cell.via == "cgroup" and prior is None:
                gone = [
                    k for k in self.state if len(k) > 1 and f"{k[1]}/".startswith(cell.path + "/")
                ]
                for k in gone:
                    del self.state[k]
            elif prior is None:
                self.state.pop(key(cell), None)
            else:
                self.state[key(cell)] = prior


def values_of(board, jsons):
    """Answer a probe."""
    found = {}
    for said in jsons:
        known = {k: said[k] for k in ("id", "via", "path", "name", "attr", "parse") if k in said}
        cell = Cell(**known, read=tuple(said.get("read", ())), want=UNSET)
        found[cell.id] = board.read(cell)
    return found
