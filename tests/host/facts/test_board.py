"""Facts of boards that are not here: revision codes, thermal zones, throttle bits."""

from __future__ import annotations

import time

import pytest

from runner.host.facts import board
from runner.host.facts.builder import Facts
from runner.host.sample.sampler import Sampler
from runner.kinds.sources import board as source


class Files(Facts):
    """Files by path."""

    def __init__(self, files: dict[str, str | bytes]) -> None:
        super().__init__()
        self.files = files

    def data(self, path: str) -> bytes | None:  # type: ignore[override]
        found = self.files.get(path)
        return found.encode() if isinstance(found, str) else found

    def text(self, path: str) -> str | None:  # type: ignore[override]
        found = self.data(path)
        return None if found is None else found.decode("utf-8", "replace").rstrip("\0\n")


def facts(cpuinfo: str = "", **files: str | bytes) -> Files:
    tree = {f"/proc/device-tree/{name.replace('__', ',')}": text for name, text in files.items()}
    found = Files({"/proc/cpuinfo": cpuinfo, **tree})
    board._board(found)
    return found


@pytest.mark.parametrize(
    ("code", "revision", "memory"),
    [
        ("0000", None, None), ("0100", None, None), ("0001", None, None), ("0020", None, None),
        ("f03111", "f03111", None), ("c03111", "c03111", "4GB"), ("d04170", "d04170", "8GB"),
        ("e04171", "e04171", "16GB"), ("902120", "902120", "512MB"), ("000e", "e", None),
        ("1000002", "1000002", None), ("2a02082", "2a02082", "1GB"), ("C03111", "c03111", "4GB"),
        ("zz", None, None), ("c03111 x", None, None),
    ],
)  # fmt: skip
def test_revision_codes(code, revision, memory):
    """0000 and numbers of other boards are none; 7 is some other size of memory."""
    found = facts(f"Hardware\t: BCM2835\nRevision\t: {code}\n").values
    assert (found["board.revision"], found["board.memory"]) == (revision, memory)


def test_the_device_tree_has_the_code_where_cpuinfo_has_none():
    """As with Debian's kernels: four bytes, the highest first."""
    path = {
        "system/linux__revision": b"\x00\xc0\x31\x11",
        "model": "Raspberry Pi 4 Model B Rev 1.1\0",
    }
    found = facts("processor : 0\n", **path).values
    assert (found["board.revision"], found["board.memory"]) == ("c03111", "4GB")
    odd = facts("", **{**path, "system/linux__revision": b"\x00\xc0"}).values
    assert odd["board.revision"] is None


def test_another_board_with_a_number_in_that_line_is_no_pi():
    found = facts("Revision : 0010\n", model="FriendlyElec NanoPi R5S\0")
    assert found.values["board.revision"] is None
    assert found.absent["board.revision"] == "not a Raspberry Pi"


def test_the_processor_as_a_32_bit_system_sees_it():
    """The kernel of 64 bits tells its 32-bit programs `ARMv8 Processor`, beside the parts."""
    info = "model name\t: ARMv8 Processor rev 3 (v8l)\nCPU implementer\t: 0x41\nCPU part\t: 0xd08\n"
    assert board._cpu_model(info * 4) == "Cortex-A72"
    assert board._cpu_model("model name\t: Intel(R) Xeon(R)\n") == "Intel(R) Xeon(R)"
    assert board._cpu_model("processor : 0\n") is None


def zones(*kinds: tuple[str, str]) -> tuple[dict[str, float], str | None]:
    files: dict[str, str | bytes] = {}
    for at, (kind, temp) in enumerate(kinds):
        files |= {
            f"/z/thermal_zone{at}/type": kind + "\n",
            f"/z/thermal_zone{at}/temp": temp + "\n",
        }
    return board.zones_of(Files(files), sorted({path.rpartition("/")[0] for path in files}))


