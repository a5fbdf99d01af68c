"""Checks for continuous integration: nothing that a check says breaks its format."""

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from runner.report.exports.ci import Check, github, junit, summary

WORST = Check(
    "a,b:c.yaml", "1: x", "failed", "contra\ndicted", "50% <b>\r\n::error::x", "a,b:c.yaml", 3
)
texts = st.text(max_size=30)
checks = st.lists(
    st.builds(
        Check, texts, texts, st.sampled_from(["passed", "failed", "skipped"]), texts, texts, texts,
        st.integers(0, 99),
    ),
    max_size=5,
)  # fmt: skip


def test_an_annotation_is_one_line_with_its_place():
    line = github([WORST])
    assert line == (
        "::error file=a%2Cb%3Ac.yaml,line=3,title=1%3A x%3A contra%0Adicted::"
        "50%25 <b>%0D%0A::error::x\n"
    )


def test_what_passed_is_not_annotated():
    assert github([Check("s", "n", "passed", "reproduced")]) == ""


def test_what_was_not_decided_is_a_notice():
    assert github([Check("s", "n", "skipped", "undecided")]).startswith("::notice ")


@given(checks)
def test_each_annotation_is_a_line(found):
    lines = github(found).split("\n")
    assert len(lines) - 1 == sum(check.state != "passed" for check in found)


@given(checks)
def test_junit_is_xml_with_a_case_for_each_check(found):
    tree = ET.fromstring(junit(found))
    assert len(tree.findall("./testsuite/testcase")) == len(found)
    assert int(tree.attrib["failures"]) == sum(check.state == "failed" for check in found)
    assert len(tree.findall("./testsuite/testcase/failure")) == int(tree.attrib["failures"])


def test_the_summary_has_the_failed_ones_first():
    page = summary("t", [Check("s", "good", "passed", "reproduced"), WORST])
    assert page.index("contra") < page.index("good")
    assert "1 of 2 failed" in page
    assert "<b>" not in page
