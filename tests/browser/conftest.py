"""A page in a headless Chromium, over whatever deployment a test has."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import ConsoleMessage, Page, Request, sync_playwright

from support.deployment import Deployment

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)


@pytest.fixture
def page(deployment: Deployment) -> Iterator[Page]:
    """A page whose every console error, failed request and request to elsewhere fails the test at its end."""
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        if os.environ.get("CI"):
            pytest.fail("there is no Chromium; scripts/setup-system installs one")
        pytest.skip("there is no Chromium on this machine")
    faults: list[str] = []

    def note_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            faults.append(f"console {message.type}: {message.text}")

    def note_request(request: Request) -> None:
        if not request.url.startswith((deployment.url, "data:")):
            faults.append(f"a request to elsewhere: {request.url}")

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(QUIET))
        opened = browser.new_page(viewport={"width": 1440, "height": 900})
        opened.on("console", note_console)
        opened.on("pageerror", lambda error: faults.append(f"page error: {error}"))
        opened.on("request", note_request)
        opened.goto(deployment.url)
        yield opened
        browser.close()
    assert faults == []
