"""Every page, and whatever else asks the storage again and again: commands that list, the daemon, a tick, sensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, get_args

import msgspec
from click.testing import CliRunner

from penstock.auth.permissions import LOCAL_ACTOR
from penstock.cli.main import cli
from penstock.daemon.process import Daemon
from penstock.instance.alerts.watch import Watch
from penstock.instance.instance import Instance
from penstock.instance.settings import AlertRuleSettings, AlertSettings
from penstock.locations.catalog import Catalog
from penstock.records.alert import AlertKind
from penstock.records.automation import TickStatus
from penstock.records.lease import ProcessInfo
from penstock.records.run import ACTIVE, Tag
from penstock.storage.protocols import RunFilter
from penstock.testing.clock import FakeClock
from penstock.testing.storage_contract.builders import NOW, new_run
from penstock.web.graphql.context import Context
from penstock.web.graphql.execute import GraphQLRequest, run_request
from support.ui_documents import QUERIES, document

from .past import SENSOR, Present

__all__ = ["DAEMON", "PAGES", "Deployment", "Page", "names"]

_KEY = {"path": ["table_0"]}
_JOB = {"repositoryName": "__repository__", "repositoryLocationName": "shop", "pipelineName": "job_0"}
_SELECTOR = {"repositoryName": "__repository__", "repositoryLocationName": "shop"}
_PROD = [{"key": "env", "value": "prod"}]
_BOTH = [*_PROD, {"key": "team", "value": "team-0"}]
_UNENDED = [status.value for status in sorted(ACTIVE)]


class Deployment(NamedTuple):
    """What is asked, and for what."""

    instance: Instance
    catalog: Catalog
    present: Present

    def ask(self, operation: str, **variables: Any) -> None:
        """Ask what a page of the UI asks."""
        self.catalog.refresh()
        clock = self.instance.clock
        context = Context(self.instance, self.catalog, LOCAL_ACTOR, deadline=clock.monotonic() + 60)
        outcome = run_request(GraphQLRequest(query=document(QUERIES[operation]), variables=variables), context)
        assert "errors" not in outcome.body, outcome.body
        for answer in outcome.body["data"].values():
            assert not str(isinstance(answer, dict) and answer.get("__typename")).endswith("Error"), outcome.body

    def call(self, *arguments: str) -> None:
        """Call a command."""
        outcome = CliRunner().invoke(cli, [*arguments, "--home", str(self.instance.home)], catch_exceptions=False)
        assert outcome.exit_code == 0, outcome.output


class Page(NamedTuple):
    """A page under the name that readers know, the operation of the UI that it is, and how it is asked for."""

    name: str
    operation: str | None
    ask: Callable[[Deployment], object]


def _of_ui(operation: str, name: str, variables: Mapping[str, Any] | Callable[[Present], Mapping[str, Any]]) -> Page:
    def ask(deployment: Deployment) -> None:
        deployment.ask(operation, **(variables(deployment.present) if callable(variables) else variables))

    return Page(name, operation, ask)


def _runs(name: str, **conditions: Any) -> Page:
    """The list of runs, with the tabs that count the same in some statuses."""

    def inside(*statuses: str) -> dict[str, Any]:
        return {**conditions, "statuses": list(statuses)}

    tabs = {"all": conditions, "queued": inside("QUEUED"), "active": inside(*_UNENDED), "failed": inside("FAILURE")}
    return _of_ui("RunsPage", name, {"filter": conditions, "limit": 50, **tabs})


def _ui_pages() -> Iterator[Page]:
    yield _of_ui("Overview", "Overview", {"since": NOW - 300, "limit": 1000})
    yield _of_ui("OverviewChecks", "Overview: checks", {})
    yield _of_ui("OverviewFailing", "Overview: what fails at its ticks", {})
    yield _runs("Runs")
    yield _runs("Runs that failed", statuses=["FAILURE"])
    yield _runs("Runs that failed or succeeded", statuses=["FAILURE", "SUCCESS"])
    yield _runs("Runs of a job", pipelineName="job_0")
    yield _runs("Runs of a job that failed", pipelineName="job_3", statuses=["FAILURE"])
    yield _runs("Runs of a location", locationName="shop")
    yield _runs("Runs with a tag", tags=_PROD)
    yield _runs("Runs with a tag that failed", tags=_PROD, statuses=["FAILURE"])
    yield _runs("Runs with two tags of a job", tags=_BOTH, pipelineName="job_1")
    yield _runs("Runs of an asset", assetKey=_KEY)
    yield _runs("Runs of the last minutes", createdAfter=NOW - 300)
    yield _of_ui("RunDetail", "Run", lambda present: {"runId": present.run})
    yield _of_ui("RunDetail", "Run that failed", lambda present: {"runId": present.failed})
    yield _of_ui("RunFamily", "Run: its family", lambda present: {"runId": present.run})
    yield _of_ui("RunEvents", "Run: its events", lambda present: {"runId": present.run, "limit": 1000})
    yield _of_ui(
        "RunEvents",
        "Run: its events, filtered",
        lambda present: {"runId": present.run, "limit": 100, "after": "1", "steps": ["areas"], "types": ["STEP_START"]},
    )
    yield _of_ui("MergedLog", "Run: its log", lambda present: {"runId": present.run, "limit": 100})
    for operation in ("CapturedText", "CapturedBeginning"):
        yield _of_ui(operation, f"Run: {operation}", lambda present: {"logKey": [present.run, "compute_logs", "areas"]})
    yield _of_ui("AssetGraph", "Assets, lineage", {})
    yield _of_ui("AssetAtAGlance", "Lineage: the chosen asset", {"key": _KEY})
    yield _of_ui("AssetHead", "Asset", {"key": _KEY})
    yield _of_ui("AssetOverview", "Asset: overview", {"key": _KEY})
    yield _of_ui("AssetEvents", "Asset: events", {"key": _KEY, "limit": 50})
    yield Page("Asset: events long ago", None, _long_ago)
    areas = {"path": ["areas"]}
    yield _of_ui("AssetPartitions", "Asset: partitions", {"key": areas})
    yield _of_ui("AssetPartitionKeys", "Asset: keys of its partitions", {"key": areas})
    yield _of_ui("AssetPartitionDetail", "Asset: a partition", {"key": areas, "partition": "north"})
    yield _of_ui("AssetCheckHistory", "Asset: a check's history", {"key": _KEY, "check": "whole"})
    yield _of_ui("AssetEvaluations", "Asset: evaluations of its condition", {"key": _KEY, "limit": 20})
    yield _of_ui("AssetPartitionSets", "Materialize several assets", {"keys": [areas, _KEY]})
    chosen = {"assetSelection": [areas], "partitionNames": ["north"], "partitionsOf": areas}
    yield _of_ui("AssetBackfillPreview", "Materialize some partitions", {"params": chosen})
    yield _of_ui("BackfillPage", "Backfills", {"limit": 50})
    yield _of_ui("BackfillPage", "Backfills that failed", {"limit": 50, "statuses": ["COMPLETED_FAILED", "FAILED"]})
    yield _of_ui("BackfillPage", "Backfills of an asset", {"limit": 50, "asset": _KEY})
    yield _of_ui("BackfillPage", "Backfills of a user with a text", {"limit": 50, "user": "ann", "text": "fix"})
    yield _of_ui("BackfillDetail", "Backfill", lambda present: {"id": present.backfill})
    yield _of_ui("BackfillMatrix", "Backfill: partitions", lambda present: {"id": present.backfill})
    yield _of_ui(
        "BackfillAsset",
        "Backfill: partitions of an asset",
        lambda present: {"id": present.backfill, "key": areas, "start": 0, "limit": 4},
    )
    yield _of_ui("BackfillRuns", "Backfill: runs", lambda present: {"id": present.backfill, "limit": 50})
    yield _of_ui("AutomationList", "Automation", {})
    yield _of_ui("OneOffs", "Automation: runs at a time", {"limit": 100})
    yield _of_ui("WithoutCode", "Automation: without code", {})
    yield _of_ui("OperatorActs", "Automation: what people did", {"limit": 100})
    schedule = {**_SELECTOR, "scheduleName": "nightly_0"}
    yield _of_ui("ScheduleDetail", "Schedule", {"selector": schedule, "limit": 25})
    sensor = {**_SELECTOR, "sensorName": "files_0"}
    yield _of_ui("SensorDetail", "Sensor", {"selector": sensor, "limit": 25})
    one = {**_SELECTOR, "name": "files_0"}
    yield _of_ui("TickBefore", "Sensor: a tick that is linked to", {"selector": one, "cursor": "100"})
    yield _of_ui(
        "SensorDetail",
        "Sensor: ticks that failed",
        {"selector": sensor, "limit": 25, "statuses": ["FAILURE", "SKIPPED"]},
    )
    yield _of_ui("TickBefore", "Sensor: one tick", {"selector": {**_SELECTOR, "name": "files_0"}, "cursor": "100"})
    yield _of_ui("JobList", "Jobs", {})
    yield _of_ui("JobDetail", "Job", {"selector": _JOB})
    of_job = {"pipelineName": "job_0", "locationName": "shop"}
    yield _of_ui("JobRuns", "Job: runs", {"filter": of_job, "limit": 40})
    yield _of_ui("JobFailedTicks", "Job: failed ticks", {"selector": _JOB})
    yield _of_ui("JobLaunchpad", "Job: launchpad", {"selector": _JOB})
    yield _of_ui("JobConfigSchema", "Job: schema of its run config", {"selector": _JOB})
    yield _of_ui("JobPartitionConfig", "Job: run config of a partition", {"selector": _JOB, "partition": "north"})
    yield _of_ui("JobPartitionKeys", "Job: partitions", {"selector": _JOB})
    yield _of_ui("CheckJobConfig", "Job: check of a run config", {"selector": _JOB, "config": {}})
    yield _of_ui("Deployment", "Deployment", {})
    yield _of_ui("Pools", "Deployment: pools", {})
    yield _of_ui("Alerts", "Deployment: alerts", {"limit": 50})
    yield _of_ui("Alerts", "Deployment: alerts given up", {"limit": 50, "status": "GIVEN_UP", "cursor": "100"})
    yield _of_ui("Retention", "Deployment: retention", {})
    yield _of_ui("Palette", "Palette", {})


def _long_ago(deployment: Deployment) -> None:
    history = deployment.instance.storage.assets.history
    history("table_0", types=("ASSET_MATERIALIZATION",), until=NOW - 900, limit=50)
    history("table_0", types=("ASSET_MATERIALIZATION",), until=NOW - 900, before=10**6, limit=50)
    history("table_0", types=("ASSET_MATERIALIZATION",), since=NOW - 900, before=10**6, limit=50)


def _commands() -> Iterator[Page]:
    def of(*arguments: str) -> Page:
        return Page(f"penstock {' '.join(arguments)}", None, lambda deployment: deployment.call(*arguments))

    yield of("run", "list")
    yield of("run", "list", "--status", "FAILURE", "--job", "job_3")
    yield Page("penstock run show", None, lambda each: each.call("run", "show", each.present.run))
    yield Page("penstock run logs", None, lambda each: each.call("run", "logs", each.present.run))
    yield of("schedule", "list")
    yield of("schedule", "acts")
    yield of("schedule", "acts", "nightly_0")
    yield of("audit", "--by", "user_3")
    yield of("audit", "--act", "SET_LIMIT", "--act", "PLAN_RUN")
    yield of("audit", "--since", "2096-11-30T22:00")
    yield of("one-off", "list")
    yield of("sensor", "list")
    yield of("instance", "concurrency", "get", "--all")
    yield of("instance", "alerts", "list")


def _duties(deployment: Deployment) -> None:
    """A daemon's sign of life, and one round of all its duties."""
    daemon = Daemon(deployment.instance)
    daemon._keeper.look(daemon._sign_of_life)
    daemon._keeper._steady_since = 0.0  # as one that has been at work for long
    for loop in daemon._loops:
        loop.step()
        assert loop.error is None
    daemon._keeper.look(daemon._sign_of_life)
    for duty, _ in daemon._duties:
        duty.close()
    daemon._keeper.release_all()
    daemon._waker._subscription.close()


