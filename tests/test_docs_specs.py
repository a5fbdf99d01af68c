"""Every YAML example of README and docs is read by what it is for."""

import re

import pytest
import yaml

from runner.specfile import parse_text
from tools.commands import PAGES, ROOT

BLOCK = re.compile(r'^```yaml(?: title="([^"]+)")?\n(.*?)^```$', re.DOTALL | re.MULTILINE)
REST = {
    "schema": "experiment/1", "name": "example",
    "build": {"go": "1.22.10", "package": "./server"},
    "factors": {"server": ["fasthttp", "nethttp"]},
    "workload": {"argv": ["{binary}", "{port}"], "ready": {"tcp": "127.0.0.1:{port}"}},
    "load": {"url": "http://127.0.0.1:{port}/", "steps": [{"connections": 50, "duration": "10s"}]},
    "healthy": ["load.error_ratio <= 0.1%"],
    "metrics": {"idle": {"from": "procfs.rss", "statistic": "max", "unit": "MiB"}},
}  # fmt: skip
"""What fragments stand in: the sections that they do not name."""
BLOCKS = [
    pytest.param(title or "", text, id=f"{page.relative_to(ROOT)}:{number}")
    for page in PAGES
    for number, (title, text) in enumerate(BLOCK.findall(page.read_text("utf-8")))
]


@pytest.mark.parametrize(("title", "text"), BLOCKS)
def test_an_example_is_read(title, text, tmp_path):
    data = yaml.safe_load(text)
    if title.startswith("."):
        return  # another tool's file
    if any(isinstance(host, dict) for host in data.get("hosts", {}).values()):
        return  # an inventory
    if "schema" not in data:
        both = {
            name: {**value, **data[name]}
            for name, value in REST.items()
            if isinstance(value, dict)
            and isinstance(data.get(name), dict)
            and "command" not in data[name]
            and name != "factors"
        }
        data = {**REST, **data, **both}
        if data["workload"].get("run") == "once":
            data = {name: data[name] for name in data if name not in {"load", "healthy"}}
            data["workload"].pop("ready", None)
        if "numbers" in data.get("load", {}):
            data["healthy"] = ["load.errors == 0"]  # these are all that its program prints
    (tmp_path / "times.txt").write_text("0.5\n1\n")  # what an example keeps beside its spec
    raw = yaml.safe_dump(data, allow_unicode=True).encode()
    parse_text(raw, "example.yaml", folder=tmp_path)
