"""`runner plan EXP`: what would change, how long it takes, and what it can decide."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.cli import common, console
from runner.errors import HostBusy, RecordError, RunnerError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from runner.analysis.forecast.chance import Chance
    from runner.analysis.forecast.forecast import Duration
    from runner.analysis.model import Analysis
    from runner.apply.checks.reach import Reach
    from runner.apply.interface import Loaded
    from runner.apply.state import HostRun
    from runner.kinds.resources.interface import Cell
    from runner.records.cells import Cell as Sent
    from runner.specfile.inventory import Inventory


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    common.add_spec(parser)
    parser.add_argument("--offline", action="store_true", help="ask no host")
    parser.add_argument("--diff", action="store_true", help="show unified diffs of files")
    parser.add_argument(
        "--pilot", metavar="RUN", help="run to learn the spread from (default: the newest one)"
    )
    parser.add_argument(
        "--spread", metavar="PERCENT",
        help="standard deviation of one repetition, in place of a pilot: 5%%",
    )  # fmt: skip
    parser.add_argument("--reports", type=Path, help="where runs are recorded (default: reports)")
    parser.add_argument(
        "--program", action="store_true", help="print the programs that the hosts would be sent"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Plan; a host that cannot be asked does not hide what is known without it."""
    from runner.analysis.forecast.forecast import chances, duration
    from runner.cli.compare import threshold
    from runner.records.secrets import values_in

    loaded, known = common.read_spec(args, args.spec)
    if not args.offline:
        console.hide(values_in(loaded.experiment))
    spread = None if args.spread is None else threshold(args.spread, "--spread")
    code = 0
    hosts: list[HostRun] = []
    if not args.offline:
        try:
            hosts = observed(args, loaded, known)
        except RunnerError as error:
            console.error(error.message, error.fix)
            code = error.exit_code
    if args.program:
        from runner.records.program import thawed

        console.out(
            json.dumps(programs(loaded, hosts), indent=1, ensure_ascii=False, default=thawed)
        )
        return code
    name, pilot = pilot_of(args, loaded)
    took = duration(loaded.experiment)
    decided = chances(loaded.experiment, pilot, spread)
    if args.json:
        data = as_json(hosts, loaded, took, decided, name)
        data["reach"] = vars(touched(args, loaded, known, hosts))
        console.out(json.dumps(data, ensure_ascii=False, default=vars))
        return code
    for line in touched(args, loaded, known, hosts).lines():
        console.out(line)
    for host in hosts:
        show_host(host, loaded, diff=args.diff)
    show_duration(took)
    show_chances(decided, name)
    return code


def observed(args: argparse.Namespace, loaded: Loaded, known: Inventory) -> list[HostRun]:
    """Probe every host and plan its state; nothing is changed."""
    from runner.apply.declared import declared_state
    from runner.apply.interface import Options
    from runner.apply.state import HostRun
    from runner.cli.terminal import Terminal
    from runner.executor.agent import Agent
    from runner.planning.facts import sysctls_of
    from runner.records.secrets import values_in

    options = Options(reports=common.reports_dir(args), cache=common.cache_dir())
    system = declared_state(loaded, options)
    planned = []
    for host in common.entries(args, known, loaded.experiment.hosts.names()).values():
        agent = Agent(
            host.transport, run_id="plan", state_dir=host.state_dir, become=host.become,
            secrets=values_in(loaded.experiment),
        )  # fmt: skip
        one = HostRun(host, agent, "plan", Terminal(quiet=True), lambda _: None)
        one.sysctls = sysctls_of(loaded.experiment, system)
        try:
            one.observe(system)
        except HostBusy as busy:
            # planning changes nothing: what another run has set is what would be found
            console.say(f"note: {busy.message}")
            one.plan_all(system)
        finally:
            host.transport.close()
        planned.append(one)
    return planned


def touched(
    args: argparse.Namespace, loaded: Loaded, known: Inventory, hosts: Sequence[HostRun]
) -> Reach:
    """Say what the spec would do that matters; no host is asked for it."""
    from runner.apply.checks.reach import reach

    entries = {host.name: host.entry for host in hosts}
    if not entries and not args.offline:
        entries = common.entries(args, known, [])
    servers = {name: known.host(name).power for name in loaded.experiment.hosts.server}
    power = {name: how for name, how in servers.items() if how is not None}
    return reach(loaded, entries, {host.name: host.host.root for host in hosts}, power)


def pilot_of(args: argparse.Namespace, loaded: Loaded) -> tuple[str, Analysis | None]:
    """Give the run that is named, or the newest of the experiment."""
    from runner.apply.judged import judged
    from runner.store.experiment import of_record
    from runner.store.runs import find, newest

    root = common.reports_dir(args)
    if args.pilot is not None:
        folder = find(root, args.pilot)
        return folder.id, judged(folder, of_record(folder))
    try:
        newest_run = newest(root, loaded.experiment.name)
        if newest_run is None:
            return "", None
        return newest_run.id, judged(newest_run, of_record(newest_run))
    except RecordError as error:
        console.say(f"no pilot: {error.message}")
        return "", None


