"""Which sensors an event is news for."""

from __future__ import annotations

from penstock.engine.watched import MADE, Watched
from penstock.records.event import AssetMaterialization, AssetObservation, Event, Fact
from penstock.records.location import RunsWatched, SensorDescription

SENSORS = [
    ("shop", SensorDescription(name="orders", kind="ASSET", assets=("orders",))),
    ("shop", SensorDescription(name="both", kind="MULTI_ASSET", assets=("orders", "refunds"))),
    ("shop", SensorDescription(name="own", kind="RUN_STATUS", event_type="RUN_FAILURE", runs=(RunsWatched(),))),
    (
        "shop",
        SensorDescription(
            name="chosen",
            kind="RUN_STATUS",
            event_type="RUN_FAILURE",
            runs=(RunsWatched(job="nightly"), RunsWatched(location="bank", job="close")),
        ),
    ),
    (
        "bank",
        SensorDescription(name="all", kind="RUN_STATUS", event_type="RUN_FAILURE", runs=(RunsWatched(anywhere=True),)),
    ),
    ("bank", SensorDescription(name="polls", assets=("orders",))),
]


def made(fact: Fact) -> Event:
    return Event(time=0.0, fact=fact)


def test_a_materialization_is_news_for_those_that_watch_the_asset() -> None:
    watched = Watched(SENSORS)
    assert watched.of_asset(made(AssetMaterialization(asset="orders"))) == ("shop/sensor/orders", "shop/sensor/both")
    assert watched.of_asset(made(AssetMaterialization(asset="refunds"))) == ("shop/sensor/both",)
    assert watched.of_asset(made(AssetMaterialization(asset="unwatched"))) == ()
    assert watched.of_asset(made(AssetObservation(asset="orders"))) == ()


def test_a_run_is_news_for_those_that_watch_its_job_its_location_or_everything() -> None:
    watched = Watched(SENSORS)
    assert watched.of_run("RUN_FAILURE", "shop", "nightly") == {
        "shop/sensor/own",
        "shop/sensor/chosen",
        "bank/sensor/all",
    }
    assert watched.of_run("RUN_FAILURE", "shop", "hourly") == {"shop/sensor/own", "bank/sensor/all"}
    assert watched.of_run("RUN_FAILURE", "bank", "close") == {"shop/sensor/chosen", "bank/sensor/all"}
    assert watched.of_run("RUN_SUCCESS", "shop", "nightly") == set()


def test_only_the_types_that_somebody_watches_are_read() -> None:
    assert set(Watched(SENSORS).types) == {"RUN_FAILURE", MADE}
    assert Watched(SENSORS[2:3]).types == ("RUN_FAILURE",)
    assert Watched(SENSORS[5:]).types == ()
    assert Watched(SENSORS).ids == {
        "shop/sensor/orders",
        "shop/sensor/both",
        "shop/sensor/own",
        "shop/sensor/chosen",
        "bank/sensor/all",
    }
