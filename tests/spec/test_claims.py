"""Published numbers, their regions and margins."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from runner.spec.claims import Claim, Margin, Published


def published(data):
    return Published.model_validate(data)


@pytest.mark.parametrize(
    ("data", "unit", "bounds", "text"),
    [
        ({"low": 87, "high": 92}, "connections", (87.0, 92.0), "87–92 connections"),
        ({"value": 12.3, "rounded_to": 0.1}, "", (12.25, 12.35), "12.3"),
        ({"value": 12.4, "plus_minus": 0.1}, "MB", (12.3e6, 12.5e6), "12.4 ± 0.1 MB"),
        ({"value": "32MB"}, "MiB", (32e6, 32e6), "32MB"),
        ({"value": 42}, "ms", (0.042, 0.042), "42 ms"),
        ({"low": 30, "high": 50}, "%", (0.3, 0.5), "30–50 %"),
        ({"high": 1000}, "", (None, 1000.0), "≤ 1000"),
        ({"low": "3%"}, "", (0.03, None), "≥ 3%"),
    ],
)
def test_bounds_are_in_base_units(data, unit, bounds, text):
    found = published(data)
    assert found.bounds(unit) == pytest.approx(bounds)
    assert found.text(unit) == text


def test_levels_have_numbers_of_their_own():
    found = published({"by": "flags", "levels": {"default": 9.2, "all": {"low": 7, "high": 8}}})
    assert found.levels["default"].bounds("MiB") == pytest.approx((9.2 * 2**20,) * 2)
    assert found.levels["all"].bounds() == (7.0, 8.0)


def test_margins_widen_both_ends():
    absolute = Margin.model_validate({"absolute": 1, "why": "resolution"})
    assert absolute.widen((87.0, 92.0), "connections") == (86.0, 93.0)
    relative = Margin.model_validate({"relative": "10%", "why": "spread"})
    assert relative.widen((100.0, None)) == (90.0, None)


def test_a_lone_number_is_a_value():
    claim = Claim.model_validate({"id": "1", "quote": "q", "metric": "m", "published": 92})
    assert claim.published.bounds() == (92.0, 92.0)


def test_a_statement_is_parsed():
    claim = Claim.model_validate({"id": "1", "quote": "q", "expect": "a < b"})
    assert claim.statement.op == "<"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"published": 3}, "names no metric"),
        ({"metric": "m"}, "exactly one of published, expect and same"),
        ({"metric": "m", "published": 3, "expect": "a < b"}, "exactly one of"),
        ({"metric": "m", "published": {"low": 3, "value": 4}}, "either low and high"),
        ({"metric": "m", "published": {"low": 3, "high": 2}}, "low (3) is above high (2)"),
        ({"metric": "m", "published": {"by": "flags"}}, "go together"),
        ({"metric": "m", "published": {"by": "f", "levels": {"a": 1}, "value": 3}}, "of its own"),
        ({"testable": False}, "say why"),
        ({"expect": "a <"}, "ends too early"),
        ({"expect": "a < b", "margin": {"absolute": 1, "why": "w"}}, "margin but no published"),
        ({"metric": "m", "published": 3, "margin": {"why": "w"}}, "exactly one of absolute"),
        ({"metric": "m", "published": 3, "margin": {"absolute": 3}}, "Field required"),
    ],
)
def test_faults(data, message):
    with pytest.raises(ValidationError) as caught:
        Claim.model_validate({"id": "1", "quote": "q", **data})
    assert message in str(caught.value)
