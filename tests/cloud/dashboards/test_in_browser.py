"""Every page in a real browser: accessible, alone, usable without JavaScript, at every width."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from sqlalchemy import Engine

from tests.cloud.dashboards.conftest import Clock, app_of, served
from tests.cloud.dashboards.example import HOUR_MS
from tests.cloud.dashboards.test_pages import PATHS

pytestmark = pytest.mark.browser
KEPT = os.environ.get("DUIFU_KEEP_SCREENSHOTS", "")  # a folder to look at them in
SIZES = ((320, 800), (1280, 900), (1920, 1080))
SMALL_TARGETS = """() => [...document.querySelectorAll('a, button, select, input, summary')]
    .filter(e => e.offsetParent && !e.classList.contains('skip'))
    .map(e => [e.getBoundingClientRect().height, e.outerHTML.slice(0, 90)])
    .filter(([height]) => height < 31.5)"""
SMALL_TEXT = """() => [...document.querySelectorAll('body *')]
    .filter(e => e.offsetParent && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
    .map(e => [parseFloat(getComputedStyle(e).fontSize), e.outerHTML.slice(0, 90)])
    .filter(([size]) => size < 13.99)"""


BEING_RAISED = """() => {
    const banner = document.getElementById('stale');
    window.raised = 0;
    new MutationObserver(() => { if (!banner.hidden) window.raised += 1; })
        .observe(banner, {attributes: true});
}"""
FIRST_PAINT = """new Promise(r => new PerformanceObserver(l => r(l.getEntries()[0].startTime))
    .observe({type: 'paint', buffered: true}))"""


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="zh-CN", viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_accessible_and_asks_nobody_else(page: Page, address: str, path: str) -> None:
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(address + path, wait_until="load")
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
    page.emulate_media(color_scheme="light")
    assert page.evaluate(SMALL_TARGETS) == []
    assert page.evaluate(SMALL_TEXT) == []
    assert [url for url in asked if not url.startswith(address)] == []
    assert [fault for fault in faults if "404" not in fault] == []


@pytest.mark.parametrize("spoken", ["zh-CN", "en-US"])
def test_nothing_is_cut_off_at_any_width(browser: Browser, address: str, spoken: str) -> None:
    context = browser.new_context(locale=spoken)
    page = context.new_page()
    for number, path in enumerate(PATHS):
        page.goto(address + path)
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            if KEPT:
                name = f"{number:02}-{spoken}-{width}.png"
                page.screenshot(path=str(Path(KEPT) / name), full_page=True)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    context.close()


def test_everything_is_usable_without_javascript(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False, locale="zh-CN")
    page = context.new_page()
    page.goto(address)
    assert page.locator(".figures .value").count() == 6
    page.click(".figures .f-late")
    assert page.locator("tbody tr").count() == 11
    page.click("tbody tr:first-child th a")
    page.click(".evidence >> nth=0 >> summary")
    assert page.locator(".evidence >> nth=0 >> code >> nth=0").is_visible()
    page.click(".language")
    assert page.locator("html").get_attribute("lang") == "en"
    page.click("nav a:nth-child(3)")
    page.click("tbody tr:first-child th a")
    page.click("#line-1 summary")
    assert page.locator("#line-1 .formula").is_visible()
    assert not page.locator("button.copy").count()
    context.close()


def test_the_overview_follows_the_store_by_itself(browser: Browser, engine: Engine) -> None:
    clock = Clock()
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    with served(app_of(engine, clock)) as address:
        page.goto(address)
        assert page.inner_text(".as-of strong") == "15:32:07"
        page.click("#hours-numbers summary")
        page.focus(".figures .f-late")
        clock.now_ms += HOUR_MS
        page.locator(".as-of strong", has_text="16:32:07").wait_for()
        assert page.evaluate("document.activeElement.classList.contains('f-late')")
        assert page.evaluate("document.getElementById('hours-numbers').open")
        assert page.locator("#stale").is_hidden()
    context.close()


def test_a_silent_stream_raises_the_banner_and_news_lower_it(
    browser: Browser, engine: Engine
) -> None:
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    page.clock.install()
    with served(app_of(engine, Clock())) as address:
        page.goto(address)
        page.evaluate(BEING_RAISED)  # news may lower it before anybody looks
        page.wait_for_timeout(300)
        page.clock.fast_forward(16_000)
        page.wait_for_function("window.raised > 0")
        page.wait_for_selector("#stale", state="hidden")
    context.close()


def painted_ms(browser: Browser, address: str) -> float:
    """Load a page for the first time, on a machine six times slower; gives when it was painted."""
    context = browser.new_context()
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 6})
    page.goto(address, wait_until="load")
    painted: float = page.evaluate(FIRST_PAINT)
    context.close()
    return painted


def test_the_first_figures_are_there_on_a_slow_machine(browser: Browser, address: str) -> None:
    # The least of several: what any of them took longer, others on this machine took from it.
    assert min(painted_ms(browser, address) for _ in range(3)) < 1_500


def test_a_statement_prints_on_paper_without_its_controls(page: Page, address: str) -> None:
    page.goto(f"{address}/workers/w01")
    page.emulate_media(media="print")
    assert page.locator(".bar").is_hidden()
    assert page.locator("form.filters").is_hidden()
    assert page.locator(".lines .amount >> nth=0").is_visible()
    page.emulate_media(media="screen")
