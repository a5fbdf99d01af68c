"""A simulated board: values by address, with the kernel's habit of showing other forms."""

from runner.host.normal import integer
from runner.resources.interface import UNSET, Cell

THP = ("always", "madvise", "never")


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
        if cell.form == "set" and want.startswith("+"):
            words = dict.fromkeys([*(prior or "").split(), *(w[1:] for w in want.split())])
            return " ".join(words)
        if cell.form == "bracket":
            return " ".join(f"[{w}]" if w == want else w for w in dict.fromkeys((*THP, want)))
        if cell.form == "page":
            if want in ("max", "-1"):
                return "9223372036854771712" if want == "-1" else "max"
            return str(int(want) // 4096 * 4096)
        if cell.form == "integer":
            return str(integer(want))
        if cell.form == "words":
            return "\t".join(want.split())
        return want

    def restore(self):
        for cell, prior in reversed(self.journal):
            if cell.via == "cgroup" and prior is None:
                gone = [k for k in self.state if len(k) > 1 and f"{k[1]}/".startswith(cell.path + "/")]
                for k in gone:
                    del self.state[k]
            elif prior is None and cell.via == "pseudo":
                self.state.pop(key(cell), None)
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