def test_zones_of_one_type_are_several():
    found, own = zones(("ddr", "40000"), ("cpu-thermal", "61500"), ("cpu-thermal", "55000"))
    assert found == {
        "ddr": 40.0,
        "cpu-thermal (thermal_zone1)": 61.5,
        "cpu-thermal (thermal_zone2)": 55.0,
    }
    assert own == "/z/thermal_zone1"


def test_zones_that_cannot_be_read_are_left_out():
    found, own = zones(("a", "oops"), ("b", "-5000"), ("", "7000"))
    assert found == {"b": -5.0, "thermal_zone2": 7.0}
    assert own == "/z/thermal_zone1"
    assert zones() == ({}, None)


def test_zones_are_in_the_order_of_their_numbers():
    many = [(f"t{at}", "1000") for at in range(12)]
    assert list(zones(*many)[0]) == [f"t{at}" for at in range(12)]


@pytest.fixture
def sysfs(tmp_path, monkeypatch):
    """A /sys of our own, and no vcgencmd."""
    monkeypatch.setattr(board, "THROTTLED", str(tmp_path / "soc*/soc*firmware/get_throttled"))
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def tool(folder, said):
    path = folder / "vcgencmd"
    path.write_text(f"#!/bin/sh\n{said}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    "node", ["soc/soc:firmware", "soc@107c000000/soc@107c000000:firmware", "soc/soc@0:firmware"]
)
def test_throttle_bits_where_the_firmware_has_its_node(sysfs, node):
    file = sysfs / node / "get_throttled"
    file.parent.mkdir(parents=True)
    file.write_text("50005\n")
    found = Facts()
    board._thermal(found)
    assert found.values["board.throttled"] == 0x50005
    assert found.values["board.throttled_source"] == str(file)


def test_throttle_bits_by_the_firmwares_tool(sysfs):
    """A Pi 5 whose kernel has no such file: the sampler asks the tool, too."""
    path = tool(sysfs, "echo throttled=0x50000")
    found = Facts()
    board._thermal(found)
    assert found.values["board.throttled"] == 0x50000
    assert found.values["board.throttled_source"] == path
    assert sampled(found.values) == ([0x50000, 0x50000], [])


def test_a_board_without_either_says_so(sysfs):
    found = Facts()
    board._thermal(found)
    assert found.values["board.throttled"] is None
    assert "sysfs or by vcgencmd" in found.absent["board.throttled"]


@pytest.mark.parametrize("said", ["exit 1", "echo error=1", "echo throttled=0x"])
def test_a_tool_that_fails_is_asked_once(sysfs, said):
    """And is absent from then on, with that reason."""
    path = tool(sysfs, f"echo x >> {sysfs}/asked; {said}")
    values, absent = sampled({"board.throttled_source": path})
    assert values == [None, None]
    assert [reason for name, reason in absent if name == "board.throttled"] == [
        f"{path} get_throttled gives no bits"
    ]
    assert (sysfs / "asked").read_text() == "x\n"


def sampled(known):
    """Two samples of the bits, and what was absent."""
    reads = [r for r in source.KIND.reads(known, hz=1.0) if r["id"] == "board.throttled"]
    events: list[tuple[str, dict]] = []
    sampler = Sampler(
        reads, 1.0, time.monotonic(), lambda event, **fields: events.append((event, fields))
    )
    sampler.tick()
    sampler.tick()
    sampler.close()
    values = [fields["v"][0] for event, fields in events if event == "sample"]
    return values, [(f["id"], f["reason"]) for event, f in events if event == "absent"]


def test_the_sampler_reads_the_processors_zone():
    reads = {r["id"]: r["path"] for r in source.KIND.reads({"thermal.zone": "/sys/x/z3"}, hz=1.0)}
    assert reads["board.temperature"] == "/sys/x/z3/temp"
    old = {r["id"]: r for r in source.KIND.reads({}, hz=1.0)}
    assert old["board.throttled"]["path"] == source.THROTTLED
