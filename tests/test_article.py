"""The article's specs cover every statement of it, and all of experiments/ are valid."""

import re
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from runner.specfile import load

ROOT = Path(__file__).parent.parent / "experiments"
REPORTS = ROOT.parent / "reports"
FOLDER = ROOT / "published" / "go-under-32mb"
ARTICLE = FOLDER / "claims-of-the-article.yaml"
EVERY = sorted(path for path in [*ROOT.glob("*.yaml"), *FOLDER.glob("*.yaml")] if path != ARTICLE)
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


PAGE = ROOT.parent / "docs" / "article.md"
LEDGER = ROOT.parent / "reports" / "CLAIMS.md"
SAYS = {
    "Holds": {"reproduced"},
    "Does not hold, whatever the board": {"contradicted"},
    "Undecided": {"inconclusive"},
    "Cannot be compared without the board, or the program": {
        "not comparable", "not measured", "differs (environment undeclared)", "not testable",
    },
    "Left undeclared by the article": {"not measured", "not testable", "not comparable"},
}  # fmt: skip
CLAIM = re.compile(r"\d\.\d{1,2}(?:\.\d{1,2})?(?:/[\w-]+)?")
LINK = re.compile(r"\]\((\.\./[^)#]+)\)")
MEASURED = re.compile(r"(?<![\d.–/])\d[\d  ]*\.?\d*\s(?:KiB|MiB|KB|MB|kB|faults|ms|µs)\b")


def judged():
    """Cells of the ledger by claim; statement 2.2.2 stands for its parts as well."""
    found = defaultdict(list)
    named = tuple(path.relative_to(ROOT.parent).as_posix() for path in EVERY)
    sections = LEDGER.read_text("utf-8").split("\n## ")
    of_it = [text for text in sections if any(f"Spec `{name}`" in text for name in named)]
    for line in "\n".join(of_it).splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if line.startswith("| [") or (line.startswith("| ") and CLAIM.match(cells[0])):
            claim = cells[0].lstrip("[").partition("]")[0]
            found[claim].append(cells)
    return found


def bullets():
    """Heading and text of every bullet of the page."""
    for section in PAGE.read_text("utf-8").split("\n## ")[1:]:
        heading, _, text = section.partition("\n")
        for bullet in re.split(r"\n- ", text)[1:]:
            yield heading, bullet


def named(bullet):
    """Claims in the brackets of a bullet; `3.2.1–3.2.4` is all of them."""
    plain = re.sub(r"\]\([^)]*\)", "]", bullet)
    for inside in re.findall(r"\(([\d./\w ,–-]+)\)", plain):
        parts = [CLAIM.fullmatch(part.strip()) for part in re.split("[,–]", inside)]
        if not all(parts):
            continue
        for part in inside.split(","):
            first, _, last = part.strip().partition("–")
            stem, _, low = first.rpartition(".")
            high = last.rpartition(".")[2] if last else None
            yield from (
                [f"{stem}.{at}" for at in range(int(low), int(high) + 1)] if high else [first]
            )


def verdicts(claim):
    every = judged()
    parts = [each for each in every if each == claim or each.startswith(f"{claim}/")]
    exact = [claim] if claim in every else parts
    return {cells[-1].split(" ", 1)[1] for each in exact for cells in every[each]}


@pytest.mark.parametrize(("heading", "bullet"), list(bullets()), ids=lambda text: text[:40])
def test_the_page_says_of_each_claim_what_the_ledger_says(heading, bullet):
    for claim in named(bullet):
        assert verdicts(claim), f"{claim} is no claim of the ledger"
        assert verdicts(claim) <= SAYS[heading], claim


def test_every_claim_of_the_ledger_is_on_the_page():
    said = {claim for _, bullet in bullets() for claim in named(bullet)}
    left = {
        claim for claim in judged() if claim not in said and claim.partition("/")[0] not in said
    }
    unlinked = {claim for claim in left if verdicts(claim) != {"not testable"}}
    assert unlinked == set()


@pytest.mark.parametrize(("heading", "bullet"), list(bullets()), ids=lambda text: text[:40])
def test_every_link_is_there_and_every_number_stands_in_what_is_linked(heading, bullet):
    links = [(PAGE.parent / link).resolve() for link in LINK.findall(bullet)]
    assert links
    assert [str(link) for link in links if not link.is_file()] == []
    rows = [" ".join(cells) for claim in named(bullet) for cells in claims_of(claim)]
    text = plain(" ".join([link.read_text("utf-8") for link in links] + rows))
    plainly = plain(re.sub(r"\]\([^)]*\)", "]", bullet))
    missing = {number for number in MEASURED.findall(plainly) if number not in text}
    assert missing == set()


def claims_of(claim):
    return [
        cells
        for each, rows in judged().items()
        if each == claim or each.startswith(f"{claim}/")
        for cells in rows
    ]


def plain(text):
    """One kind of space, none within a number."""
    return re.sub(r"(?<=\d) (?=\d{3}\b)", "", re.sub(r"[\s\u00a0\u2009\u202f]+", " ", text))


def test_every_link_of_the_ledger_leads_to_a_section() -> None:
    """A claim may be younger than its run: then its row leads to the report, not to an anchor."""
    page = (REPORTS / "CLAIMS.md").read_text("utf-8")
    links = re.findall(r"\](?!\(https?:)\(([^)#\s]+)(?:#([^)]*))?\)", page)
    assert len(links) > 60
    for target, anchor in links:
        text = (REPORTS / target).read_text("utf-8")
        assert not anchor or f'id="{anchor}"' in text, (target, anchor)
