"""Numbers of pages: few digits, of a column as of one."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.report.pages import site_data as data
from runner.report.pages import site_pages

NUMBERS = (
    st.floats(-1e20, 1e20)
    | st.floats(allow_nan=False)
    | st.integers(-(10**12), 10**12)
    | st.sampled_from([math.nan, math.inf, 0.0, 2.2e-309, 1e300, -5e-324])
)


@given(st.lists(NUMBERS, max_size=30), st.integers(2, 7))
def test_a_column_is_rounded_as_each_of_its_numbers_is(values, digits):
    """But for what is half-way between two, which may go either way."""
    found = data.numbers(np.array(values, dtype=np.float64), digits)
    assert len(found) == len(values)
    for value, ours in zip(values, found, strict=True):
        alone = data.number(float(value), digits)
        if alone is None or ours is None:
            assert ours is alone
            continue
        assert ours == pytest.approx(alone, rel=1.01 * 10.0 ** (1 - digits))
        assert abs(ours - value) <= abs(value) * 0.51 * 10.0 ** (1 - digits)
        if abs(value) > 1e-10:
            assert float(f"{ours:.{digits}g}") == ours


@given(st.integers(0, 3000), st.integers(2, 700))
def test_places_are_few_even_and_have_both_ends(count, most):
    found = data.places(count, most)
    assert found == sorted(set(found))
    assert len(found) <= most + 1
    assert not count or (found[0], found[-1]) == (0, count - 1)
    assert data.thinned(list(range(count)), most) == found


def test_what_stands_in_many_cells_is_the_same_in_each_of_them():
    """Also where it has brackets, code or a link, and on every page anew."""
    rows = ["| a | b |", "|---|---|"]
    cells = ["x[a=1] > 2 * y[b=2]", "`code`", "plain", "[there](beside.md)", "a\\|b", "**b** *c*"]
    rows += [f"| {cell} | {cell} |" for cell in cells * 2]
    first = str(site_pages.body("\n".join(rows)))
    assert str(site_pages.body("\n".join(rows))) == first
    for shown in ("x[a=1] &gt; 2 * y[b=2]", "<code>code</code>", "plain", "a|b",
                  '<a href="beside.html">there</a>'):  # fmt: skip
        assert first.count(f"<td>{shown}</td>") == 4
