"""A search over anything: a limit, a number of the load, a word in braces, up or down."""

from __future__ import annotations

import json

import pytest

from tests.apply.conftest import needs_root_and_memory_group

HEAD = """
schema: experiment/1
name: searched
healthy: [workload.exit_code == 0]
repeat: {unit: search, between: [1, 1]}
"""
WORD = (
    HEAD
    + """
search: {find: highest healthy n, between: [1, 100], sentinels: false}
workload:
  argv: [python3, -c, "import sys; sys.exit(int(sys.argv[1]) > 37)", "{n}"]
  run: once
metrics:
  n: {from: search.level}
  took: {from: workload.wall, at: search.level}
"""
)
FILES = (
    HEAD
    + """
search: {find: lowest healthy limits.nofile, between: [8, 400], sentinels: false}
workload:
  argv: [python3, -c, "files = [open('/dev/null') for _ in range(100)]; print(max(f.fileno() for f in files))"]
  run: once
metrics:
  files: {from: search.level}
  highest: {from: stdout.regex, pattern: '\\d+', at: search.level}
"""
)
MEMORY = (
    HEAD
    + """
search: {find: lowest healthy memory.max, between: [8MiB, 256MiB], resolution: 1MiB, sentinels: false}
workload:
  argv: [python3, -c, "text = b'x' * (64 << 20); print(len(text))"]
  run: once
  cgroup: {memory.swap.max: 0}
metrics:
  memory: {from: search.level, unit: MiB}
claims:
  - {id: much, quote: 64 to 96 MiB, metric: memory, published: {low: 64, high: 96}}
"""
)


def ran(local, text):
    local.apply(local.spec(text))
    (folder,) = (local.reports / "searched").glob("2*")
    analysis = json.loads((folder / "artifacts" / "analysis.json").read_text())
    found = {item["metric"]: item for item in analysis["estimates"]}
    return folder, analysis, found


def test_a_word_in_braces_upwards(local):
    """The level is filled in wherever its word stands; metrics are taken at the level found."""
    folder, analysis, found = ran(local, WORD)
    assert found["n"]["values"] == [37]
    assert 0 < found["took"]["median"] < 5
    tried = [trial["steps"][0]["numbers"]["search.tried"] for trial in analysis["trials"]]
    assert {37, 38} <= set(tried)
    assert max(tried) <= 100
    outcomes = {
        (trial["steps"][0]["numbers"]["search.tried"] <= 37, trial["outcome"])
        for trial in analysis["trials"]
    }
    assert outcomes == {(True, "healthy"), (False, "unhealthy")}
    assert "highest healthy n" in (folder / "artifacts" / "report.md").read_text()


def test_a_limit_downwards(local):
    """As many open files as the program needs, and not one fewer."""
    _, analysis, found = ran(local, FILES)
    assert found["files"]["values"] == [found["highest"]["median"] + 1]
    assert analysis["search"]["what"] == "limits.nofile"


def test_how_little_memory_a_program_needs(local):
    """In whole pages, shown as a size; a page is charged once it is written."""
    needs_root_and_memory_group()
    folder, analysis, found = ran(local, MEMORY)
    (level,) = found["memory"]["values"]
    assert 64 << 20 < level < 96 << 20
    assert all(item["level"] % 4096 == 0 for item in analysis["search"]["levels"])
    report = (folder / "artifacts" / "report.md").read_text()
    assert "MiB …" in report
    assert str(int(level)) not in report


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("healthy n,", "healthy m,"), "{m} stands nowhere in workload or load"),
        (("healthy n,", "healthy conections,"), "did you mean `connections`?"),
        (("healthy n,", "healthy system.sysctl.vm.swappiness,"), "make it a factor"),
        (("healthy n,", "healthy limits.nofil,"), "`limits.nofil` cannot be varied there"),
        (("healthy n,", "healthy workload.argv,"), "`workload.argv` cannot be varied there"),
        (("[1, 100]", "[1ms, 100ms]"), "is not a number, a size or a rate"),
        (("[1, 100]", "[1MiB, 100MiB]"), "levels of n are sizes here: say unit: MiB"),
        (("sentinels: false", "workload: keep"), "a kept workload keeps its n"),
        (("search:", "factors: {n: [1, 2]}\nsearch:"), "is a factor with levels of its own"),
        (("search:", 'build: {go: "1.22.10", tags: ["{n}"]}\nsearch:'), "stands in `build`"),
    ],
)
def test_what_cannot_be_varied_is_refused(local, change, said):
    done = local("validate", str(local.spec(WORD.replace(*change))), code=3)
    assert said in done.stdout + done.stderr
