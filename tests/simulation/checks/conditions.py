"""What conditions ask for was requested, and nothing twice for one cause.

The causes are read from the log: an update or the loss of something above, a time of a cron text.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import TypeAlias

import msgspec

from penstock.engine.automation.cursor import Cursor
from penstock.records.automation import Tick, TickStatus
from penstock.records.event import AssetMaterialization, AssetMaterializationPlanned, AssetWiped
from penstock.records.run import Run, Tag
from penstock.storage.protocols import RunFilter
from simulation.conditions import CONDITIONS, DEPS, EACH, EAGER, LETTERS, MISSING, ON_CRON
from simulation.deployment import Deployment
from simulation.rough import START

__all__ = ["check_conditions"]

SOON = 60.0
"""A lease, a look, the sensor's interval, an evaluation that takes long, and errors between."""

_TYPES = ("ASSET_MATERIALIZATION_PLANNED", "ASSET_MATERIALIZATION", "ASSET_WIPED")


class _Request(msgspec.Struct, frozen=True):
    """What a condition has asked for: the event that tells of it, when and at which place in the log the condition was
    evaluated, and the tick in which that was."""

    event: int
    time: float
    seen: int
    tick: str


class _Asset(msgspec.Struct):
    """What happened to an asset, or a partition of it, as ids of events."""

    made: list[tuple[int, str | None]] = []  # with the runs
    planned: list[tuple[int, str]] = []
    wiped: list[int] = []
    requests: list[_Request] = []

    @property
    def is_missing(self) -> bool:
        return not self.made or (bool(self.wiped) and self.wiped[-1] > self.made[-1][0])

    def is_handled(self, cause: int, looks: list[int]) -> bool:
        """Whether it was requested after what happened, or made after the look before that, or requested by that look:
        what happens between two looks has no order to conditions, and `since_last_handled` forgets what it waited
        for."""
        before = max((look for look in looks if look < cause), default=0)
        return (
            any(event > cause for event, _ in self.planned)
            or any(event > before for event, _ in self.made)
            or any(request.seen == before for request in self.requests)
        )

    def lost(self, looks: list[int]) -> list[int]:
        """When it was lost that was there at a look before, each an event's id."""
        found = []
        for event in self.wiped:
            made = max((at for at, _ in self.made if at < event), default=event)
            if any(made <= look < event for look in looks) and not any(made < other < event for other in self.wiped):
                found.append(event)
        return found


_Assets: TypeAlias = dict[tuple[str, str | None], _Asset]
"""By key and partition."""


def check_conditions(deployment: Deployment) -> None:
    """See the head of this file."""
    assets = _happened(deployment)
    ticks = deployment.storage.instigators.ticks(f"code/sensor/{CONDITIONS}", limit=1_000_000)
    assert [tick for tick in ticks if tick.status is TickStatus.FAILURE] == []
    cursors = [cursor for tick in ticks if (cursor := Cursor.from_text(tick.cursor)) is not None]
    cursors.sort(key=lambda cursor: cursor.evaluation)
    assert [cursor.evaluation for cursor in cursors] == [*range(1, len(cursors) + 1)], "one was not after the other"
    _check_looks(deployment, cursors)
    looks = [cursor.event for cursor in cursors]
    for key in EAGER:
        _check_eager(deployment, key, assets, looks)
    for key in MISSING:
        _check_missing(deployment, key, assets, looks)
    for key in ON_CRON:
        _check_cron(deployment, key, assets)


def _check_looks(deployment: Deployment, cursors: list[Cursor]) -> None:
    """Whatever happened to assets was looked at soon."""
    happened = deployment.storage.events.of_types(_TYPES, before=deployment.settled, limit=1_000_000)
    looks = iter(cursors)
    look = next(looks)
    for stored in happened:
        while look.event < stored.id:
            look = next(looks)
        if not deployment.jumped:
            assert look.time - stored.event.time < SOON, f"nobody has looked at {stored}"