def _signs_of_life(deployment: Deployment) -> None:
    """What code servers and web servers do every few seconds."""
    storage = deployment.instance.storage
    storage.leases.beat(ProcessInfo(id="web", kind="webserver", host="h", pid=1, version="1", started=NOW, seen=NOW))
    storage.runs.renew("server", until=4e9)
    deployment.catalog.refresh()


def _tick(deployment: Deployment) -> None:
    """A tick that asks for a run, told twice."""
    storage = deployment.instance.storage
    lease = storage.leases.acquire("sensors", "past", ttl=30, now=NOW)
    assert lease is not None
    tick = storage.instigators.begin_tick(SENSOR, NOW + 1, lease=lease, now=NOW + 1)
    assert tick is not None
    ended = msgspec.structs.replace(tick, status=TickStatus.SUCCESS, run_keys=("next",))
    for _ in range(2):
        storage.instigators.complete_tick(ended, lease=lease, runs=[("next", new_run())], cursor="1", now=NOW + 2)


def _sensors(deployment: Deployment) -> None:
    """What sensors and automation conditions read."""
    storage = deployment.instance.storage
    last = storage.events.last_id()
    storage.events.of_types(["RUN_FAILURE", "ASSET_MATERIALIZATION"], after=last - 20, before=last + 1, limit=1000)
    storage.events.of_types(["RUN_SUCCESS"], since=NOW - 300, until=NOW, jobs=["job_0"], ascending=False)
    storage.assets.history("table_0", types=["ASSET_MATERIALIZATION"], before=last + 1, limit=1)
    storage.assets.history("table_0", types=["ASSET_MATERIALIZATION"], after=last - 20, ascending=True, limit=1000)
    storage.assets.history("table_0", since=NOW - 300, until=NOW)
    storage.assets.history("areas", partition="north", limit=1)
    storage.assets.planned()
    storage.assets.planned([deployment.present.run])
    storage.assets.partition_data_versions("areas", ["north", "south"])
    storage.assets.dynamic_partitions("files")
    storage.instigators.ticks(SENSOR, after_time=NOW - 300)
    storage.runs.page(RunFilter(job="job_0", statuses=tuple(sorted(ACTIVE))), limit=1000)
    storage.runs.count(RunFilter(tags={Tag.ROOT_RUN: deployment.present.run}))
    storage.runs.page(RunFilter(updated_after=NOW - 300, tags={"team": "team-0"}), limit=100)


