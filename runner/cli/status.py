"""`runner status [HOST]`: what is applied, by which run, since when, what has drifted."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from runner.cli import common, console
from runner.errors import RunnerError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

COLOURS = {"applied": "ok", "drifted": "failed", "back": "dim", "unfinished": "changed"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("hosts", metavar="HOST", nargs="*", default=[], help="default: local")
    common.add_host(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("-v", "--verbose", action="store_true", help="show what is back, too")


def run(args: argparse.Namespace) -> int:
    """Print the state of each host; a host that cannot be asked does not hide the others."""
    from runner.executor.agent import Agent
    from runner.executor.host import status

    found: dict[str, Any] = {}
    code = 0
    known = common.inventory_of(args, None)
    for name, host in common.entries(args, known, args.hosts or [args.host or "local"]).items():
        agent = Agent(host.transport, run_id="status", state_dir=host.state_dir, become=host.become)
        try:
            found[name] = read(status(agent))
        except RunnerError as error:
            if len(args.hosts) < 2:
                raise
            console.error(error.message, error.fix)
            code = code or error.exit_code
        finally:
            host.transport.close()
    if args.json:
        console.out(json.dumps(found, indent=2, ensure_ascii=False))
        return code
    for name, said in found.items():
        for line in lines(name, said, verbose=args.verbose):
            console.out(line)
    return code


def read(events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Join the host's events into one document."""
    found: dict[str, Any] = {"hold": None, "alive": False, "journal": {}, "trials": []}
    for event in events:
        if event["event"] == "status":
            found |= {key: event.get(key) for key in ("hold", "alive", "journal", "trials")}
    found["applied"] = [
        {key: value for key, value in event.items() if key != "event"}
        for event in events
        if event["event"] == "applied"
    ]
    return found


def lines(name: str, said: Mapping[str, Any], *, verbose: bool = False) -> list[str]:
    """Say the state of one host."""
    hold, applied = said["hold"], said["applied"]
    running = [trial for trial in said["trials"] or () if trial["running"]]
    found = [f"{name}: {_held(hold, alive=bool(said['alive']))}"]
    if not applied:
        found.append("  nothing is changed")
    gone = [one for one in applied if one["state"] == "back" and not verbose]
    if gone:
        found.append(f"  {len(gone)} changed and as before by now, such as groups of past trials")
    for one in applied:
        if one in gone:
            continue
        state = console.colour(str(one["state"]).ljust(10), COLOURS.get(one["state"], "dim"))
        text = f"  {state} {one['id']}  {shown(one['prior'])} → {shown(one['ours'])}"
        if one["state"] in {"drifted", "unfinished"}:
            text += f", now {shown(one['now'])}"
        text += f"  (run {one['run']}, {when(one['at'])})"
        found.append(text + (f": {one['why']}" if one.get("why") else ""))
    damaged = (said["journal"] or {}).get("damaged")
    if damaged:
        found.append(f"  the journal is damaged in line {', '.join(map(str, damaged))}")
    found += [f"  {_running(trial)}" for trial in running]
    if applied and not running and not said["alive"]:
        found.append(f"  undo: runner restore {name}")
    return found


def _running(trial: Mapping[str, Any]) -> str:
    if trial["last"] == "end":
        return (
            f"kept       the workload of trial {trial['trial']} of run {trial['run']} waits for "
            f"the next one of its search, since {when(trial['at'])}"
        )
    return (
        f"running    trial {trial['trial']} of run {trial['run']} ({trial['bytes']} bytes, "
        f"last {trial['last']} at {when(trial['at'])}): runner attach {trial['run']}"
    )


def _held(hold: Mapping[str, Any] | None, *, alive: bool) -> str:
    if hold is None:
        return "held by no run"
    how = "kept in place" if hold.get("kept") else "" if alive else "its controller is gone"
    lease = hold.get("lease_s")
    until = f", lease {lease:.0f} s" if lease and alive else ""
    tail = f" ({how})" if how else ""
    since = when(hold.get("since"))
    return f"run {hold['run']} since {since}, from {hold.get('controller')}{until}{tail}"


def shown(value: Any) -> str:
    """Show a value in a line."""
    from runner.report.format.words import value as words

    if isinstance(value, dict) and "size" in value:
        mode = value.get("mode")
        return f"file of {value['size']} B" + (f", {mode:04o}" if isinstance(mode, int) else "")
    return words(value)


def when(at: float | None) -> str:
    """Give a time as ISO 8601 in UTC."""
    if not at:
        return "unknown"
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
