"""`runner apply EXP…`."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli import against_itself, common, console, trust, watching
from runner.cli.outcome import as_json, show
from runner.cli.sparklines import Sparklines, drawable
from runner.cli.terminal import Terminal
from runner.errors import RunnerError, SpecError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping
    from types import FrameType

    from runner.apply.interface import HostEntry, Loaded, Outcome
    from runner.apply.run import Conduct
    from runner.specfile.inventory import Inventory

AGAINST_FORMATS = ("text", "markdown", "github", "junit", "json")


def configure(parser: argparse.ArgumentParser, *, specs: bool = True) -> None:
    """Declare the options; without `specs` the caller sets them."""
    # `--resume exp.yaml` takes the spec for a run: `run` says what is missing
    common.add_spec(parser, many=True, specs=specs, nargs="*")
    trust.add(parser)
    parser.add_argument("--check", action="store_true", help="change nothing; say what would")
    parser.add_argument("--diff", action="store_true", help="show unified diffs of files")
    parser.add_argument("--keep", action="store_true", help="leave the declared state in place")
    parser.add_argument("--twice", action="store_true", help="converge again: nothing may change")
    parser.add_argument("--wait", action="store_true", help="wait while another run holds the host")
    parser.add_argument("--tags", action="append", default=[], metavar="KIND[,KIND]",
                        help="only these kinds of resources (sysctl, files, …)")  # fmt: skip
    parser.add_argument("--skip-tags", action="append", default=[], metavar="KIND[,KIND]",
                        help="all kinds of resources but these")  # fmt: skip
    parser.add_argument("--limit", metavar="PATTERN",
                        help="only these of the servers: pi4, lab:!pi5, 'pi*'")  # fmt: skip
    parser.add_argument(
        "--resume", metavar="RUN", nargs="?", const="",
        help="go on with a run that stopped (default: the newest); its finished trials are kept",
    )  # fmt: skip
    watching.add(parser)
    parser.set_defaults(against=None, aa=None)
    if specs:
        _against_options(parser)
    parser.add_argument("--reports", type=Path, help="where runs are recorded (default: reports)")
    parser.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    parser.add_argument("-v", "--verbose", action="store_true", help="show what was ok, too")
    parser.add_argument("-q", "--quiet", action="store_true", help="results only")


def _against_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--against", metavar="REF",
        help="the working tree beside this git revision of the program, built alike, interleaved; "
        "exit 1 where a metric got worse",
    )  # fmt: skip
    parser.add_argument(
        "--aa", metavar="N", type=int, nargs="?", const=against_itself.EXPERIMENTS,
        help="the experiment against itself, N times over (default: 10): how often a comparison "
        "finds a difference on this host where there is none; exit 1 where that is too often",
    )  # fmt: skip
    parser.add_argument(
        "--threshold", default="5%",
        help="of --against: what is too small to matter (default: 5%%)",
    )  # fmt: skip
    parser.add_argument(
        "--format", choices=AGAINST_FORMATS, default="text", help="of --against: of its comparison"
    )


def defaults() -> dict[str, object]:
    """Give what commands that go through `one` without these options stand for."""
    return {
        "check": False, "diff": False, "keep": False, "twice": False, "resume": None, "tags": [],
        "skip_tags": [], "limit": None, "against": None, "aa": None, "watch": None,
    }  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Apply every spec; the exit code is that of the first that failed."""
    _name_specs(args)
    # all specs are read before any host is touched
    loaded = _within_limit(args)
    prepare([spec for spec, _ in loaded])
    results: list[dict[str, object]] = []
    code = 0
    for spec, known in loaded:
        try:
            outcome = one(args, spec, known)
        except RunnerError as error:
            if not args.json:
                raise
            results.append({"error": error.message, "fix": error.fix, "exit": error.exit_code})
            code = code or error.exit_code
            break
        results.append(as_json(outcome))
        if not args.json:
            show(outcome)
        code = code or outcome.code
        if args.against and outcome.report is not None:
            code = code or _compared(args, outcome.report.parents[1])
        if args.aa is not None and outcome.report is not None:
            code = code or against_itself.show(args, outcome.report.parents[1])
    if args.json:
        console.out(json.dumps(results[0] if len(results) == 1 else results, ensure_ascii=False))
    return code


def _compared(args: argparse.Namespace, run: Path) -> int:
    """Print the two versions side by side; 1 where a metric got worse."""
    from runner.analysis.runs.comparison import compare
    from runner.cli import compare as cli
    from runner.planning.against import FACTOR, HEAD
    from runner.report.sections import comparison
    from runner.store.record import RunFolder

    folder = RunFolder.open(run)
    base = cli.of_folder(folder, f"{FACTOR}={args.against}")
    head = cli.of_folder(folder, f"{FACTOR}={HEAD}")
    found = compare(base, head, cli.threshold(args.threshold))
    folder.write_artifact("against.md", comparison.page(found).encode())
    if not args.json:
        cli.show(found, base, head, args.format)
    return 1 if found.regressions else 0


