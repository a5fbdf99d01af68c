"""What `runner apply` does on the wire, without its spec, plan and record: one converge.

`python -m benchmarks.converge.library JOB`: JOB is JSON with hosts and cells.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from runner.executor.agent import Agent
from runner.executor.converge import converge
from runner.transports.ssh import SshTransport
from runner.transports.ssh_options import SshOptions


def one(host: dict) -> str:
    transport = SshTransport(
        SshOptions(
            host="127.0.0.1",
            user=host["user"],
            port=host["port"],
            key=Path(host["key"]),
            known_hosts=Path(host["known_hosts"]),
            ssh_config=Path(host["ssh_config"]),
            use_agent=False,
            python=host["python"],
        ),
        name=host["name"],
    )
    agent = Agent(transport, run_id="20260101T000000Z-abcdef", state_dir=host["state"])
    held = {"controller": "benchmark", "lease_s": None, "kept": True}
    results = converge(agent, host["cells"], held=held)
    transport.close()
    failed = [result for result in results if result.failed]
    assert not failed, failed[:3]
    return f"{host['name']} changed={sum(result.changed for result in results)}"


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text())
    with ThreadPoolExecutor(len(job["hosts"])) as pool:
        print("\n".join(pool.map(one, job["hosts"])))


if __name__ == "__main__":
    main()
