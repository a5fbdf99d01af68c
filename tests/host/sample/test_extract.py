"""Picks against texts of real kernels, and against anything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.host.sample import extract

STATUS = "Name:\tcat (x) y\nVmPeak:\t    8380 kB\nVmRSS:\t    1512 kB\nThreads:\t1\nCpus_allowed_list:\t0-3\n"
STAT = "1234 (a ) b (c) S 1 1234 1234 0 -1 4194560 105 0 3 0 7 11 0 0 20 0 4 0 100 8581120 378\n"
NETSTAT = (
    "TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 0 17 18\n"
    "IpExt: InNoRoutes InOctets\nIpExt: 1 2\n"
)
PSI = "some avg10=0.12 avg60=0.00 avg300=0.00 total=4567\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=89\n"
OOM_CONTROL = "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"


@pytest.mark.parametrize(
    ("wanted", "text", "values"),
    [
        ({"int": True}, "33554432\n", [33554432]),
        ({"int": True}, "max\n", [None]),
        ({"int": True}, "", [None]),
        ({"keys": ["VmRSS", "VmSwap", "VmPeak"]}, STATUS, [1512, None, 8380]),
        ({"keys": ["Cpus_allowed_list"]}, STATUS, [None]),
        ({"keys": ["oom_kill"]}, OOM_CONTROL, [3]),
        ({"after_comm": [0, 7, 11, 12, 17, 90]}, STAT, [None, 105, 7, 11, 4, None]),
        ({"words": [0, 2]}, "0.25 0.10 0.05 1/97 1234\n", [0.25, 0.05]),
        ({"words": [1, 4]}, "cpu  10 0 20 30 0 0\ncpu0 1 1 1\n", [10, 30]),
        ({"psi": ["full.total", "some.avg10", "full.nothing"]}, PSI, [89, 0.12, None]),
        (
            {"netstat": ["IpExt.InOctets", "TcpExt.ListenOverflows", "TcpExt.New"]},
            NETSTAT,
            [2, 17, None],
        ),
    ],
)
def test_picks_what_the_kernel_wrote(wanted, text, values):
    """Each pick gives its values in order; what is not a number or not there is None."""
    assert extract.parse(wanted, text) == values


def test_zero_is_a_value():
    """A count of 0 is not taken for a missing one."""
    assert extract.parse({"keys": ["oom_kill"]}, "oom_kill 0\n") == [0]


@pytest.mark.parametrize("bad", [{}, {"int": True, "keys": ["a"]}, {"awk": "$1"}])
def test_a_pick_is_exactly_one_of_the_known(bad):
    """Anything else is refused by name, not ignored."""
    with pytest.raises(ValueError, match="exactly one of"):
        extract.kind(bad)


def test_the_socket_dump_reads_no_file():
    """`established` is answered elsewhere."""
    with pytest.raises(ValueError, match="not picked from a text"):
        extract.parse({"established": 80}, "")


PICKS = st.one_of(
    st.just({"int": True}),
    st.builds(lambda x: {"keys": x}, st.lists(st.text(min_size=1, max_size=8), max_size=4)),
    st.builds(lambda x: {"after_comm": x}, st.lists(st.integers(0, 60), max_size=4)),
    st.builds(lambda x: {"words": x}, st.lists(st.integers(0, 60), max_size=4)),
    st.builds(lambda x: {"psi": x}, st.lists(st.text(max_size=8), max_size=4)),
    st.builds(lambda x: {"netstat": x}, st.lists(st.text(max_size=8), max_size=4)),
)


@given(PICKS, st.text())
def test_any_text_gives_as_many_values_as_columns(wanted, text):
    """A damaged file never raises and never shifts columns; every value is finite or None."""
    values = extract.parse(wanted, text)
    assert len(values) == len(extract.columns("x", wanted))
    assert all(value is None or value - value == 0 for value in values)