def prepare(specs: Iterable[Loaded]) -> None:
    """Hide the secrets of what is about to run, and let every kind of ending restore."""
    from runner.records.secrets import values_in

    # a service manager's TERM and a closed terminal end a run as Ctrl-C does: restored
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    for spec in specs:
        console.hide(values_in(spec.experiment))


def one(
    args: argparse.Namespace,
    spec: Loaded,
    known: Inventory,
    conduct: Conduct | None = None,
) -> Outcome:
    """Apply one spec on its hosts; `conduct` decides which trials are run."""
    from runner.apply.interface import Options
    from runner.apply.run import apply

    hosts = common.entries(args, known, spec.experiment.hosts.names())
    if not (args.check or args.inventory):
        _demand_power(spec, hosts)
    watch = watching.of(args, spec, hosts)
    options = Options(
        reports=common.reports_dir(args),
        cache=common.cache_dir(),
        check=args.check,
        diff=args.diff,
        keep=args.keep,
        twice=args.twice,
        wait=args.wait,
        resume=args.resume,
        run_id=getattr(args, "run_id", ""),
        trusted=trust.trusted(spec, asked=args.trust),
        tags=_tags(args.tags),
        skip_tags=_tags(args.skip_tags),
        command=("runner", args.command, *_repeat(args, str(spec.path))),
        began=None if watch is None else watch.began,
    )
    progress = console.Progress(quiet=args.quiet or args.json)
    terminal = Terminal(
        quiet=args.quiet or args.json,
        verbose=args.verbose,
        diff=args.diff,
        progress=progress,
        lines=_sparklines(spec) if progress.live and drawable(progress.stream) else None,
    )
    try:
        return apply(spec, hosts, options, terminal, conduct)
    except RunnerError:
        terminal.progress.clear()
        raise
    finally:
        if watch is not None:
            watch.close()
        for host in hosts.values():
            host.transport.close()


def _sparklines(spec: Loaded) -> Sparklines | None:
    return Sparklines(spec.experiment) if spec.experiment.metrics else None


def _demand_power(spec: Loaded, hosts: Mapping[str, HostEntry]) -> None:
    """SpecError where an inventory that nobody has named would make a program run here."""
    for name in spec.experiment.hosts.server:
        power = hosts[name].power
        if power is not None:
            raise SpecError(
                f"power.cycle of {name} makes `{power.cycle[0]}` run on this machine, and the "
                "inventory was found and not named: it may be anybody's",
                fix="read it (`runner plan`), then name it: -i hosts.yaml",
            )


def _name_specs(args: argparse.Namespace) -> None:
    """Take a spec after `--resume` or `--watch` for the spec; SpecError where none is named."""
    watching.name_specs(args)
    if not args.specs and args.resume and Path(args.resume).suffix in {".yaml", ".yml"}:
        args.specs, args.resume = [args.resume], ""
    if not args.specs:
        raise SpecError("no spec is named", fix="runner apply exp.yaml; start one: runner init")


def _tags(words: list[str]) -> frozenset[str]:
    """Read --tags a,b --tags c; a kind that does not exist is a slip worth saying."""
    from runner.kinds.resources import names

    found = frozenset(part for word in words for part in word.split(",") if part)
    unknown = sorted(found - set(names()))
    if unknown:
        raise SpecError(
            f"no kind of resource is called {', '.join(unknown)}",
            fix="known: " + ", ".join(names()),
        )
    return found


def _within_limit(args: argparse.Namespace) -> list[tuple[Loaded, Inventory]]:
    """Read every spec; one that --limit leaves no server is passed over, all of them never."""
    from runner.specfile.host_names import NoHostLeft

    found: list[tuple[Loaded, Inventory]] = []
    left: NoHostLeft | None = None
    for spec in args.specs:
        try:
            loaded, known = common.read_spec(args, spec)
            found.append((against_itself.versions(loaded, args), known))
        except NoHostLeft as wrong:
            left = wrong
            console.say(f"{spec}: skipped: {wrong.message}")
    if left is not None and not found:
        raise left
    return found


def _repeat(args: argparse.Namespace, spec: str) -> list[str]:
    """Give the words that repeat the run: what decides it, not how it was shown."""
    words = [spec]
    if args.against:
        words += ["--against", args.against]
    if args.aa is not None:
        words += ["--aa", str(args.aa)]
    if args.host:
        words += ["-H", args.host]
    if args.limit:
        words += ["--limit", args.limit]
    for word in args.extra_vars:
        words += ["-e", word]
    return words


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt
