"""Over generated hosts and desired states: idempotent, and put back as it was, 0 included."""

import copy

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.planning.state import candidates, plan_state, would_change
from tests.kinds.resources import strategies
from tests.kinds.resources.board import Board, values_of

POLICY = "/sys/devices/system/cpu/cpufreq/policy0"


@st.composite
def boards(draw):
    """A board with something, or nothing, behind every address."""
    low, high = sorted(draw(st.tuples(strategies.mhz, strategies.mhz)))
    number = strategies.zero_or
    paths = {
        "/proc/sys/vm/swappiness": draw(number),
        "/proc/sys/vm/dirty_ratio": draw(number),
        "/proc/sys/vm/dirty_background_bytes": draw(number),
        "/proc/sys/net/core/somaxconn": draw(number),
        "/proc/sys/kernel/panic": draw(number),
        "/proc/sys/kernel/randomize_va_space": draw(st.sampled_from("012")),
        "/proc/sys/vm/nr_hugepages": draw(number),
        "/proc/sys/fs/nr_open": draw(st.sampled_from(["1024", "1048576"])),
        "/proc/sys/fs/file-max": "9223372036854775807",
        "/sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never",
        "/sys/fs/cgroup/cgroup.subtree_control": draw(st.sampled_from(["", "cpu", "memory pids"])),
        f"{POLICY}/scaling_governor": draw(st.sampled_from(["ondemand", "powersave"])),
        f"{POLICY}/scaling_available_governors": "ondemand powersave performance",
        f"{POLICY}/scaling_min_freq": f"{low}000",
        f"{POLICY}/scaling_max_freq": f"{high}000",
        f"{POLICY}/cpuinfo_min_freq": "600000",
        f"{POLICY}/cpuinfo_max_freq": "1800000",
    }
    state = {("pseudo", path, ""): value for path, value in paths.items()}
    swaps = draw(st.dictionaries(st.sampled_from(["/var/swap", "/dev/zram0"]), st.integers(-2, 9)))
    for path, priority in swaps.items():
        state["swap", path, ""] = {"priority": priority}
    table = "\n".join(
        ["Filename Type Size Used Priority", *(f"{p} file 1 0 {n}" for p, n in swaps.items())]
    )
    state["pseudo", "/proc/swaps", ""] = table
    if draw(st.booleans()):
        state["file", "/etc/motd", ""] = {
            "type": "file",
            "bytes_b64": "eA==",
            "mode": 0o600,
            "uid": 1,
            "gid": 2,
        }
    state["link", "eth0", "mtu"] = "1500"
    state["link", "eth0", "up"] = draw(st.sampled_from(["up", "down"]))
    return Board(state)


def observed(board, system):
    values = values_of(board, candidates(system))
    if "swap:table" in values:  # the kernel's table follows swapon and swapoff
        areas = {k[1]: v for k, v in board.state.items() if k[0] == "swap" and v is not None}
        rows = [f"{p} file 1 0 {v.get('priority', -2)}" for p, v in areas.items()]
        values["swap:table"] = "\n".join(["Filename Type Size Used Priority", *rows])
    return values


@settings(max_examples=300, deadline=None)
@given(boards(), strategies.system, strategies.facts)
def test_plan_after_apply_is_empty_and_restore_gives_back_what_was_observed(board, system, facts):
    before = copy.deepcopy(board.state)
    plan = plan_state(system, facts, observed(board, system))
    assert not plan.refused, plan.refused
    assert not plan.unknown, plan.unknown
    board.apply(plan.cells)

    values = observed(board, system)
    again = plan_state(system, facts, values)
    values |= {cell.id: board.read(cell) for cell in again.cells}
    left = [str(change) for change in would_change(again, values) if change.outcome != "ok"]
    assert left == []

    board.restore()
    assert {k: v for k, v in board.state.items() if v is not None} == before


@settings(max_examples=100, deadline=None)
@given(boards(), strategies.system, strategies.facts)
def test_a_frequency_bound_never_crosses_the_other(board, system, facts):
    """At every write on the way, and on the way back, min ≤ max."""
    plan = plan_state(system, facts, observed(board, system))
    low, high = (("pseudo", f"{POLICY}/scaling_{end}_freq", "") for end in ("min", "max"))
    for cell in plan.cells:
        board.apply([cell])
        assert int(board.state[low]) <= int(board.state[high])
    while board.journal:
        cell, prior = board.journal.pop()
        board.state[cell.address] = prior
        assert int(board.state[low]) <= int(board.state[high])
