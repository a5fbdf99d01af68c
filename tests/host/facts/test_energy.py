"""What hosts that are not here say of their energy, as their kernels lay it out."""

from __future__ import annotations

import time

import pytest

from runner.host.facts import energy
from runner.host.facts.builder import Facts
from runner.host.sample import pmic
from runner.host.sample.sampler import Sampler
from runner.kinds.sources.energy import KIND

ADC = """\
     3V7_WL_SW_A current(0)=0.09759400A
       3V3_SYS_A current(1)=0.11905860A
        VDD_CORE_A current(7)=1.25000000A
     3V7_WL_SW_V volt(8)=3.70000000V
       3V3_SYS_V volt(9)=3.30000000V
        VDD_CORE_V volt(15)=0.72000000V
          EXT5V_V volt(24)=5.12000000V
           BATT_V volt(25)=0.00781400V
"""
WATTS = 0.097594 * 3.7 + 0.1190586 * 3.3 + 1.25 * 0.72


@pytest.fixture
def host(tmp_path, monkeypatch):
    """A /sys of our own, and no vcgencmd."""
    monkeypatch.setattr(energy, "POWERCAP", str(tmp_path / "powercap"))
    monkeypatch.setattr(energy, "HWMON", str(tmp_path / "hwmon"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    def lay(**files: str) -> dict[str, object]:
        for name, text in files.items():
            file = tmp_path / name.replace("__", "/").replace("_at_", ":")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text + "\n")
            if "bin" in file.parts:
                file.chmod(0o755)
        found = Facts()
        energy.gather(found)
        return found.values | {"absent": found.absent}

    return lay


def test_packages_are_counted_once_and_not_their_zones(host, tmp_path):
    facts = host(**{
        "powercap__intel-rapl_at_0__name": "package-0",
        "powercap__intel-rapl_at_0__energy_uj": "123456789",
        "powercap__intel-rapl_at_0_at_0__name": "core",
        "powercap__intel-rapl_at_0_at_0__energy_uj": "99",
        "powercap__intel-rapl_at_1__name": "package-1",
        "powercap__intel-rapl_at_1__energy_uj": "5",
        "powercap__intel-rapl-mmio_at_0__name": "package-0",
        "powercap__intel-rapl-mmio_at_0__energy_uj": "123456789",
        "hwmon__hwmon0__power1_input": "3000000",
    })  # fmt: skip
    folder = tmp_path / "powercap"
    assert facts["energy.counters"] == [
        f"{folder}/intel-rapl:0/energy_uj", f"{folder}/intel-rapl:1/energy_uj",
    ]  # fmt: skip
    assert facts["energy.sensors"] is None


def test_psys_is_the_whole_machine(host, tmp_path):
    facts = host(**{
        "powercap__intel-rapl_at_0__name": "package-0", "powercap__intel-rapl_at_0__energy_uj": "7",
        "powercap__intel-rapl_at_1__name": "psys", "powercap__intel-rapl_at_1__energy_uj": "9",
    })  # fmt: skip
    assert facts["energy.counters"] == [f"{tmp_path}/powercap/intel-rapl:1/energy_uj"]


def test_an_average_goes_before_what_a_sensor_reads_at_the_moment(host, tmp_path):
    facts = host(hwmon__hwmon3__power1_average="2500000", hwmon__hwmon3__power1_input="2400000",
                 hwmon__hwmon4__power1_input="700000", hwmon__hwmon4__temp1_input="41000")  # fmt: skip
    folder = tmp_path / "hwmon"
    assert facts["energy.sensors"] == [
        f"{folder}/hwmon3/power1_average", f"{folder}/hwmon4/power1_input",
    ]  # fmt: skip


def test_a_host_without_any_says_what_was_looked_for(host):
    facts = host()
    assert facts["energy.counters"] is facts["energy.sensors"] is facts["energy.pmic"] is None
    assert "no energy or power sensor" in facts["absent"]["energy.sensors"]


def test_outputs_of_a_pmic_are_volts_times_amperes(host, tmp_path):
    facts = host(bin__vcgencmd=f"#!/bin/sh\n[ $1 = pmic_read_adc ] && echo '{ADC}'")
    assert facts["energy.pmic"] == str(tmp_path / "bin" / "vcgencmd")
    assert pmic.watts(ADC) == pytest.approx(WATTS)
    assert pmic.watts('error=1 error_msg="Command not registered"') is None


def test_the_sampler_reads_counters_and_the_pmic(host, tmp_path):
    host(bin__vcgencmd=f"#!/bin/sh\necho '{ADC}'", powercap__x_at_0__energy_uj="1500000")
    facts = {
        "energy.counters": [f"{tmp_path}/powercap/x:0/energy_uj"],
        "energy.pmic": str(tmp_path / "bin" / "vcgencmd"),
    }
    reads = KIND.reads(facts, hz=10)
    assert [read["hz"] for read in reads] == [1.0, 1.0]
    seen = []
    sampler = Sampler(
        reads, 1.0, time.monotonic(),
        lambda event, **fields: seen.append(fields["v"]) if event == "sample" else None,
    )  # fmt: skip
    sampler.tick()
    sampler.close()
    assert seen == [[1500000, pytest.approx(WATTS)]]
