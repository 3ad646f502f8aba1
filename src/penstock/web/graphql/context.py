"""What the resolvers of one request share: the deployment, who asks, what was loaded already, and a budget."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from functools import cached_property

from ...auth.permissions import Actor, Permission, may
from ...instance.instance import Instance
from ...locations.catalog import Catalog
from ...partitions.space import KeySpace, open_space
from ...partitions.spec import PartitionsSpec
from ...records.act import INSTANCE, ActKind, location_subject
from ...records.asset import AssetEvent, AssetState, CheckState
from ...records.automation import By, InstigatorState, Tick
from ...records.backfill import BackfillPlan, GroupCounts
from ...records.event import StoredEvent
from ...records.location import AssetDescription
from ...records.run import Run, RunStatus, StepStats
from ...storage.acting import act_of, acting
from ...storage.protocols import RunFilter, Storage
from .failures import RefusedError, UnauthorizedError
from .loader import Loader, NewestLoader
from .partition_places import LettersByPlace, PartitionPlaces
from .versions import AssetVersions

__all__ = ["MOST_OBJECTS", "Context", "TooMuchError"]

MOST_OBJECTS = 400_000
"""How many objects one answer may hold."""

MOST_COUNTED = 10_000

_LOOK_EVERY = 1000
"""How many objects are counted between two looks at the clock."""


class TooMuchError(Exception):
    """The query asks for more than one answer may hold, or for longer than it may take."""


class Context:
    """One request.

    Args:
        instance: The instance.
        catalog: What the code locations define.
        actor: Who asks.
        deadline: When to give up, on the instance's monotonic clock.
        objects: How many objects the answer may hold.
        places: What the process remembers of the partitions of assets.
    """

    def __init__(
        self,
        instance: Instance,
        catalog: Catalog,
        actor: Actor,
        *,
        deadline: float,
        objects: int = MOST_OBJECTS,
        places: PartitionPlaces | None = None,
    ) -> None:
        self.instance = instance
        self.storage: Storage = instance.storage
        self.catalog = catalog
        self.actor = actor
        self.now: float = instance.clock.now()
        self._places = places or PartitionPlaces()
        self._spaces: dict[PartitionsSpec, tuple[KeySpace, int]] = {}
        self._tallies: dict[str, tuple[int, bool]] = {}
        self._deadline = deadline
        self._objects = objects
        self._next_look = objects
        storage = self.storage
        self.runs: Loader[str, Run] = Loader(self._runs)
        self.latest_runs: NewestLoader[tuple[str, str], Run] = NewestLoader(self._latest_runs)
        self.latest_ticks: NewestLoader[str, Tick] = NewestLoader(self._latest_ticks)
        self.failures: Loader[str, StoredEvent] = Loader(storage.events.failures)
        self.steps: Loader[str, list[StepStats]] = Loader(storage.events.steps_of)
        self.asset_states: Loader[str, AssetState] = Loader(self._asset_states)
        self.latest_materializations: Loader[str, AssetEvent] = Loader(storage.assets.latest_materializations)
        self.check_states: Loader[str, dict[str, CheckState]] = Loader(self._checks)
        self.partition_letters: Loader[str, LettersByPlace] = Loader(self._partitions)
        self.backfill_counts: Loader[str, list[GroupCounts]] = Loader(storage.backfills.counts)
        self.backfill_plans: Loader[str, BackfillPlan] = Loader(self._backfill_plans)
        self.dynamic_partitions: Loader[str, list[str]] = Loader(self._dynamic)

    @cached_property
    def instigators(self) -> dict[str, InstigatorState]:
        """The stored states of all schedules and sensors, by id."""
        return self.storage.instigators.states()

    @cached_property
    def versions(self) -> AssetVersions:
        """Which content assets hold, and what is stale of them."""
        return AssetVersions(self.storage.assets, self.catalog.assets)

    def acting(self, reason: str | None = None) -> AbstractContextManager[None]:
        """Have what is changed meanwhile written down as an act of the actor."""
        by = By(actor=self.actor.name, reason=reason or None, via=self.actor.via)
        return acting(by, now=self.now)

    def require(self, permission: Permission, location: str | None) -> None:
        """Refuse unless the actor may do this to things of that location."""
        if not may(self.actor, permission, location):
            of = INSTANCE if location is None else location_subject(location)
            self.storage.acts.add(act_of(ActKind.REFUSED, of, after=permission.value))
            where = f" in the code location {location!r}" if location is not None else ""
            raise RefusedError(
                UnauthorizedError(
                    message=f"{self.actor.name or 'You'} may not do this{where}: it needs the permission "
                    f"{permission.value!r}. Ask an administrator of this deployment for it."
                )
            )

    def expect_runs(self, runs: Iterable[Run]) -> None:
        """Take in runs that the answer lists, so that what is asked of each is loaded for all of them."""
        for run in runs:
            self.runs.put(run.run_id, run)
            self.steps.expect((run.run_id,))
            if run.status is RunStatus.FAILURE:
                self.failures.expect((run.run_id,))

    def expect_assets(self, assets: Iterable[AssetDescription]) -> None:
        """Announce that the answer lists these assets, so that what is asked of each is loaded for all of them."""
        listed = list(assets)
        keys = [asset.key for asset in listed]
        self.asset_states.expect(keys)
        self.latest_materializations.expect(keys)
        self.versions.expect(keys)
        self.check_states.expect(asset.key for asset in listed if asset.checks)
        self.partition_letters.expect(asset.key for asset in listed if asset.partitions is not None)

    def space(self, spec: PartitionsSpec) -> tuple[KeySpace, int]:
        """A partition set as it is at the time of the request, and how many partitions it has then."""
        if spec not in self._spaces:
            space = open_space(spec, lambda name: self.dynamic_partitions.get(name) or [], self.now)
            self._spaces[spec] = space, space.count(self.now)
        return self._spaces[spec]

    def tally(self, where: RunFilter) -> tuple[int, bool]:
        """How many runs match, and whether those are all; several parts of a page may ask the same."""
        key = repr(where)
        if key not in self._tallies:
            found = self.storage.runs.tally(where, at_most=MOST_COUNTED)
            self._tallies[key] = (found.number, found.until is None and found.number < MOST_COUNTED)
        return self._tallies[key]

    @property
    def allowance(self) -> tuple[int, int]:
        """What is left to spend; to be set again where a part of the answer is begun anew."""
        return self._objects, self._next_look

    @allowance.setter
    def allowance(self, left: tuple[int, int]) -> None:
        self._objects, self._next_look = left

    def spend(self, objects: int) -> None:
        """Count objects of the answer; ends the request when there are too many or its time is over."""
        self._objects -= objects
        if self._objects >= self._next_look:
            return
        self._next_look = self._objects - _LOOK_EVERY
        if self._objects < 0:
            raise TooMuchError(
                f"The answer would hold more than {MOST_OBJECTS:,} objects; ask for fewer fields, or for a page."
            )
        if self.instance.clock.monotonic() > self._deadline:
            raise TooMuchError("The answer took too long; ask for fewer fields, or for a page of them.")

    def _runs(self, run_ids: list[str]) -> dict[str, Run]:
        runs = self.storage.runs.page(RunFilter(run_ids=tuple(run_ids)), limit=len(run_ids))
        return {run.run_id: run for run in runs}

    def _latest_runs(self, jobs: list[tuple[str, str]], number: int) -> dict[tuple[str, str], list[Run]]:
        found = self.storage.runs.latest_of_jobs(jobs, limit=number)
        self.expect_runs(run for runs in found.values() for run in runs)
        return found

    def _latest_ticks(self, instigators: list[str], number: int) -> dict[str, list[Tick]]:
        found = self.storage.instigators.latest_ticks(instigators, limit=number)
        self.runs.expect(run_id for ticks in found.values() for tick in ticks for run_id in tick.run_ids)
        return found

    def _asset_states(self, assets: list[str]) -> dict[str, AssetState]:
        states = self.storage.assets.states(assets)
        self.runs.expect(state.planned_run for state in states.values() if state.planned_run is not None)
        return states

    def _checks(self, assets: list[str]) -> dict[str, dict[str, CheckState]]:
        by_asset: dict[str, dict[str, CheckState]] = {}
        for state in self.storage.assets.check_states(assets).values():
            by_asset.setdefault(state.asset, {})[state.check] = state
        return by_asset

    def _partitions(self, assets: list[str]) -> dict[str, LettersByPlace]:
        defined = self.catalog.assets
        specs = {key: defined[key].partitions for key in assets if key in defined}
        return self._places.read(self.storage.assets, {key: spec for key, spec in specs.items() if spec is not None})

    def _backfill_plans(self, backfill_ids: list[str]) -> dict[str, BackfillPlan]:
        found = {each: self.storage.backfills.plan(each) for each in backfill_ids}
        return {each: plan for each, plan in found.items() if plan is not None}

    def _dynamic(self, names: list[str]) -> dict[str, list[str]]:
        return {name: self.storage.assets.dynamic_partitions(name) for name in names}
