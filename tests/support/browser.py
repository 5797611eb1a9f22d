"""A real browser for tests: `pytest_plugins = ["browser"]` in a test file gives it the fixture `page`."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from claims import claim
from playwright.sync_api import Page, Route, sync_playwright
from repository import ROOT

SETUP = ROOT / "setup" / "chromium.sh"

# As root Chromium has no sandbox, and it only ever sees pages that the labs serve on loopback.
# The rest keeps it from asking anything of the network that the page did not ask for.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
]


@cache
def chromium() -> str:
    """Return the path of the system's Chromium, installed first where the distribution has it."""
    with claim("chromium"):
        done = subprocess.run([SETUP], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def fetch(route: Route) -> None:
    """Let Playwright ask instead of Chromium.

    Chromium gives up what it just asks for (ERR_NETWORK_CHANGED) whenever this machine gets a network interface
    or loses one, and with every container that another test starts or stops it does.
    """
    # A redirection is handed on, so that the page has the address that it leads to.
    route.fulfill(response=route.fetch(max_redirects=0))


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    """A page in a new headless browser; what it showed last is left in the test's folder.

    One browser a test: Playwright keeps an event loop running, in which no other test's asyncio would start.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        page = browser.new_page(
            viewport={"width": 1280, "height": 900}, permissions=["local-network-access"]
        )
        page.set_default_timeout(60_000)
        page.route("http://127.0.0.1:*/**", fetch)
        yield page
        page.screenshot(path=tmp_path / "last-seen.png")
        page.unroute_all(behavior="ignoreErrors")
        browser.close()
