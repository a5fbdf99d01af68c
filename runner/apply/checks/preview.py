"""`apply --check`: what would change on every host, and nothing is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.apply import hosts as at_all
from runner.apply.boards.left_out import InUse, ended
from runner.apply.checks.requirements import lacking, unmet_as_found
from runner.apply.declared import declared_state
from runner.apply.host_run import amiss, host_run
from runner.apply.interface import Outcome
from runner.errors import HostError
from runner.planning.facts import sysctls_of
from runner.records.secrets import values_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.apply.interface import HostEntry, Loaded, Options, Reporter
    from runner.records.manifest import LeftOut


def preview(
    loaded: Loaded,
    hosts: Mapping[str, HostEntry],
    run_id: str,
    options: Options,
    reporter: Reporter,
) -> Outcome:
    """Probe every host and tell what would change; nothing is recorded."""
    experiment = loaded.experiment
    runs = [
        host_run(hosts[name], run_id, reporter, lambda _: None, values_in(experiment))
        for name in experiment.hosts.names()
    ]
    left_out: dict[str, LeftOut] = {}
    use = InUse(experiment.hosts, runs, left_out.__setitem__)
    system = declared_state(loaded, options)
    for host in runs:
        host.sysctls = sysctls_of(experiment, system)
    use.leave("probed", at_all.observe(runs, system, options, reporter))
    for host in use.hosts:
        reporter.phase(f"check {host.name}")
        try:
            host.preview()
        except HostError as fault:
            use.leave("planned", {host.name: fault})
    facts = {host.name: host.facts for host in use.hosts}
    for problem in unmet_as_found(experiment, facts):
        reporter.note(f"requirement not met: {problem}")
    for lack, fix in lacking(experiment, facts):
        reporter.note(f"limit out of reach: {lack}; {fix}")
    return ended(
        Outcome(run_id, None, {host.name: host.counts for host in runs}, failed=amiss(use.hosts)),
        left_out,
    )
