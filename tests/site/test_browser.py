"""The site in a real browser: no console errors, filters, figures, phone, dark mode, accessibility."""

import json
import shutil
from pathlib import Path

import pytest

from runner.report.pages.site import site

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.site,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (make test-site)"),
    # the browser's driver leaves its own sockets to be collected
    pytest.mark.filterwarnings("default::ResourceWarning"),
]
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The site of the committed runs."""
    out = tmp_path_factory.mktemp("site")
    site(ROOT / "reports", out, samples=1)
    return out


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def tab(browser):
    """Open pages from their files; what the console says at level error fails the test."""
    opened = []
    said = []

    def show(path, *, width=1200, scheme="light", watched=True):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page = context.new_page()
        if not watched:  # axe asks for style sheets, which the page forbids
            page.goto(path.as_uri())
            opened.append(context)
            return page
        page.set_default_timeout(15_000)
        page.on("console", lambda m: said.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on(
            "request",
            lambda r: (
                said.append(r.url) if not r.url.startswith(("file:", "data:", "blob:")) else None
            ),
        )
        page.goto(path.as_uri())
        opened.append(context)
        return page

    yield show
    for context in opened:
        context.close()
    assert said == []


def run_page(pages, experiment):
    return max((pages / experiment).glob("*/index.html"))


def test_the_index_filters_searches_and_sorts(pages, tab):
    page = tab(pages / "index.html")
    cards = page.locator(".card")
    total = cards.count()
    assert total == len(
        [path for path in pages.iterdir() if path.is_dir() and path.name != "assets"]
    )
    page.get_by_role("button", name="reproduced").click()
    shown = page.locator(".card:visible").count()
    assert 0 < shown < total
    assert page.locator("#shown").text_content() == f"{shown} of {total} experiments"
    page.get_by_role("button", name="reproduced").click()
    page.get_by_label("Search").fill("huge pages")
    assert page.locator(".card:visible").count() >= 1
    assert page.locator(".card:visible").first.locator("h2").text_content().startswith("Huge pages")
    page.get_by_label("Search").fill("")
    page.get_by_label("Sort").select_option("name")
    names = page.locator(".card").evaluate_all("cards => cards.map(c => c.dataset.name)")
    assert names == sorted(names)


def test_published_numbers_sort_by_number_and_filter_by_source(pages, tab):
    page = tab(pages / "claims.html")
    page.get_by_role("button", name="measured", exact=True).click()
    values = page.locator("#claims tbody tr").evaluate_all(
        "rows => rows.map(r => r.cells[4].dataset.value).filter(v => v !== '').map(Number)"
    )
    assert values == sorted(values)
    assert len(values) > 10
    assert page.locator("#claims thead th").first.text_content() == "verdict"


def test_a_run_draws_its_metrics_and_its_sources_over_time(pages, tab):
    page = tab(run_page(pages, "stepped-load"))
    assert page.locator("#metricplot .scatterlayer .trace").count() >= 1
    for form in ("order", "cdf", "box", "ratio", "steps"):
        page.locator("#form").select_option(form)
        page.locator("#metricplot .plotly, #metricplot .main-svg").first.wait_for()
    page.locator("#source").select_option("psi.cpu_some")  # not one that the report draws
    page.locator("#timeplot .scatterlayer .trace").wait_for()
    assert "psi.cpu_some" in page.locator("#timeplot").text_content()
    trials = page.locator("#trial")
    trials.select_option(index=1)
    page.locator("#timeplot .scatterlayer .trace").wait_for()
    page.locator("#outcome").select_option("error")
    assert page.locator("#trials tbody tr").count() == 0


def test_hovering_shows_a_value_and_dragging_zooms(pages, tab):
    page = tab(run_page(pages, "stepped-load"))
    plot = page.locator("#metricplot")
    plot.scroll_into_view_if_needed()
    before = page.evaluate("document.querySelector('#metricplot').layout.yaxis.range.slice()")
    drag = plot.locator(".nsewdrag").first.bounding_box()
    page.mouse.move(drag["x"] + 40, drag["y"] + 40)
    page.mouse.down()
    page.mouse.move(drag["x"] + 200, drag["y"] + 160, steps=5)
    page.mouse.up()
    page.wait_for_function(
        "before => document.querySelector('#metricplot').layout.yaxis.range[1] !== before[1]",
        arg=before,
    )


def test_two_runs_are_compared_in_the_page(pages, tab):
    page = tab(pages / "compare.html")
    options = page.locator("#a").locator("option")
    names = options.evaluate_all("all => all.map(o => o.value)")
    same = [name for name in names if name.startswith("quickstart/")]
    page.locator("#a").select_option(same[-1])
    page.locator("#b").select_option(same[0])
    assert page.locator("#metrics tbody tr").count() >= 1
    assert page.locator("#environment tbody tr").count() >= 1
    assert "nothing that is shown" not in page.locator("#environment").text_content()


@pytest.mark.parametrize("name", ["index.html", "claims.html", "compare.html", "run"])
def test_a_phone_scrolls_no_page_sideways(pages, tab, name):
    path = run_page(pages, "build-trimming") if name == "run" else pages / name
    page = tab(path, width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_dark_mode_is_dark(pages, tab):
    page = tab(run_page(pages, "quickstart"), scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(13, 17, 23)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["index.html", "claims.html", "compare.html", "run"])
def test_axe_finds_nothing_serious(pages, tab, name, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    path = run_page(pages, "stepped-load") if name == "run" else pages / name
    found = axe.run(tab(path, scheme=scheme, watched=False)).response["violations"]
    bad = [
        (one["id"], [node["target"] for node in one["nodes"]][:3])
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]
    assert bad == []


def test_every_page_is_small_beside_the_library(pages):
    sizes = {path: path.stat().st_size for path in pages.rglob("index.html")}
    assert max(sizes.values()) <= 300_000, json.dumps(
        {str(k): v for k, v in sizes.items() if v > 300_000}
    )
