"""A small deployment to ask: one code location as data, a storage in memory, and the web application over both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from penstock.auth.permissions import LOCAL_ACTOR, Actor
from penstock.codec import digest, encode_json
from penstock.config.schema import Field, Scalar, Shape
from penstock.daemon.backfills import BackfillsDuty
from penstock.ids import new_run_id
from penstock.instance.instance import Instance
from penstock.locations.catalog import Catalog
from penstock.partitions.spec import TimeWindowSpec
from penstock.records.automation import InstigatorStatus
from penstock.records.event import Fact
from penstock.records.location import (
    AssetDescription,
    AssetJobName,
    CheckDescription,
    InputDescription,
    JobDescription,
    LocationDescription,
    OutputDescription,
    ResourceDescription,
    ScheduleDescription,
    SensorDescription,
    SourceRef,
    StepDescription,
    StepRef,
)
from penstock.records.metadata import IntMetadataValue, TextMetadataValue
from penstock.records.run import Run
from penstock.records.wire import LoadStatus
from penstock.storage.protocols import NewRun, StoredLocation
from penstock.web.app import WebApp, create_app
from penstock.web.graphql.context import Context
from penstock.web.graphql.execute import GraphQLRequest, Outcome, run_request
from support.held import all_parts

Ask = Callable[..., Any]

DAYS = TimeWindowSpec(cron="0 0 * * *", start="2024-01-01T00:00:00", fmt="%Y-%m-%d", end="2024-01-11T00:00:00")


def shop() -> LocationDescription:
    """A location with a job of two ops, three assets (one partitioned, one external), a check, a schedule, a sensor."""
    extract = StepDescription(
        key="extract",
        op="extract",
        outputs=(OutputDescription(),),
        tags={"team": "data"},
        max_retries=2,
        source=SourceRef(file="shop.py", line=10),
    )
    report = StepDescription(
        key="report",
        op="report",
        inputs=(InputDescription(name="rows", sources=(StepRef(step="extract"),)),),
        outputs=(OutputDescription(),),
    )
    config = Shape(
        fields={
            "ops": Field(
                type=Shape(
                    fields={
                        "extract": Field(
                            type=Shape(
                                fields={"config": Field(type=Shape(fields={"rows": Field(type=Scalar(kind="int"))}))}
                            )
                        )
                    }
                )
            )
        }
    )
    orders = StepDescription(
        key="orders", op="orders", outputs=(OutputDescription(asset="orders"),), assets=("orders",)
    )
    totals = StepDescription(
        key="mart__totals",
        op="mart__totals",
        inputs=(InputDescription(name="orders", sources=(StepRef(step="orders"),), asset="orders"),),
        outputs=(OutputDescription(asset="mart/totals"),),
        assets=("mart/totals",),
        checks=("mart/totals:positive",),
    )
    return LocationDescription(
        name="shop",
        jobs=(
            JobDescription(
                name="nightly",
                description="Loads and reports.",
                tags={"team": "data"},
                steps=(extract, report),
                config_schema=config,
            ),
            JobDescription(
                name=AssetJobName,
                steps=(orders, totals),
                config_schema=Shape(),
                is_asset_job=True,
                assets=("orders", "mart/totals"),
                checks=("mart/totals:positive",),
            ),
        ),
        assets=(
            AssetDescription(key="feed"),
            AssetDescription(
                key="orders",
                group="raw",
                kinds=("csv",),
                op="orders",
                deps=("feed",),
                partitions=DAYS,
                jobs=(AssetJobName,),
            ),
            AssetDescription(
                key="mart/totals",
                group="mart",
                description="Totals per day.",
                op="mart__totals",
                deps=("orders",),
                jobs=(AssetJobName,),
                checks=("positive",),
                tags={"tier": "1"},
                owners=("ann@example.com",),
                metadata={"rows": IntMetadataValue(3)},
                source=SourceRef(file="shop.py", line=42),
            ),
        ),
        checks=(
            CheckDescription(asset="mart/totals", name="positive", description="No negative total.", blocking=True),
        ),
        schedules=(
            ScheduleDescription(
                name="at_night",
                cron=("30 2 * * 1-5",),
                timezone="Europe/Berlin",
                job="nightly",
                default_status=InstigatorStatus.STOPPED,
            ),
        ),
        sensors=(
            SensorDescription(
                name="new_files",
                kind="ASSET",
                jobs=("nightly",),
                default_status=InstigatorStatus.RUNNING,
                assets=("shop/orders",),
                owners=("team:data",),
                metadata={"why": TextMetadataValue("it is needed")},
            ),
        ),
        resources=(ResourceDescription(name="db", type_name="Duck", config={"path": "shop.db"}, used_by=("orders",)),),
    )


class Deployment:
    """An instance with one location, and what tests do with it."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.storage = instance.storage
        self.catalog = Catalog(instance.storage.locations)
        self.put(shop())

    def put(self, description: LocationDescription, **state: Any) -> None:
        """Store a location as loaded."""
        self.storage.locations.put(
            StoredLocation(
                name=description.name,
                **{
                    "status": LoadStatus.LOADED,
                    "digest": digest(description),
                    "description": encode_json(description),
                    "updated": 1000.0,
                    "origin": "shop.py",
                    **state,
                },
            )
        )

    def run(self, *facts: Fact, job: str = "nightly", snapshot: JobDescription | None = None, **fields: Any) -> Run:
        """A stored run; the facts are recorded one by one after it was made."""
        run = Run(run_id=new_run_id(), location="shop", job=job, created=self.instance.clock.now(), **fields)
        self.storage.runs.create([NewRun(run=run, snapshot=None if snapshot is None else encode_json(snapshot))])
        for fact in facts:
            assert self.storage.runs.record(run.run_id, [fact], now=self.instance.clock.now())
        stored = self.storage.runs.get(run.run_id)
        assert stored is not None
        return stored

    def make_backfills(self) -> None:
        """Let the daemon look at its backfills until nothing is to be done at once."""
        clock = self.instance.clock
        duty = BackfillsDuty(self.storage, self.instance.coordinator, self.catalog, clock)
        names = [f"backfills/{part}" for part in range(BackfillsDuty.parts)]
        leases = [self.storage.leases.acquire(name, "daemon", ttl=60.0, now=clock.now()) for name in names]
        held = all_parts([lease for lease in leases if lease is not None])
        while duty.tick(held) == 0.0:
            pass

    def context(self, actor: Actor = LOCAL_ACTOR, **limits: Any) -> Context:
        """The context of one request."""
        self.catalog.refresh()
        return Context(
            self.instance, self.catalog, actor, **{"deadline": self.instance.clock.monotonic() + 30, **limits}
        )

    def execute(self, query: str, *, actor: Actor = LOCAL_ACTOR, **variables: Any) -> Outcome:
        """The whole outcome of a request."""
        return run_request(GraphQLRequest(query=query, variables=variables), self.context(actor))

    def ask(self, query: str, **variables: Any) -> Any:
        """The data of a request that has no errors."""
        outcome = self.execute(query, **variables)
        assert "errors" not in outcome.body, outcome.body["errors"]
        return outcome.body["data"]


@pytest.fixture
def deployment() -> Iterator[Deployment]:
    with Instance.ephemeral() as instance:
        yield Deployment(instance)


@pytest.fixture
def ask(deployment: Deployment) -> Ask:
    return deployment.ask


@pytest.fixture
def app(deployment: Deployment) -> WebApp:
    return create_app(deployment.instance, deployment.catalog, mode="dev")


@pytest.fixture
def client(app: WebApp) -> Iterator[TestClient]:
    with TestClient(app, base_url="http://127.0.0.1:3000") as opened:
        yield opened
