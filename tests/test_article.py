"""The specs of experiments/ cover every statement of the article, and all are valid."""

from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from runner.specfile import load

ROOT = Path(__file__).parent.parent / "experiments"
ARTICLE = ROOT / "claims-of-the-article.yaml"
EVERY = sorted(path for path in ROOT.glob("*.yaml") if path != ARTICLE)
PRINTED = [path for path in EVERY if load(path).lint.only]
SPECS = [path for path in EVERY if path not in PRINTED]


def statements():
    return {str(item["id"]): item for item in yaml.safe_load(ARTICLE.read_text("utf-8"))["claims"]}


def covered():
    """Specs by statement; `2.2.2/only` is a part of statement 2.2.2."""
    found = defaultdict(set)
    for path in SPECS:
        for claim in load(path).claims:
            found[claim.id.partition("/")[0]].add(path.stem)
    return found


@pytest.mark.parametrize("path", EVERY, ids=lambda path: path.stem)
def test_every_spec_is_valid_and_named_as_its_file(path):
    assert load(path).name == path.stem


def test_every_statement_has_its_experiment_and_nothing_else_is_judged():
    found = set(covered())
    assert found - set(statements()) == set()
    assert set(statements()) - found == set()


def test_what_is_not_testable_says_why_and_only_that_is_left_out():
    for path in SPECS:
        for claim in load(path).claims:
            if "/" not in claim.id:
                assert claim.testable == statements()[claim.id].get("testable", True)


def test_claims_on_a_jvm_declare_it():
    for path in SPECS:
        for claim in load(path).claims:
            if statements()[claim.id.partition("/")[0]].get("must") == ["runtime"]:
                assert claim.declared["runtime"] == "jvm"
                assert "runtime" in claim.must


def test_reproduce_names_every_experiment_that_runs():
    makefile = (ROOT.parent / "Makefile").read_text("utf-8").replace("\\\n", " ")
    (line,) = [x for x in makefile.splitlines() if x.startswith("EXPERIMENTS :=")]
    assert set(line.split()[2:]) == {path.stem for path in SPECS}
