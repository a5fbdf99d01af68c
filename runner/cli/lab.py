"""`runner lab`: many boards behind a queue, Slurm as it is."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli import apply, common, console, lab_submission, trust
from runner.errors import HostError, RecordError, RunnerError, SpecError

if TYPE_CHECKING:
    import argparse

    from runner.lab.conf import Node
    from runner.lab.slurm import Job
    from runner.lab.submission import Share, Submission
    from runner.specfile.inventory import Inventory

LAB = Path("lab")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    init = actions.add_parser("init", help="write slurm.conf for the boards of the inventory")
    init.add_argument("hosts", metavar="HOST", nargs="*", help="boards, groups (default: all)")
    init.add_argument("--offline", action="store_true", help="ask no board for its facts")
    init.add_argument("--gateway", default=os.uname().nodename.split(".")[0],
                      help="what Slurm calls this machine (default: its host name)")  # fmt: skip
    init.add_argument("--port", type=int, help="of slurmctld; the boards' from 10 above it on")
    common.add_host(init)
    submit = actions.add_parser("submit", help="queue an experiment, one job a board")
    common.add_spec(submit)
    trust.add(submit)
    submit.add_argument("--again", metavar="ID",
                        help="queue what the queue has lost of this submission")  # fmt: skip
    for name, text in (("cancel", "end what is queued or runs; boards are put back"),
                       ("fetch", "the shares' records as one run, with its report")):  # fmt: skip
        one = actions.add_parser(name, help=text)
        one.add_argument("id", metavar="ID", help="submission, or the beginning of it")
        if name == "fetch":
            one.add_argument("--reports", type=Path,
                             help="where the run is recorded (default: reports)")  # fmt: skip
    status = actions.add_parser("status", help="submissions, their jobs and trials")
    status.add_argument("id", metavar="ID", nargs="?", help="one submission (default: all)")
    status.add_argument("--json", action="store_true", help="print JSON")
    job = actions.add_parser("job", help="run one share: what a job starts")
    job.add_argument("id", metavar="ID")
    job.add_argument("number", metavar="SHARE", type=int)
    common.add_spec(job, specs=False)
    trust.add(job)
    for one in actions.choices.values():
        one.add_argument(
            "--lab", type=Path, default=LAB, metavar="DIR",
            help="folder of the queue and of what is submitted (default: lab)",
        )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Do one action."""
    args.lab = args.lab.resolve()
    work = {"init": _init, "submit": _submit, "status": _status, "cancel": _cancel,
            "fetch": _fetch, "job": _job}  # fmt: skip
    return work[args.action](args)


def _init(args: argparse.Namespace) -> int:
    """Write slurm.conf, the key of munge, and say how the queue is started."""
    from runner.lab import conf
    from runner.store.files import replace_bytes

    known = common.inventory_of(args, None)
    names = [n for word in args.hosts or ["all"] for n in known.names(word) if n != "local"]
    nodes = [_node(args, known, name) for name in dict.fromkeys(names)]
    if not nodes:
        raise SpecError("the inventory has no boards", fix="name it: -i hosts.yaml")
    args.lab.mkdir(parents=True, exist_ok=True)
    text = conf.text(nodes, args.lab, args.gateway, args.port or conf.PORT)
    replace_bytes(args.lab / "slurm.conf", text.encode())
    for name in ("slurmctld", *(f"slurmd.{node.name}" for node in nodes)):
        (args.lab / name).mkdir(exist_ok=True)
    key = args.lab / "munge.key"
    if not key.exists():
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(128))
    for node in nodes:
        console.say(f"   {node.name}: {', '.join(node.features) or 'no features'}")
    console.out(f"# {args.lab / 'slurm.conf'} is written; start the queue, as root:")
    for argv in conf.start(nodes, args.lab):
        console.out(shlex.join(argv))
    return 0