def programs(loaded: Loaded, hosts: Sequence[HostRun]) -> list[dict[str, Any]]:
    """Give what each host would be sent: cells of the state, and each treatment's trial."""
    from runner.apply.levels.attempt import network_cells
    from runner.compile.program import TrialRequest, trial_program
    from runner.planning.ids import treatment_id
    from runner.spec.sections.varied import OF_LOAD, at_level
    from runner.spec.treatments import treatments, with_levels

    documents = []
    for host in hosts:
        cells = _sent((*host.plan.packages, *host.plan.cells, *host.plan.actions))
        trials = {}
        for levels in treatments(loaded.experiment) if host is hosts[0] else ():
            experiment = with_levels(loaded.experiment, levels)
            if experiment.workload is None:
                continue
            search = experiment.search
            experiment = at_level(experiment, search.low) if search else experiment
            layer = host.layers.get(treatment_id(levels))
            compiled = trial_program(
                experiment,
                host.facts,
                TrialRequest(
                    trial=f"{treatment_id(levels)}-r1-a1",
                    network_cells=network_cells(
                        experiment, layer.cells if layer else host.plan.cells
                    ),
                    connections=search.low if search and search.goal.variable in OF_LOAD else None,
                ),
            )
            trials[treatment_id(levels)] = compiled.program
        states = {name: _sent(layer.cells) for name, layer in host.layers.items()}
        documents.append(
            {"host": host.name, "converge": cells, "treatments": states, "trials": trials}
        )
    return documents


def _sent(cells: Sequence[Cell]) -> list[Sent]:
    """Give cells as the host is sent them; what is secret is masked."""
    from runner.planning.state import MASK

    return [{**cell.to_json(), "want": MASK} if cell.secret else cell.to_json() for cell in cells]


def as_json(
    hosts: Sequence[HostRun],
    loaded: Loaded,
    took: Duration,
    decided: Sequence[Chance],
    pilot: str,
) -> dict[str, object]:
    """Give what `--json` prints."""
    from runner.apply.checks.requirements import unmet_as_found

    return {
        "experiment": loaded.experiment.name,
        "hosts": {
            host.name: {
                "changes": [vars(change) for change in host.changes()],
                "skipped": host.plan.skipped,
                "refused": {kind: vars(refusal) for kind, refusal in host.plan.refused.items()},
                "needs_root": host.plan.needs_root,
            }
            for host in hosts
        },
        "requirements_not_met": unmet_as_found(loaded.experiment, {h.name: h.facts for h in hosts})
        if hosts
        else [],
        "duration": vars(took),
        "pilot": pilot or None,
        "claims": [vars(one) for one in decided],
    }


def show_host(host: HostRun, loaded: Loaded, *, diff: bool) -> None:
    """Print what would change on one host."""
    from runner.apply.checks.requirements import lacking, unmet_as_found

    changes = host.changes()
    due = [change for change in changes if change.outcome != "ok"]
    due.sort(key=lambda change: change.outcome != "would fail")
    fail = sum(change.outcome == "would fail" for change in due)
    lost = f", {fail} would fail" if fail else ""
    console.out(f"{host.name}: {len(due) - fail} of {len(changes)} resources would change{lost}")
    for change in due:
        treatment = f" ({change.treatment})" if change.treatment else ""
        console.out(f"  {change.id}{treatment}: {change}")
        if diff and change.diff:
            console.out(change.diff.rstrip("\n"))
    for kind, why in host.plan.skipped.items():
        console.out(f"  {kind}: skipped ({why})")
    for kind, refusal in host.plan.refused.items():
        console.out(
            f"  {kind}: refused ({refusal.why})" + (f"; {refusal.fix}" if refusal.fix else "")
        )
    if host.plan.needs_root and not host.host.root:
        console.out(f"  root is needed for {', '.join(host.plan.needs_root)}")
    for lack, fix in lacking(loaded.experiment, {host.name: host.facts}):
        console.out(f"  limit out of reach: {lack}; {fix}")
    for problem in unmet_as_found(loaded.experiment, {host.name: host.facts}):
        if problem.startswith(f"{host.name}:"):
            console.out(f"  requirement not met: {problem}")


def show_duration(took: Duration) -> None:
    """Print how long it takes."""
    from runner.report.format.units import long_duration

    if not took.trial_s[1]:
        return
    searched = ""
    if took.searched is not None:
        searched = f" × {took.searched[0]}–{took.searched[1]} trials of a search"
    repetitions = "–".join(str(n) for n in dict.fromkeys(took.repetitions))
    trials = "–".join(str(n) for n in dict.fromkeys(took.trials))
    lasting = " to ".join(dict.fromkeys(long_duration(s) for s in took.seconds))
    least, own = ("at least ", "what the program takes, ") if took.ends_itself else ("", "")
    console.out(
        f"duration: {least}{lasting}: {took.treatments} treatment(s) × {repetitions} repetition(s)"
        f"{searched} = {trials} trial(s), beside {own}builds, packages and repeated invalid trials"
    )


def show_chances(decided: Sequence[Chance], pilot: str) -> None:
    """Print what the repetitions can decide."""
    if not decided:
        return
    console.out(f"claims (pilot: {pilot or 'none'}):")
    for one in decided:
        chance = ""
        if one.chance is not None:
            low, high = one.chance
            n = f"n = {one.n[0]}" + (f"–{one.n[1]}" if one.n[1] != one.n[0] else "")
            chance = f"{low:.0%}" + (f"–{high:.0%}" if high != low else "")
            chance = f"chance to decide with {n}: {chance}"
            chance += f" (towards {one.towards})" if one.towards else ""
        more = f"; about {one.needed} for 80 %" if one.needed and one.needed > one.n[1] else ""
        basis = f" [{one.basis}]" if one.basis else ""
        console.out(f"  {one.id}  {one.published}: {chance or 'cannot be said'}{more}{basis}")
        if one.warning:
            console.out(f"      ! {one.warning}")