def _alerts(deployment: Deployment) -> None:
    """What is looked at for alerts."""
    storage = deployment.instance.storage
    rule = AlertRuleSettings(name="all", when=get_args(AlertKind), to=())
    storage.locations.settle_value("alerts/since", repr(NOW - 300))
    watch = Watch(storage, deployment.catalog, AlertSettings(rules=(rule,)), FakeClock(NOW))
    for _ in range(2):
        for _found in watch.standing():
            pass


def _filters(deployment: Deployment) -> None:
    """What the runs page's filter completes."""
    runs = deployment.instance.storage.runs
    runs.tag_keys()
    runs.tag_values("team", prefix="te", limit=20)


def _pages() -> Iterator[Page]:
    yield from _ui_pages()
    yield from _commands()
    yield Page("Tag keys and values", None, _filters)
    yield Page("Sensors and automation conditions", None, _sensors)
    yield Page("Alerts", None, _alerts)
    yield Page("Signs of life", None, _signs_of_life)
    yield Page("A tick", None, _tick)
    yield Page(DAEMON, None, _duties)


DAEMON = "The daemon"

PAGES = tuple(_pages())
"""In the order in which they are asked: those that change something come last."""


def names() -> set[str]:
    """The operations of the UI that are asked."""
    return {page.operation for page in PAGES if page.operation is not None}