def _node(args: argparse.Namespace, known: Inventory, name: str) -> Node:
    """Give a board as a node: features of the inventory, and of its facts where it answers."""
    from runner.executor.agent import Agent
    from runner.executor.probe import probe
    from runner.lab import conf

    if not conf.fits(name):
        raise SpecError(f"`{name}` cannot be a node of Slurm", fix="letters, digits, `-`, `_`, `.`")
    entry = known.host(name)
    facts: dict[str, object] = {}
    if not args.offline:
        host = common.entry(args, known, name)
        agent = Agent(host.transport, run_id="lab", state_dir=host.state_dir, become=host.become)
        try:
            facts = dict(probe(agent).facts)
        except RunnerError as error:
            console.say(f"{name}: {error.message}; its features are those of the inventory")
        finally:
            host.transport.close()
    return conf.Node(name, conf.features((*entry.tags, *entry.groups), facts))


def _submit(args: argparse.Namespace) -> int:
    """Fix the runs, then queue a job for each share; repeated, only for what has none."""
    from runner.lab import submission

    loaded, known = common.read_spec(args, args.spec)
    if args.again is not None:
        submitted = submission.find(args.lab, args.again)
        if loaded.experiment.name != submitted.experiment:
            raise SpecError(
                f"{submitted.id} is of {submitted.experiment}", fix=f"name {submitted.spec}"
            )
    else:
        submitted = lab_submission.laid_out(args, loaded, known)
        submission.keep(args.lab, submitted)
    # said before anything is queued: it is what a lost submission is gone on with
    console.out(submitted.id)
    queued = _queue(args, submitted)
    console.say(
        f"{queued} of {len(submitted.shares)} jobs queued: runner lab status {submitted.id}"
    )
    return 0


def _queue(args: argparse.Namespace, submitted: Submission) -> int:
    """Queue a job for each share that is not done and has none; give how many."""
    from runner.lab import slurm, submission

    there = {job.name for job in slurm.jobs(args.lab)}
    queued = 0
    for share in submitted.shares:
        folder = submission.record_of(args.lab, submitted, share)
        if (folder is not None and folder.state == "done") or _name(submitted, share) in there:
            continue
        with submission.alone(args.lab, submitted, share) as free:
            if not free:
                continue  # a job that the queue has given up is at it still
        argv = [sys.executable, "-m", "runner", "lab", "job", submitted.id, str(share.number),
                "--lab", str(args.lab), *submitted.words]  # fmt: skip
        # a program and no shell line: words stay the words that they are
        script = f"#!{sys.executable}\nimport os\nargv = {argv!r}\nos.execv(argv[0], argv)\n"
        slurm.submit(
            args.lab, name=_name(submitted, share), script=script, cwd=submitted.cwd,
            log=submission.share_folder(args.lab, submitted.id, share.number),
            constraint=submitted.constraint, node=submission.node_of(args.lab, submitted, share),
        )  # fmt: skip
        queued += 1
    return queued


def _name(submitted: Submission, share: Share) -> str:
    return f"{submitted.id}.{share.number}"


def _job(args: argparse.Namespace) -> int:
    """Run one share on the board of this job: begun once, gone on with, never run twice."""
    from runner.apply.boards.share import Part
    from runner.lab import submission

    submitted = submission.find(args.lab, args.id)
    share = next((one for one in submitted.shares if one.number == args.number), None)
    node = os.environ.get("SLURMD_NODENAME") or args.host
    if share is None or not node:
        raise SpecError("a job is started by Slurm", fix="runner lab submit EXP")
    with submission.alone(args.lab, submitted, share) as free:
        if not free:
            console.say(f"share {share.number} of {submitted.id} is run by another job")
            return 0
        at = submission.node_of(args.lab, submitted, share)
        if at and at != node:
            raise HostError(
                f"share {share.number} was begun on {at}", fix="runner lab submit --again"
            )
        submission.begin_at(args.lab, submitted, share, node)
        folder = submission.record_of(args.lab, submitted, share)
        if folder is not None and folder.state == "done":
            return 0
        args.host, args.spec, args.limit = node, submitted.spec, None
        loaded, known = common.read_spec(args, args.spec)
        if lab_submission.identity(loaded) != submitted.spec_hash:
            raise SpecError(f"{submitted.spec} has changed since {submitted.id} was submitted",
                            fix="undo the change, or submit it anew")  # fmt: skip
        own = {"wait": True, "quiet": False, "verbose": True, "json": False, "command": "lab"}
        for name, value in (apply.defaults() | own).items():
            setattr(args, name, value)
        args.run_id, args.resume = share.run, None if folder is None else share.run
        args.reports = submission.share_folder(args.lab, submitted.id, share.number) / "reports"
        apply.prepare([loaded])
        outcome = apply.one(args, loaded, known, Part(submitted.blocks, share.blocks))
        return outcome.code


