"""The catalogue of many assets in a real browser: a part is drawn, all can be reached, and what is seen is current."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from support.deployment import Deployment

MANY = 1000
CODE = f"""
from penstock import Definitions, asset

def made(number):
    deps = [f"a{{number // 2:04}}"] if number else []

    @asset(name=f"a{{number:04}}", deps=deps, group_name="even" if number % 2 == 0 else "odd")
    def asset_of_number(): ...

    return asset_of_number

defs = Definitions(assets=[made(number) for number in range({MANY})])
"""
RUN_MILLISECONDS = 120_000

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    code = tmp_path / "many.py"
    code.write_text(CODE)
    found = Deployment(tmp_path / "home", ["-f", str(code)], cwd=tmp_path)
    yield found
    found.close()


def test_the_catalogue_of_many_assets(page: Page, deployment: Deployment) -> None:
    page.goto(f"{deployment.url}/assets")
    rows = page.locator("tr[aria-rowindex]")
    expect(rows.first).to_contain_text("a0000")
    assert rows.count() < 200
    expect(page.get_by_role("table")).to_have_attribute("aria-rowcount", str(MANY + 1))

    page.get_by_role("button", name="Asset", exact=True).click()
    page.get_by_role("button", name="Asset", exact=True).click()  # the other way round
    expect(rows.first).to_contain_text("a0999")
    for _ in range(151):
        page.keyboard.press("j")
    focused = page.locator("tr:focus")
    expect(focused).to_have_attribute("aria-rowindex", "152")
    expect(focused).to_contain_text("a0849")
    expect(focused).to_be_in_viewport()

    page.get_by_label("Find assets").fill("a0777")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("Never materialized")
    page.get_by_role("button", name="Materialize all").click()
    expect(rows.first).to_contain_text("ago", timeout=RUN_MILLISECONDS)  # nobody has loaded the page again

    page.get_by_role("link", name="Show as lineage").click()
    expect(page.get_by_label("Asset lineage").first).to_be_visible()
    page.get_by_role("button", name="Table", exact=True).click()
    expect(page.get_by_text("a0777").first).to_be_visible()
