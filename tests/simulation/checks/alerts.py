"""What rules name was told: once by each rule to each target, soon, but for what is held back or not taken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from penstock.engine.alerts import MOST_ATTEMPTS
from penstock.instance.alerts.watch import LOST_SECONDS
from penstock.records.alert import Delivery, DeliveryStatus
from penstock.records.automation import TickStatus
from penstock.records.event import AssetCheckEvaluation, AssetMaterialization, AssetWiped, FreshnessStateChange
from penstock.records.freshness_state import FreshnessState
from penstock.storage.protocols import RunFilter
from simulation.deployment import Deployment
from simulation.rough import FAILING, LATE, STUCK
from simulation.targets import DEAF

__all__ = ["check_alerts"]

SOON = 45.0
"""A look each ten seconds, a lease before it, and errors between."""

_IN_THE_LOG = ("run_failure", "check_failed")

_MOST_PAUSE = 120.0
"""A message that its sender has not settled is sent again after so many seconds."""


def check_alerts(deployment: Deployment) -> None:
    """See the head of this file."""
    stored = deployment.storage.outbox.page(limit=1_000_000)[::-1]
    _check_completeness(deployment, stored)
    _check_throttles(deployment, stored)
    _check_sending(deployment, stored)


def _check_completeness(deployment: Deployment, stored: list[Delivery]) -> None:
    told: dict[str, set[str]] = defaultdict(set)
    for each in stored:
        told[each.alert.occurrence].add(f"{each.rule}/{each.target}")
    if not deployment.jumped:
        late = [each for each in stored if each.alert.kind in _IN_THE_LOG and each.created - each.alert.time > SOON]
        assert late == []
    for rule in deployment.settings.alerts.rules:
        wanted = {f"{rule.name}/{target}" for target in rule.targets}
        for kind in rule.when:
            missed = {each for each in _happened(deployment, kind) if not wanted <= told[each]}
            assert missed == set(), f"{rule.name} did not tell of {kind}"


def _happened(deployment: Deployment, kind: str) -> Iterator[str]:
    """The occurrences of what there was to tell, early enough before the end."""
    storage, end = deployment.storage, deployment.simulation.now()
    match kind:
        case "run_failure":
            for event in storage.events.of_types(["RUN_FAILURE"], before=deployment.settled, limit=1_000_000):
                yield f"run_failure {event.id}"
        case "check_failed":
            for event in storage.events.of_types(
                ["ASSET_CHECK_EVALUATION"], before=deployment.settled, limit=1_000_000
            ):
                if isinstance(event.event.fact, AssetCheckEvaluation) and not event.event.fact.passed:
                    yield f"check_failed {event.id}"
        case "tick_failure":
            failed = [TickStatus.FAILURE]
            for tick in storage.instigators.ticks(f"code/sensor/{FAILING}", statuses=failed, limit=1_000_000):
                if tick.ended is not None and tick.ended < end - SOON:
                    yield f"tick_failure {tick.id}"
        case "run_late":
            for run in storage.runs.page(RunFilter(), limit=1_000_000):
                until = end if run.launched is None else run.launched
                if run.queued is not None and until - run.queued > LATE + SOON and not deployment.jumped:
                    yield f"run_late {run.run_id}"
        case "run_stuck":
            for run in storage.runs.page(RunFilter(), limit=1_000_000):
                until = end if run.ended is None else run.ended
                if run.launched is not None and until - run.launched > STUCK + SOON and not deployment.jumped:
                    yield f"run_stuck {run.run_id}"
        case "freshness_violated":
            yield from _violations(deployment)
        case "daemon_lost":
            for process in storage.leases.processes(seen_after=0.0):
                if process.seen < end - LOST_SECONDS - SOON:
                    yield f"daemon_lost {process.id}"


def _violations(deployment: Deployment) -> Iterator[str]:
    """Those of an asset's freshness that lasted for a while."""
    made: dict[str, float] = {}
    violated: dict[str, tuple[int, float]] = {}  # event and time of the change, of those that last
    types = ["FRESHNESS_STATE_CHANGE", "ASSET_MATERIALIZATION", "ASSET_WIPED"]
    for stored in deployment.storage.events.of_types(types, limit=1_000_000):
        fact, time = stored.event.fact, stored.event.time
        assert isinstance(fact, FreshnessStateChange | AssetMaterialization | AssetWiped)
        if fact.asset in violated:
            _, since = violated.pop(fact.asset)
            if time - since > SOON and not deployment.jumped:
                yield f"freshness_violated {fact.asset} {made[fact.asset]!r}"
        if isinstance(fact, AssetMaterialization):
            made[fact.asset] = time
        elif isinstance(fact, FreshnessStateChange) and fact.state is FreshnessState.FAIL:
            violated[fact.asset] = (stored.id, time)
    for asset, (event, _) in violated.items():
        if event < deployment.settled:
            yield f"freshness_violated {asset} {made[asset]!r}"


def _check_throttles(deployment: Deployment, stored: list[Delivery]) -> None:
    """Exactly those are held back that came soon after one that was not."""
    throttle = {rule.name: rule.throttle_seconds for rule in deployment.settings.alerts.rules}
    let_go: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for each in stored:
        before = let_go[each.rule, each.target, each.alert.subject]
        is_soon = any(abs(each.created - other) < throttle[each.rule] for other in before)
        assert (each.status is DeliveryStatus.THROTTLED) == is_soon, each
        if not is_soon:
            before.append(each.created)


def _check_sending(deployment: Deployment, stored: list[Delivery]) -> None:
    """What is said to be delivered was taken; what was not is no longer due, or will be soon."""
    end, taken = deployment.simulation.now(), deployment.targets.taken
    for each in stored:
        match each.status:
            case DeliveryStatus.DELIVERED:
                assert taken[each.key] > 0, each
            case DeliveryStatus.THROTTLED:
                assert taken[each.key] == 0, each
            case DeliveryStatus.PENDING if each.rule == DEAF:
                assert each.attempts <= MOST_ATTEMPTS, each
            case DeliveryStatus.PENDING:
                pause = max(_MOST_PAUSE, 2.0 ** (each.attempts - 1))
                assert end - SOON < each.due <= end + pause, each
            case DeliveryStatus.GIVEN_UP:
                assert (each.attempts, taken[each.key]) == (MOST_ATTEMPTS, 0), each
    assert all(taken[each.key] <= each.attempts for each in stored)
    lost = {each.alert.occurrence.split()[1] for each in stored if each.alert.kind == "daemon_lost"}
    assert {each for each in lost if deployment.holders[each].is_steady} == set(), "daemons are told to be lost"
