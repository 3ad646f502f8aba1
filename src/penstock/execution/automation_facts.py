"""What automation conditions ask, answered from a storage: read in batches, and only for what is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from ..codec import digest
from ..engine.automation.facts import ONE, RunFacts, Update
from ..engine.automation.graph import AutomationGraph, Entity, Kind
from ..engine.freshness import freshness_of, made_at, turns_at
from ..partitions.multi_space import MultiSpace
from ..partitions.space import KeySpace, open_space
from ..partitions.spec import DynamicSpec, PartitionsSpec
from ..partitions.subset import Subset
from ..records.asset import EVER_MATERIALIZED, LETTERS, AssetState, CheckState, PartitionState, PartitionStatus
from ..records.conditions.entity import check_id
from ..records.data_version import VersionTag
from ..records.event import (
    AssetCheckEvaluation,
    AssetCheckEvaluationPlanned,
    AssetMaterialization,
    AssetMaterializationPlanned,
    AssetObservation,
    AssetWiped,
)
from ..records.run import FINISHED, Run, RunStatus, Tag
from ..storage.protocols import RunFilter, Storage
from .automation_backfills import BackfillFacts
from .automation_work import AtWork

__all__ = ["StoredFacts"]

_TYPES = (
    "ASSET_MATERIALIZATION_PLANNED",
    "ASSET_MATERIALIZATION",
    "ASSET_OBSERVATION",
    "ASSET_CHECK_EVALUATION_PLANNED",
    "ASSET_CHECK_EVALUATION",
    "ASSET_WIPED",
    "RUN_SUCCESS",
    "RUN_FAILURE",
    "RUN_CANCELED",
)
_PAGE = 1_000
_MOST = 50_000  # events since the last evaluation; with more, everything is looked at
_ASSETS_AT_ONCE = 500  # that are read together, unless it is known that more are asked about
_NONE = Subset()

_CHECK_PLANNED = ("ASSET_CHECK_EVALUATION_PLANNED",)


class _Happened(msgspec.Struct, frozen=True):
    """An update of an entity, with the tags of its event."""

    event: int
    run_id: str | None
    partition: str | None
    tags: Mapping[str, str] = {}


class StoredFacts:
    """`Facts` of one instant, over a storage.

    Args:
        storage: Where the facts are.
        graph: The entities that are asked about.
        now: The instant, in seconds since the epoch.
    """

    def __init__(self, storage: Storage, graph: AutomationGraph, now: float) -> None:
        self._storage = storage
        self._backfills = BackfillFacts(storage.backfills)
        self._graph = graph
        self._now = now
        self._last_event = storage.events.last_id()
        self._at_work = AtWork(storage, self._backfills, self._last_event)
        self._spaces: dict[PartitionsSpec, KeySpace] = {}
        self._states: dict[str, AssetState] = {}
        self._checks: dict[str, CheckState] = {}
        self._read: set[str] = set()
        self._asked: list[str] = []
        self._order: dict[str, int] = {}
        self._ahead = 1
        self._positions_of: dict[int, dict[str, int | None]] = {}
        self._updated: dict[str, Subset] = {}
        self._letters: dict[str, dict[str, str]] = {}
        self._runs: dict[str, RunFacts | None] = {}
        self._after: int | None = None
        self._happened: dict[str, list[_Happened]] | None = None

    @property
    def now(self) -> float:
        """The instant."""
        return self._now

    @property
    def last_event(self) -> int:
        """The id of the newest event that is looked at."""
        return self._last_event

    # -- partitions ---------------------------------------------------------------------------------------------------

    def space(self, entity: Entity) -> KeySpace | None:
        """An entity's positions and keys; None where it has no partitions."""
        spec = entity.partitions
        if spec is None:
            return None
        if spec not in self._spaces:
            self._spaces[spec] = open_space(spec, self._storage.assets.dynamic_partitions, self._now)
        return self._spaces[spec]

    def space_state(self, entity: Entity) -> str:
        """A text that changes whenever the entity's partitions do."""
        space = self.space(entity)
        if space is None:
            return ""
        if isinstance(space, MultiSpace):
            return " ".join(f"{name} {self._state_of(each)}" for name, each in space.spaces.items())
        return self._state_of(space)

    def _state_of(self, space: KeySpace) -> str:
        count = space.count(self._now)
        if isinstance(space.spec, DynamicSpec):
            return digest(space.keys(0, count))
        return f"{count} {space.key(0)} {space.key(count - 1)}" if count else "0"

    def _positions(self, entity: Entity, keys: Iterable[str | None]) -> Subset:
        """The positions of keys, without those that the set does not have; an update of an asset without partitions
        counts whatever partition it names."""
        space = self.space(entity)
        if space is None:
            return ONE if any(True for _ in keys) else _NONE
        known = self._positions_of.setdefault(id(space), {})
        named = [key for key in keys if key is not None]
        new = [key for key in named if key not in known]
        if new:
            known.update(zip(new, space.positions(new), strict=True))
        return Subset.of(position for key in named if (position := known[key]) is not None)

    # -- what is read at once -----------------------------------------------------------------------------------------

    def prepare(self, entities: Iterable[str]) -> None:
        """Read the latest facts of these."""
        found = (self._graph.entities.get(key) for key in entities)
        assets = {_asset_of(entity) for entity in found if entity is not None and entity.kind is not Kind.JOB}
        self._read_states(sorted(assets - self._read))

    def _read_states(self, assets: Sequence[str]) -> None:
        if assets:
            self._states |= self._storage.assets.states(assets)
            if any(self._graph.entities[key].checks for key in assets):
                self._checks |= self._storage.assets.check_states(assets)
            self._read.update(assets)
            self._asked += assets

    def _need(self, asset: str) -> None:
        """Have an asset's latest facts read. Evaluations go through the graph in its order, so where one leads to
        others that were not foreseen, ever more of those that come next are read along."""
        if asset not in self._read:
            if not self._order:
                self._order = {key: at for at, key in enumerate(self._graph.assets)}
            self._ahead = min(2 * self._ahead, _ASSETS_AT_ONCE)
            start = self._order[asset]
            coming = self._graph.assets[start : start + self._ahead]
            self._read_states([key for key in coming if key not in self._read])

    def _state(self, entity: Entity) -> AssetState | None:
        self._need(entity.id)
        return self._states.get(entity.id)

    def _check(self, entity: Entity) -> CheckState | None:
        self._need(_asset_of(entity))
        return self._checks.get(entity.id.removeprefix("check "))

    def _partition_letters(self, entity: Entity) -> Mapping[str, str]:
        """The `PartitionLetter` of each partition of an asset of which anything is known."""
        if entity.id not in self._letters:
            found = self._storage.assets.partition_statuses({entity.id: 0}).get(entity.id)
            self._letters[entity.id] = {} if found is None else found.by_key()
        return self._letters[entity.id]

    def _read_updated(self, entity: Entity) -> None:
        """Read which partitions of an asset were ever made, together with those of others that will be asked about."""
        wanted = [entity.id]
        while self._asked and len(wanted) < _ASSETS_AT_ONCE:
            other = self._graph.entities[self._asked.pop()]
            if other.partitions is not None and not other.observed and other.id not in self._updated:
                wanted.append(other.id)
        found = self._storage.assets.partition_statuses(dict.fromkeys(wanted, 0))
        for key in wanted:
            letters = found[key].by_key() if key in found else {}
            made = (partition for partition, letter in letters.items() if letter in EVER_MATERIALIZED)
            self._updated[key] = self._positions(self._graph.entities[key], made)

    # -- what happened ------------------------------------------------------------------------------------------------

    def changed(self, after: int, updated: Mapping[str, Subset]) -> Iterable[str] | None:
        """The ids of those that something happened to after the event `after`; None where that may be any."""
        found: set[str] = set()
        wiped: set[str] = set()
        ended: list[str] = []
        happened: dict[str, list[_Happened]] = {}
        seen = after
        for _ in range(_MOST // _PAGE):
            page = self._storage.events.of_types(_TYPES, after=seen, before=self._last_event + 1, limit=_PAGE)
            for stored in page:
                match stored.event.fact:
                    case AssetMaterializationPlanned(asset=asset):
                        found.add(asset)
                    case AssetMaterialization() | AssetObservation() as fact:
                        found.add(fact.asset)
                        entity = self._graph.entities.get(fact.asset)
                        if entity is not None and isinstance(fact, AssetObservation) == entity.observed:
                            new = _Happened(stored.id, stored.run_id, fact.partition, fact.tags)
                            happened.setdefault(fact.asset, []).append(new)
                    case AssetCheckEvaluationPlanned() as planned:
                        found.add(check_id(f"{planned.asset}:{planned.check}"))
                    case AssetCheckEvaluation() as fact:
                        key = check_id(f"{fact.asset}:{fact.check}")
                        found.add(key)
                        happened.setdefault(key, []).append(_Happened(stored.id, stored.run_id, fact.partition))
                    case AssetWiped(asset=asset):
                        found.add(asset)
                        wiped.add(asset)
                    case _:
                        if stored.run_id is not None:
                            ended.append(stored.run_id)
            if len(page) < _PAGE:
                break
            seen = page[-1].id
        else:
            return None
        for planned_asset in self._storage.assets.planned(ended) if ended else ():
            found.add(planned_asset.asset)
        for asset in list(found):
            # With a run's end its open checks end, too.
            entity = self._graph.entities.get(asset)
            if entity is not None and ended:
                found.update(entity.checks)
        last = self._storage.events.get(after)
        found.update(self._backfills.assets(0.0 if last is None else last.event.time))
        self._after, self._happened = after, happened
        self._updated = {key: each for key, each in updated.items() if key not in wiped}
        for key in happened.keys() & self._updated.keys():
            since = self._positions(self._graph.entities[key], (each.partition for each in happened[key]))
            self._updated[key] = self._updated[key].union(since)
        return found

    def all_updated(self) -> Mapping[str, Subset]:
        """Of partitioned entities, the partitions that were ever updated, as far as that was asked or is known."""
        return self._updated

    def _events(self, entity: Entity, after: int) -> Sequence[_Happened]:
        """What counts as an update of an entity after an event, oldest first."""
        if self._happened is not None and self._after == after:
            return self._happened.get(entity.id, ())
        if entity.kind is Kind.JOB:
            return ()
        if entity.kind is Kind.CHECK:
            types, asset, check = ("ASSET_CHECK_EVALUATION",), _asset_of(entity), entity.id.rpartition(":")[2]
        else:
            types, asset, check = (_type_of(entity),), entity.id, None
        found: list[_Happened] = []
        seen = after
        while True:
            page = self._storage.assets.history(
                asset, types=types, after=seen, before=self._last_event + 1, ascending=True, limit=_PAGE
            )
            for each in page:
                fact = each.fact
                if isinstance(fact, AssetCheckEvaluation):
                    if fact.check == check:
                        found.append(_Happened(each.id, each.run_id, fact.partition))
                elif isinstance(fact, AssetMaterialization | AssetObservation):
                    found.append(_Happened(each.id, each.run_id, fact.partition, fact.tags))
            if len(page) < _PAGE:
                return found
            seen = page[-1].id

    def updates(self, entity: Entity, after: int) -> Sequence[Update]:
        """Updates after the event `after`, oldest first."""
        return [
            Update(position=position, event=each.event, run_id=each.run_id)
            for each in self._events(entity, after)
            for position in self._positions(entity, (each.partition,))
        ]

    def data_version_changed(self, entity: Entity, after: int) -> Subset:
        """The partitions whose data version is another one than at the event `after`."""
        newest: dict[int, _Happened] = {}
        for each in self._events(entity, after):
            for position in self._positions(entity, (each.partition,)):
                newest[position] = each
        return Subset.of(
            position
            for position, each in newest.items()
            if _version(each.tags, each.event) != self._version_at(entity, each, after)
        )

    def _version_at(self, entity: Entity, each: _Happened, event: int) -> str | None:
        """The data version of a partition as of an event; None where it was never updated before."""
        partition = None if entity.partitions is None else each.partition
        found = self._storage.assets.history(
            entity.id, types=(_type_of(entity),), partition=partition, before=event + 1, limit=1
        )
        fact = found[0].fact if found else None
        return _version(fact.tags, found[0].id) if isinstance(fact, AssetMaterialization | AssetObservation) else None

    # -- how things stand ---------------------------------------------------------------------------------------------

    def updated(self, entity: Entity) -> Subset:
        """The partitions that were ever updated."""
        if entity.kind is Kind.CHECK:
            return self._evaluated(entity)
        if entity.partitions is None:
            state = self._state(entity)
            event = None if state is None else state.observed_event if entity.observed else state.materialized_event
            return ONE if event is not None else _NONE
        if entity.id not in self._updated:
            if entity.observed:
                self._updated[entity.id] = self._observed(entity)
            else:
                self._read_updated(entity)
        return self._updated[entity.id]

    def _observed(self, entity: Entity) -> Subset:
        space = self.space(entity)
        assert space is not None
        keys = space.keys(0, space.count(self._now))
        history = self._storage.assets.history
        return Subset.of(
            position
            for position, key in enumerate(keys)
            if history(entity.id, types=("ASSET_OBSERVATION",), partition=key, limit=1)
        )

    def _evaluated(self, entity: Entity) -> Subset:
        state = self._check(entity)
        if state is None:
            return _NONE
        states = [state]
        if state.evaluation is None or entity.partitions is not None:
            states = self._check_history(entity)
        return self._positions(entity, (each.evaluation.partition for each in states if each.evaluation is not None))

    def _check_history(self, entity: Entity) -> list[CheckState]:
        asset, _, name = entity.id.removeprefix("check ").rpartition(":")
        return self._storage.assets.check_history(asset, name, limit=_PAGE)

    def in_progress(self, entity: Entity, *, backfill: bool) -> Subset:
        """The partitions that an unended run is to update; with `backfill`, only runs of backfills count, and what
        backfills have not begun yet."""
        planned: Sequence[tuple[str | None, str]]
        match entity.kind:
            case Kind.ASSET:
                planned = self._at_work.planned(entity.id)
            case Kind.CHECK:
                state = self._check(entity)
                running = state is not None and state.status == "IN_PROGRESS" and state.run_id is not None
                planned = [(None, state.run_id)] if running and state is not None and state.run_id is not None else []
            case Kind.JOB:
                planned = [(run.partition, run.run_id) for run in self._unended(entity)]
        found = [partition for partition, run_id in planned if not backfill or self._is_backfill(run_id)]
        if backfill and entity.kind is Kind.ASSET:
            found += self._backfills.waiting(entity.id)
        return self._positions(entity, found) if found else _NONE

    def _unended(self, entity: Entity) -> Iterable[Run]:
        statuses = tuple(status for status in RunStatus if status not in FINISHED)
        where = RunFilter(job=entity.id.removeprefix("job "), statuses=statuses)
        return self._storage.runs.page(where, limit=_PAGE)

    def _is_backfill(self, run_id: str) -> bool:
        run = self.run(run_id)
        return run is not None and Tag.BACKFILL in run.tags

    def failed(self, entity: Entity) -> Subset:
        """The partitions whose last announced update ended without one."""
        match entity.kind:
            case Kind.ASSET if entity.partitions is not None:
                letters = self._partition_letters(entity)
                failed = (key for key, letter in letters.items() if letter in LETTERS[PartitionStatus.FAILED])
                return self._positions(entity, failed)
            case Kind.ASSET:
                state = self._state(entity)
                if state is None or state.failed_at is None or state.planned_run is not None:
                    return _NONE
                made = state.materialized_at
                return ONE if made is None or made <= state.failed_at else _NONE
            case Kind.CHECK:
                check = self._check(entity)
                return self._positions(entity, (None,) if check and check.status == "EXECUTION_FAILED" else ())
            case Kind.JOB:
                where = RunFilter(job=entity.id.removeprefix("job "), statuses=tuple(FINISHED))
                last = self._storage.runs.page(where, limit=1)
                return self._positions(
                    entity, [each.partition for each in last if each.status is not RunStatus.SUCCESS]
                )

    def latest_runs(self, entity: Entity, among: Subset) -> Mapping[int, str]:
        """For each of these partitions that a run has updated, the last such run."""
        found: dict[int, str | None] = {}
        if not among or entity.kind is Kind.JOB:
            return {}
        if entity.kind is Kind.CHECK:
            check = self._check(entity)
            found = dict.fromkeys(among, check.run_id if check is not None else None)
        elif entity.partitions is None and not entity.observed:
            state = self._state(entity)
            found = {0: state.materialized_run if state is not None else None}
        else:
            # The newest update tells, and of most that are asked about it is one of those that have just happened.
            for each in (self._happened or {}).get(entity.id, ()):
                found |= dict.fromkeys(self._positions(entity, (each.partition,)), each.run_id)
            found = {position: run_id for position, run_id in found.items() if position in among}
            space = self.space(entity)
            others = (position for position in among if position not in found)
            keys = {position: None if space is None else space.key(position) for position in others}
            named = [] if entity.observed else [key for key in keys.values() if key is not None]
            states = self._storage.assets.partition_states(entity.id, named) if named else {}
            for position, key in keys.items():
                found[position] = self._latest_run(entity, key, None if key is None else states.get(key))
        return {position: run_id for position, run_id in found.items() if run_id is not None}

    def _latest_run(self, entity: Entity, partition: str | None, state: PartitionState | None) -> str | None:
        if state is not None and state.status is PartitionStatus.MATERIALIZED:
            return state.run_id
        last = self._storage.assets.history(entity.id, types=(_type_of(entity),), partition=partition, limit=1)
        return last[0].run_id if last else None

    def run(self, run_id: str) -> RunFacts | None:
        """What is known of a run; None when it was removed."""
        if run_id not in self._runs:
            run = self._storage.runs.get(run_id)
            self._runs[run_id] = None if run is None else RunFacts(tags=run.tags, targets=self._targets(run))
        return self._runs[run_id]

    def _targets(self, run: Run) -> frozenset[str]:
        assets = {each.asset for each in self._storage.assets.planned([run.run_id])}
        checks: Iterable[str] | None = run.checks
        if checks is None and run.assets is None:  # all that its job has, which may be less than there is here
            planned = (each.event.fact for each in self._storage.events.of_run(run.run_id, types=_CHECK_PLANNED))
            checks = [f"{fact.asset}:{fact.check}" for fact in planned if isinstance(fact, AssetCheckEvaluationPlanned)]
        if checks is not None:
            return frozenset(assets | {check_id(key) for key in checks})
        entities = (self._graph.entities.get(key) for key in assets)
        return frozenset(assets | {check for each in entities if each is not None for check in each.checks})

    def check_results(self, entity: Entity, *, passed: bool) -> Subset:
        """The partitions of a check whose last evaluation passed, or did not."""
        wanted = "SUCCEEDED" if passed else "FAILED"
        state = self._check(entity)
        if entity.partitions is None:
            return ONE if state is not None and state.status == wanted else _NONE
        latest: dict[str | None, str] = {}
        for each in self._check_history(entity) if state is not None else ():
            if each.evaluation is not None:
                latest.setdefault(each.evaluation.partition, each.status)
        return self._positions(entity, (key for key, status in latest.items() if status == wanted))

    def freshness(self, entity: Entity) -> tuple[str | None, float | None]:
        """UNKNOWN, PASS, WARN or FAIL, and when that changes by time alone."""
        policy = entity.freshness
        if policy is None:
            return None, None
        made = made_at(self._state(entity), materializable=entity.materializable)
        return freshness_of(policy, made, self._now).value, turns_at(policy, made, self._now)


def _asset_of(entity: Entity) -> str:
    return entity.id if entity.kind is Kind.ASSET else entity.id.removeprefix("check ").rpartition(":")[0]


def _type_of(entity: Entity) -> str:
    return "ASSET_OBSERVATION" if entity.observed else "ASSET_MATERIALIZATION"


def _version(tags: Mapping[str, str], event: int) -> str:
    return tags.get(VersionTag.DATA_VERSION, str(event))
