"""Declared states and hosts."""

from hypothesis import strategies as st

CONTROLLERS = ("memory", "cpu", "cpuset", "pids", "io")

small = st.integers(0, 200)
sysctl = st.dictionaries(
    st.sampled_from(
        [
            "vm.swappiness",
            "vm/dirty_ratio",
            "net.core.somaxconn",
            "kernel.panic",
            "vm.dirty_background_bytes",
        ]
    ),
    st.one_of(small, small.map(str), small.map(hex), st.just("0")),
    max_size=4,
)
limits = st.fixed_dictionaries(
    {"memory.max": st.one_of(st.integers(4096, 10**9), st.just("32MiB"))},
    optional={
        "memory.swap.max": st.integers(0, 10**6),
        "cpu.max": st.sampled_from(["50%", "max", "20000 50000"]),
        "cpu.weight": st.integers(1, 10000),
        "cpuset.cpus": st.sampled_from(["0", "0,1", "0-1"]),
        "pids.max": st.one_of(st.integers(1, 100), st.just("max")),
        "io.max": st.sampled_from(["8:0 rbps=1MiB", "8:0 wiops=10 riops=5"]),
    },
)
mhz = st.sampled_from([600, 700, 1000, 1500, 1800])
frequency = st.tuples(mhz, mhz).map(
    lambda pair: {"min": f"{min(pair)}MHz", "max": f"{max(pair)}MHz"}
)
files = st.dictionaries(
    st.sampled_from(["/etc/motd", "/srv/a", "/srv/b"]),
    st.one_of(
        st.fixed_dictionaries(
            {"content": st.text(max_size=20)}, optional={"mode": st.just("0640")}
        ),
        st.just({"absent": True}),
        st.just({"symlink": "x"}),
        st.just({"directory": True}),
    ),
    max_size=3,
)
system = st.fixed_dictionaries(
    {},
    optional={
        "sysctl": sysctl,
        "cgroup": st.dictionaries(st.sampled_from(["web", "db"]), limits, max_size=2),
        "cpu_governor": st.sampled_from(["performance", "ondemand"]),
        "cpu_frequency": frequency,
        "transparent_hugepage": st.sampled_from(["always", "madvise", "never"]),
        "hugepages": small,
        "swap": st.sampled_from(["off", {"/var/swap": {"priority": 7}}, {"/dev/zram0": "off"}]),
        "services": st.sampled_from([{"stopped": ["lightdm"]}, {"started": ["lightdm", "chrony"]}]),
        "kernel_module": st.sampled_from([{"loaded": ["x"]}, {"unloaded": ["x"]}]),
        "files": files,
        "aslr": st.sampled_from(["off", "full"]),
        "nofile": st.integers(64, 4000),
        "network": st.sampled_from(
            [{"eth0": {"mtu": 1400, "up": False}}, {"eth0": {"qdisc": "netem delay 1ms"}}]
        ),
    },
)
v1 = st.just(
    {
        "cgroup.version": 1,
        "cgroup.mounts": {
            {"io": "blkio"}.get(c, c): f"/sys/fs/cgroup/{ {'io': 'blkio'}.get(c, c) }"
            for c in CONTROLLERS
        },
        "cpu.online": "0-1",
    }
)
v2 = st.sampled_from(["systemd", None]).map(
    lambda init: {"cgroup.version": 2, "cgroup.controllers": list(CONTROLLERS), "init": init}
)
facts = st.tuples(st.one_of(v1, v2), st.booleans()).map(
    lambda pair: {
        **pair[0],
        "init": pair[0].get("init") or "sysvinit",
        "cpu.policies": ["policy0"] if pair[1] else [],
        "net.interfaces": ["lo", "eth0"],
    }
)
zero_or = st.sampled_from(["0", "1", "60", "128"])
SWAPS = "Filename Type Size Used Priority"