def _check_eager(deployment: Deployment, key: str, assets: _Assets, looks: list[int]) -> None:
    own, deps = assets[key, None], [assets[dep, None] for dep in DEPS[key]]
    together = {run_id for _, run_id in own.planned}
    updates = [event for dep in deps for event, run_id in dep.made if run_id not in together]
    along = {request.tick for dep in deps for request in dep.requests}
    _check_causes(key, [request for request in own.requests if request.tick not in along], [*own.wiped, *updates])
    work = deployment.storage.assets.planned()
    if any(each.asset in (key, *DEPS[key]) for each in work) or any(dep.is_missing for dep in deps):
        return  # it has to wait
    lost = own.lost(looks)[-1:] if own.is_missing else []
    left = [event for event in (*lost, *updates) if event < deployment.settled and not own.is_handled(event, looks)]
    assert left == [], f"{key} was not requested after {left}"


def _check_missing(deployment: Deployment, key: str, assets: _Assets, looks: list[int]) -> None:
    (dep,) = [assets[dep, None] for dep in DEPS[key]]
    for letter in LETTERS:
        own = assets[key, letter]
        _check_causes(f"{key} {letter}", own.requests, own.wiped)
        if own.is_missing and not dep.is_missing and dep.made[-1][0] < deployment.settled:
            lost = own.lost(looks)[-1:]
            left = [event for event in lost if event < deployment.settled and not own.is_handled(event, looks)]
            assert left == [], f"{key} {letter} was not requested after {left}"


def _check_causes(what: str, requests: list[_Request], causes: list[int]) -> None:
    for before, request in itertools.pairwise(requests):
        assert any(before.seen < cause < request.event for cause in causes), f"{what} was requested twice: {request}"


def _check_cron(deployment: Deployment, key: str, assets: _Assets) -> None:
    """Once in each time between two of its instants, if what is above was made in it."""
    if deployment.jumped:
        return
    own, each = assets[key, None], EACH[key]
    of: dict[float, list[_Request]] = defaultdict(list)
    for request in own.requests:
        of[request.time // each].append(request)
    assert [requests for requests in of.values() if len(requests) > 1] == [], f"{key} was requested twice"
    updates = deployment.storage.events.of_types(["ASSET_MATERIALIZATION"], limit=1_000_000)
    times = {stored.id: stored.event.time for stored in updates}
    end = deployment.simulation.now()
    number = START // each + 1
    while (number + 1) * each < end - SOON:
        start, stop = number * each, (number + 1) * each - SOON
        made = [any(start < times[event] < stop for event, _ in assets[dep, None].made) for dep in DEPS[key]]
        assert number in of or not all(made), f"{key} was not requested at {start}"
        assert DEPS[key] or of[number][0].time < start + SOON, f"{key} was requested late at {start}"
        number += 1


def _happened(deployment: Deployment) -> _Assets:
    found: _Assets = defaultdict(_Asset)
    storage = deployment.storage
    runs = {run.run_id: run for run in storage.runs.page(RunFilter(), limit=1_000_000)}
    ticks = {tick.id: tick for tick in storage.instigators.ticks(f"code/sensor/{CONDITIONS}", limit=1_000_000)}
    for stored in storage.events.of_types(_TYPES, limit=1_000_000):
        match stored.event.fact:
            case AssetMaterialization() as made:
                found[made.asset, made.partition].made.append((stored.id, stored.run_id))
            case AssetWiped() as wiped:
                for letter in LETTERS if wiped.asset in MISSING else (None,):
                    found[wiped.asset, letter].wiped.append(stored.id)
            case AssetMaterializationPlanned() as planned:
                assert stored.run_id is not None
                asset = found[planned.asset, planned.partition]
                asset.planned.append((stored.id, stored.run_id))
                if (request := _request(stored.id, runs[stored.run_id], ticks)) is not None:
                    asset.requests.append(request)
    return found


def _request(event: int, run: Run, ticks: dict[int, Tick]) -> _Request | None:
    if run.parent_run_id is not None or Tag.FROM_AUTOMATION_CONDITION not in run.tags:
        return None
    cursor = Cursor.from_text(ticks[int(run.tags[Tag.TICK])].cursor)
    assert cursor is not None
    return _Request(event=event, time=cursor.time, seen=cursor.event, tick=run.tags[Tag.TICK])
