"""The shops example in a real deployment: sales come in, what follows is made by itself, a jammed register is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from penstock import DailyPartitionsDefinition
from penstock.records.automation import InstigatorKind, TickStatus, instigator_id
from penstock.records.run import Run, RunStatus
from support.deployment import Deployment

pytestmark = [pytest.mark.system, pytest.mark.timeout(150)]

EXAMPLE = Path(__file__).parents[2] / "examples" / "shops" / "definitions.py"
LOCATION = "definitions.py"
SHOPS = ("harbour", "market", "station")


@pytest.fixture
def dev(start: Callable[..., Deployment]) -> Deployment:
    return start("-f", str(EXAMPLE))


def sensor(name: str) -> str:
    return instigator_id(LOCATION, InstigatorKind.SENSOR, name)


def read_out(dev: Deployment, partition: str, *, jammed: bool = False) -> Run:
    """The run that read a register, once it has ended."""
    config = {"ops": {"sales": {"config": {"jammed": jammed}}}}
    return dev.wait_until_finished(
        dev.launch("read_registers", location=LOCATION, partition=partition, runConfigData=config)
    )


def test_what_follows_from_sales_is_made_when_all_of_it_is_there(dev: Deployment) -> None:
    ticks = dev.instance.storage.instigators.ticks
    # What is there before the first evaluation counts as handled.
    dev.wait(lambda: ticks(sensor("follow_the_sales"), statuses=[TickStatus.SKIPPED]))
    day = DailyPartitionsDefinition("2026-01-01").get_last_partition_key()
    assert day is not None
    for shop in SHOPS:
        assert read_out(dev, f"{day}|{shop}").status is RunStatus.SUCCESS

    def made(asset: str) -> list[str]:
        return sorted(dev.instance.storage.assets.partition_states(asset))

    dev.wait(lambda: made("takings") == [day], seconds=90)
    assert made("revenue") == [f"{day}|{shop}" for shop in SHOPS]
    assert {
        key: state.status for key, state in dev.instance.storage.assets.check_states(["sales", "revenue"]).items()
    } == {
        "sales:no_receipt_is_missing": "SUCCEEDED",
        "revenue:no_article_loses_money": "SUCCEEDED",
    }


def test_a_jammed_register_is_told(dev: Deployment) -> None:
    assert read_out(dev, "2026-01-02|market", jammed=True).status is RunStatus.FAILURE

    def told() -> list[str]:
        ticks = dev.instance.storage.instigators.ticks(sensor("tell_the_shop"))
        return [line for tick in ticks for line in tick.log]

    (line,) = dev.wait(told)
    assert "please look at the register of 2026-01-02|market" in line
    assert "the drawer is stuck" in line
