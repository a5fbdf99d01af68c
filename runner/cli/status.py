"""`runner status [HOST]`: what is applied, by which run, since when, what has drifted."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runner.cli import common, console

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from runner.apply.interface import HostEntry
    from runner.records.host_events import Applied, Hold, Status, TrialSaid
    from runner.records.plain import Json

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

    by_host: dict[str, tuple[Status, list[Applied]]] = {}

    def ask(host: HostEntry) -> None:
        agent = Agent(host.transport, run_id="status", state_dir=host.state_dir, become=host.become)
        by_host[host.name] = status(agent)

    code = common.at_each(args, ask)
    if args.json:
        document = {name: data(*one) for name, one in by_host.items()}
        console.out(json.dumps(document, indent=2, ensure_ascii=False))
        return code
    for name, (state, applied) in by_host.items():
        for line in lines(name, state, applied, verbose=args.verbose):
            console.out(line)
    return code


def data(status: Status, applied: Sequence[Applied]) -> dict[str, object]:
    """Give the host's state as one document."""
    from msgspec import to_builtins

    document = to_builtins({"hold": status.hold, "alive": status.alive, "journal": status.journal})
    rows = [
        {key: value for key, value in to_builtins(one).items() if key not in {"event", "t"}}
        for one in applied
    ]
    return {**document, "trials": to_builtins(status.trials), "applied": rows}


def lines(
    name: str, status: Status, applied: Sequence[Applied], *, verbose: bool = False
) -> list[str]:
    """Say the state of one host."""
    running = [trial for trial in status.trials if trial.running]
    shown_lines = [f"{name}: {_held(status.hold, alive=status.alive)}"]
    if not applied:
        shown_lines.append("  nothing is changed")
    gone = [one for one in applied if one.state == "back" and not verbose]
    if gone:
        shown_lines.append(
            f"  {len(gone)} changed and as before by now, such as groups of past trials"
        )
    for one in applied:
        if one in gone:
            continue
        state = console.colour(one.state.ljust(10), COLOURS.get(one.state, "dim"))
        text = f"  {state} {one.id}  {shown(one.prior)} → {shown(one.ours)}"
        if one.state in {"drifted", "unfinished"}:
            text += f", now {shown(one.now)}"
        text += f"  (run {one.run}, {when(one.at)})"
        shown_lines.append(text + (f": {one.why}" if one.why else ""))
    if status.journal.damaged:
        damaged = ", ".join(map(str, status.journal.damaged))
        shown_lines.append(f"  the journal is damaged in line {damaged}")
    shown_lines += [f"  {_running(trial)}" for trial in running]
    if applied and not running and not status.alive:
        shown_lines.append(f"  undo: runner restore {name}")
    return shown_lines


def _running(trial: TrialSaid) -> str:
    if trial.last == "end":
        return (
            f"kept       the workload of trial {trial.trial} of run {trial.run} waits for "
            f"the next one of its search, since {when(trial.at)}"
        )
    return (
        f"running    trial {trial.trial} of run {trial.run} ({trial.bytes} bytes, "
        f"last {trial.last} at {when(trial.at)}): runner attach {trial.run}"
    )


def _held(hold: Hold | None, *, alive: bool) -> str:
    if hold is None:
        return "held by no run"
    how = "kept in place" if hold.kept else "" if alive else "its controller is gone"
    until = f", lease {hold.lease_s:.0f} s" if hold.lease_s and alive else ""
    tail = f" ({how})" if how else ""
    job = f", job {hold.job}" if hold.job is not None else ""
    return f"run {hold.run} since {when(hold.since)}, from {hold.controller}{job}{until}{tail}"


def shown(value: Json) -> str:
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