def _status(args: argparse.Namespace) -> int:
    """Say of each share where it is; the queue may be away."""
    from runner.lab import slurm, submission

    submissions = [submission.find(args.lab, args.id)] if args.id else submission.all_of(args.lab)
    try:
        jobs = {job.name: job for job in slurm.jobs(args.lab)}
    except HostError as fault:
        console.say(f"the queue does not answer: {fault.message}")
        jobs = {}
    rows = {
        submitted.id: [_share(args, submitted, share, jobs) for share in submitted.shares]
        for submitted in submissions
    }
    if args.json:
        console.out(json.dumps(rows, ensure_ascii=False))
        return 0
    for name, shares in rows.items():
        done = sum(share["state"] == "done" for share in shares)
        console.out(f"{name}: {done} of {len(shares)} shares done")
        for share in shares:
            console.out("  {share}: {state:<11} {board:<12} {trials} trials  {job}".format(**share))
    return 0


def _share(
    args: argparse.Namespace, submitted: Submission, share: Share, jobs: dict[str, Job]
) -> dict[str, object]:
    from runner.lab import submission

    folder = submission.record_of(args.lab, submitted, share)
    job = jobs.get(_name(submitted, share))
    with submission.alone(args.lab, submitted, share) as free:
        running = not free
    state = "queued" if job else "not queued"
    if running:
        state = "running"
    elif folder is not None:
        state = "done" if folder.state == "done" else "stopped" if not job else "queued"
    job_text = (
        "" if job is None else f"job {job.number} {job.state.lower()} {job.node} {job.reason}"
    )
    return {
        "share": share.number, "state": state, "run": share.run,
        "board": submission.node_of(args.lab, submitted, share) or "any",
        "trials": 0 if folder is None else len(folder.manifest.trials), "job": job_text.strip(),
    }  # fmt: skip


def _cancel(args: argparse.Namespace) -> int:
    """End the jobs of a submission; what was measured stays."""
    from runner.lab import slurm, submission

    submitted = submission.find(args.lab, args.id)
    own = [job.number for job in slurm.jobs(args.lab) if job.name.startswith(f"{submitted.id}.")]
    slurm.cancel(args.lab, own)
    console.say(
        f"{len(own)} jobs of {submitted.id} are ended; "
        f"go on: runner lab submit --again {submitted.id}"
    )
    return 0


def _fetch(args: argparse.Namespace) -> int:
    """Put the records of all shares together as one run; refused as long as one goes on."""
    from runner.apply.boards.together import put_together
    from runner.lab import submission
    from runner.store.names import safe_name

    submitted = submission.find(args.lab, args.id)
    root = common.reports_dir(args)
    there = root / safe_name(submitted.experiment) / submitted.id
    if there.exists():
        console.out(str(there / "artifacts" / "report.md"))
        return 0
    shares = []
    for share in submitted.shares:
        folder = submission.record_of(args.lab, submitted, share)
        if folder is None or folder.state != "done":
            raise RecordError(
                f"share {share.number} of {submitted.id} is not done",
                fix=f"runner lab status {submitted.id}; what the queue has lost: runner lab submit "
                f"--again {submitted.id} EXP",
            )
        shares.append(folder)
    from runner.store.experiment import of_record

    together = put_together(shares, of_record(shares[0]), shares[0].spec_text, root, submitted.id)
    console.out(str(together.report))
    return 0
