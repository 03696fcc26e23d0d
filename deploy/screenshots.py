# ruff: noqa: INP001 - a script beside the others, never imported
"""Takes the pictures of docs/pictures from a running headquarters.

    python deploy/screenshots.py http://127.0.0.1:8080

It only reads pages. Needs Playwright and Debian's chromium (`make system`).
"""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Final
from urllib.parse import urljoin

from playwright.sync_api import Browser, Error, Page, sync_playwright

CHROMIUM: Final = "/usr/bin/chromium"
ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
DESKTOP: Final = (1280, 900)
PHONE: Final = (390, 844)
FOLDER: Final = Path(__file__).parents[1] / "docs" / "pictures"


def main() -> int:
    """Take every picture; gives the exit status."""
    parser = ArgumentParser(description="Take the pictures of docs/pictures.")
    parser.add_argument("address", help="of a running headquarters, http://HOST:PORT")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
            take_all(browser, asked.address.rstrip("/"), asked.folder)
    except Error as error:
        first_line = error.message.splitlines()[0]
        sys.stderr.write(f"{asked.address}: {first_line}; is headquarters running there?\n")
        return 2
    return 0


def take_all(browser: Browser, address: str, folder: Path) -> None:
    """Picture today, one order and one statement, in Chinese and on a phone, and in English."""
    for language, size, suffix in (
        ("zh-CN", DESKTOP, ""),
        ("zh-CN", PHONE, "-phone"),
        ("en-US", DESKTOP, "-en"),
    ):
        viewport = {"width": size[0], "height": size[1]}
        context = browser.new_context(locale=language, viewport=viewport)  # type: ignore[arg-type]
        page = context.new_page()
        for name, show in (("overview", overview), ("order", order), ("statement", statement)):
            show(page, address)
            page.evaluate("window.scrollTo(0, 0)")
            path = folder / f"{name}{suffix}.png"
            page.screenshot(path=str(path), full_page=name != "statement")
            sys.stdout.write(f"{path}\n")
        context.close()


def overview(page: Page, address: str) -> None:
    """Show the overview."""
    page.goto(address + "/")
    page.wait_for_timeout(1_500)  # the first live fragments


def order(page: Page, address: str) -> None:
    """Show an order with a late step and its first evidence open, or any order."""
    page.goto(address + "/orders?state=late")
    if not page.locator("tbody th a").count():
        page.goto(address + "/orders")
    follow_first(page)
    if page.locator("details.evidence").count():
        page.locator("details.evidence summary").first.click()


def statement(page: Page, address: str) -> None:
    """Show the statement of whoever earned most, its first line open."""
    page.goto(address + "/workers")
    follow_first(page)
    if page.locator(".lines summary").count():
        page.locator(".lines summary").first.click()


def follow_first(page: Page) -> None:
    """Open the first row of a list, if there is one."""
    link = page.locator("tbody th a")
    if link.count():
        page.goto(urljoin(page.url, link.first.get_attribute("href") or ""))


if __name__ == "__main__":
    sys.exit(main())
