"""A program that ends before it was sampled twice: its OOM kills are known all the same."""

SPEC = """\
schema: experiment/1
name: short
hosts: {server: local}
sample: {hz: 0.5}
workload:
  argv: [python3, -I, -S, -c, "held = b'x' * ({mib} << 20)"]
  run: once
  cgroup: {memory.max: 32MiB, memory.swap.max: 0}
factors: {mib: ["4", "64"]}
repeat: 1
healthy: [cgroup.oom_kills == 0]
metrics: {killed: {from: cgroup.oom_kills}}
"""


def test_kills_of_a_short_program_are_counted_by_its_group(local):
    found = local.apply(local.spec(SPEC))["trials"]
    outcomes = {
        trial["treatment"]["mib"]: (
            trial["outcome"],
            trial["steps"][0]["numbers"]["cgroup.oom_kills"],
            trial["steps"][0]["failed"],
        )
        for trial in found
    }
    assert outcomes == {
        "4": ("healthy", 0.0, []),
        "64": ("unhealthy", 1.0, ["cgroup.oom_kills == 0", "workload.alive"]),
    }
