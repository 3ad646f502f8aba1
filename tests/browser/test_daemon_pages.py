"""What the daemon does by itself, as its pages tell it: what fails, what waits and for what, and why something ran."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from support.deployment import Deployment

PROJECT = """
from penstock import (
    AssetCheckResult, AssetCheckSeverity, AutomationCondition, AutomationConditionSensorDefinition, AssetSelection,
    DefaultSensorStatus, Definitions, asset, asset_check, job, op, sensor,
)

@op
def load(): ...

@job
def nightly():
    load()

@asset
def orders(): ...

@asset(deps=[orders], automation_condition=AutomationCondition.eager())
def report(): ...

@asset_check(asset=orders)
def few_doubles():
    return AssetCheckResult(passed=False, severity=AssetCheckSeverity.WARN)

@sensor(job=nightly, minimum_interval_seconds=2, default_status=DefaultSensorStatus.RUNNING)
def new_files(context):
    raise ConnectionError("the bucket does not answer")

conditions = AutomationConditionSensorDefinition(
    "conditions", target=AssetSelection.all(), default_status=DefaultSensorStatus.RUNNING, minimum_interval_seconds=1
)
defs = Definitions(assets=[orders, report], asset_checks=[few_doubles], jobs=[nightly], sensors=[new_files, conditions])
"""
SETTINGS = """
run_queue:
  job_limits: {nightly: 0}
"""
EVENT_MILLISECONDS = 60_000

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    (tmp_path / "shop.py").write_text(PROJECT)
    home = tmp_path / "home"
    home.mkdir()
    (home / "penstock.yaml").write_text(SETTINGS)
    found = Deployment(home, ["-f", "shop.py"], cwd=tmp_path)
    yield found
    found.close()


def test_what_fails_stands_on_the_overview_until_it_is_turned_off(page: Page, deployment: Deployment) -> None:
    page.goto(deployment.url)
    failing = page.get_by_role("link").filter(has_text="ConnectionError: the bucket does not answer")
    expect(failing).to_be_visible(timeout=EVENT_MILLISECONDS)
    failing.click()
    expect(page.get_by_role("dialog", name="Tick")).to_be_visible(timeout=EVENT_MILLISECONDS)
    page.keyboard.press("Escape")
    # The same failure again and again is one line.
    expect(page.get_by_text(re.compile(r"Failed \d+ times"))).to_be_visible(timeout=EVENT_MILLISECONDS)
    page.get_by_role("switch", name="On").press("Space")
    expect(page.get_by_role("switch", name="Off")).to_be_visible()
    page.get_by_role("link", name="Overview").click()
    expect(failing).to_be_hidden(timeout=EVENT_MILLISECONDS)


def test_the_queue_says_what_each_run_waits_for(page: Page, deployment: Deployment) -> None:
    deployment.launch("nightly", location="shop.py")
    page.goto(f"{deployment.url}/runs?status=QUEUED")
    expect(page.get_by_text("Waits for the limit of the job nightly: 0 of 0 are active.")).to_be_visible(
        timeout=EVENT_MILLISECONDS
    )
    expect(page.get_by_role("columnheader", name="Waits", exact=True)).to_be_visible()
    page.goto(f"{deployment.url}/deployment?tab=concurrency")
    expect(page.get_by_text("nightly: 0")).to_be_visible()


def test_an_asset_says_what_would_make_it_run(page: Page, deployment: Deployment) -> None:
    page.goto(f"{deployment.url}/assets/report?view=automation")
    chosen = page.get_by_role("region", name="The chosen evaluation")
    expect(chosen.get_by_text("It is requested as soon as it is missing or orders is updated")).to_be_visible(
        timeout=EVENT_MILLISECONDS
    )
    page.goto(f"{deployment.url}/assets/orders")
    page.get_by_role("button", name="Materialize", exact=True).click()
    page.goto(f"{deployment.url}/assets/report?view=automation")
    page.get_by_role("list", name="Evaluations").get_by_text("requested", exact=True).click(timeout=EVENT_MILLISECONDS)
    expect(chosen.get_by_text("It was requested because orders was updated.")).to_be_visible()

    # A check that only warns is told as that wherever assets are listed.
    page.goto(f"{deployment.url}/assets")
    expect(page.get_by_role("row").filter(has_text="orders").get_by_text("1 warning")).to_be_visible()
