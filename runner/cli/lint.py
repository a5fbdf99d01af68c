"""`runner lint EXP…`: faults of method, which no syntax shows."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.cli import common, console
from runner.errors import SpecError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from runner.apply.interface import Loaded
    from runner.lint import Finding
    from runner.specfile.inventory import Inventory

MOST_BYTES = 1_000_000
COLOURS = {"error": "failed", "warning": "changed", "note": "dim"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    common.add_spec(parser, many=True)
    parser.add_argument(
        "--facts", metavar="RUN",
        help="rules about a host use the facts of this run, or of an experiment's newest; "
        "with -H they are asked of the host, without either no host is known",
    )  # fmt: skip
    parser.add_argument("--reports", type=Path, help="where runs are recorded (default: reports)")
    parser.add_argument(
        "--strict", action="store_true", help="exit 1 on warnings too, not only on errors"
    )
    parser.add_argument("--all", action="store_true", help="show what the spec ignores, too")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Print what is found; 1 where an error is not ignored (with --strict: or a warning)."""
    from runner.lint import lint

    failing = {"error", "warning"} if args.strict else {"error"}
    code = 0
    documents = []
    known: dict[str, object] | None = None
    for path in args.specs:
        loaded, inventory = common.read_spec(args, path)
        known = facts(args, inventory) if known is None else known
        findings = lint(loaded.experiment, known, sources(loaded), beside(loaded))
        if any(one.severity in failing and not one.ignored for one in findings):
            code = 1
        documents.append({"spec": path, "findings": [dataclasses.asdict(one) for one in findings]})
        if not args.json:
            show(path, findings, everything=args.all)
    if args.json:
        console.out(json.dumps(documents, ensure_ascii=False, indent=1))
    return code


def facts(args: argparse.Namespace, known: Inventory) -> dict[str, Any]:
    """Give the facts of a server that rules may use; empty where none is named."""
    if args.facts is not None and args.host is not None:
        raise SpecError("--facts and -H both name a host", fix="give one of them")
    if args.facts is not None:
        from runner.analysis.judge import server_facts
        from runner.store.experiment import of_record
        from runner.store.runs import find

        folder = find(common.reports_dir(args), args.facts)
        return dict(server_facts(folder, of_record(folder)))
    if args.host is None:
        return {}
    from runner.executor.agent import Agent
    from runner.executor.probe import probe

    (host,) = common.entries(args, known, [common.one_host(known, args.host)]).values()
    agent = Agent(host.transport, run_id="lint", state_dir=host.state_dir, become=host.become)
    try:
        return probe(agent).facts
    finally:
        host.transport.close()


def beside(loaded: Loaded) -> Callable[[str], bool]:
    """Say of a name whether a file of the spec's folder has it."""
    root = loaded.path.parent.resolve()

    def there(name: str) -> bool:
        try:
            file = (root / name).resolve()
            return file.is_relative_to(root) and file.is_file()
        except (OSError, ValueError):  # too long, or a NUL
            return False

    return there


def sources(loaded: Loaded) -> dict[str, str]:
    """Read the Go files of every package that the spec names, confined to its repository."""
    from runner.spec.treatments import treatments, with_levels

    root = loaded.path.parent.resolve()
    top = next((up for up in (root, *root.parents) if (up / ".git").exists()), root)
    packages: set[str] = set()
    for levels in treatments(loaded.experiment):
        one = with_levels(loaded.experiment, levels)
        if one.build is not None:
            packages.add(one.build.package)
        if one.workload is not None and one.workload.go_test is not None:
            packages.add(one.workload.go_test.package)
    texts: dict[str, str] = {}
    for package in sorted(packages):
        folder = (root / package).resolve()
        if folder.is_dir() and folder.is_relative_to(top):
            texts |= _texts(folder, package)
    return texts


def _texts(folder: Path, package: str) -> dict[str, str]:
    return {
        f"{package}/{file.name}": file.read_text(encoding="utf-8", errors="replace")
        for file in sorted(folder.glob("*.go"))
        if file.is_file() and file.stat().st_size <= MOST_BYTES
    }


def show(path: str, findings: tuple[Finding, ...], *, everything: bool) -> None:
    """Print the findings of one spec."""
    kept = [one for one in findings if not one.ignored]
    for one in findings if everything else kept:
        severity = console.colour(one.severity, COLOURS.get(one.severity, "dim"))
        where = f" {one.where}" if one.where else ""
        console.out(f"{path}:{where}: {severity}: {one.message} [{one.rule}]")
        console.out(f"    ignored: {one.ignored}" if one.ignored else f"    fix: {one.fix}")
    ignored = len(findings) - len(kept)
    more = f", {ignored} ignored with a reason" if ignored else ""
    count = f"{len(kept)} finding(s)" if kept else "nothing found"
    console.say(f"{path}: {count}{more}" + ("; runner explain RULE says why" if kept else ""))
