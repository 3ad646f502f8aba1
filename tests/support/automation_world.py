"""A world of assets for tests of automation: what happened is a list, and every question walks all of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from penstock.engine.automation.facts import ONE, RunFacts, Update
from penstock.engine.automation.graph import AutomationGraph, Entity
from penstock.engine.freshness import freshness_of, turns_at
from penstock.partitions.space import KeySpace, open_space
from penstock.partitions.subset import Subset

__all__ = ["World"]


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened: `what` is update, plan, end, fail or check."""

    event: int
    what: str
    entity: str
    position: int = 0
    run: str | None = None
    version: str = ""
    passed: bool = True
    time: float = 0.0


class World:
    """`Facts` of what was told to it so far.

    Args:
        graph: The entities.
        now: The instant; set it to go on.
    """

    def __init__(self, graph: AutomationGraph, now: float = 0.0) -> None:
        self.graph = graph
        self.now = now
        self.told: list[Happening] = []
        self.runs: dict[str, RunFacts] = {}
        self.tells_changes = True
        self.prepared: list[set[str]] = []

    # -- what happens -------------------------------------------------------------------------------------------------

    def _tell(self, what: str, entity: str, positions: Iterable[int], **more: object) -> None:
        for position in positions:
            event = self.last_event + 1
            self.told.append(
                Happening(event=event, what=what, entity=entity, position=position, time=self.now, **more)  # type: ignore[arg-type]
            )

    def update(self, entity: str, *positions: int, run: str | None = None, version: str | None = None) -> None:
        """A partition is updated; with its event's id as its version unless one is given."""
        self._tell("update", entity, positions or (0,), run=run, version=version or str(self.last_event + 1))

    def begin(
        self, run: str, *targets: str, positions: Sequence[int] = (0,), tags: Mapping[str, str] | None = None
    ) -> None:
        """A run begins that is to update these entities."""
        self.runs[run] = RunFacts(tags=tags or {}, targets=frozenset(targets))
        for target in targets:
            self._tell("plan", target, positions, run=run)

    def end(self, run: str, *, failed: bool = False) -> None:
        """A run ends; what it has not updated has failed, or was left out."""
        for planned in [each for each in self.told if each.what == "plan" and each.run == run]:
            made = any(
                each.what in {"update", "check"}
                and each.run == run
                and each.entity == planned.entity
                and each.position == planned.position
                for each in self.told
            )
            self._tell("fail" if failed and not made else "end", planned.entity, (planned.position,), run=run)

    def check(self, entity: str, passed: bool, *, run: str | None = None) -> None:
        """A check is evaluated."""
        self._tell("check", entity, (0,), passed=passed, run=run)

    # -- Facts --------------------------------------------------------------------------------------------------------

    @property
    def last_event(self) -> int:
        return self.told[-1].event if self.told else 0

    def space(self, entity: Entity) -> KeySpace | None:
        return None if entity.partitions is None else open_space(entity.partitions)

    def space_state(self, entity: Entity) -> str:
        space = self.space(entity)
        return "" if space is None else str(space.count(self.now))

    def prepare(self, entities: Iterable[str]) -> None:
        self.prepared.append(set(entities))

    def changed(self, after: int, updated: Mapping[str, Subset]) -> Iterable[str] | None:
        if not self.tells_changes:
            return None
        for key, then in updated.items():
            assert then == Subset.of(
                each.position for each in self._of(self.graph.entities[key], "update", "check") if each.event <= after
            )
        return {each.entity for each in self.told if each.event > after}

    def all_updated(self) -> Mapping[str, Subset]:
        return {key: self.updated(each) for key, each in self.graph.entities.items() if each.partitions is not None}

    def _of(self, entity: Entity, *what: str) -> list[Happening]:
        return [each for each in self.told if each.entity == entity.id and each.what in what]

    def updated(self, entity: Entity) -> Subset:
        return Subset.of(each.position for each in self._of(entity, "update", "check"))

    def updates(self, entity: Entity, after: int) -> Sequence[Update]:
        found = [each for each in self._of(entity, "update", "check") if each.event > after]
        return [Update(position=each.position, event=each.event, run_id=each.run) for each in found]

    def in_progress(self, entity: Entity, *, backfill: bool) -> Subset:
        over = {each.run for each in self._of(entity, "end", "fail")}
        made = {(each.run, each.position) for each in self._of(entity, "update", "check")}
        return Subset.of(
            each.position
            for each in self._of(entity, "plan")
            if each.run not in over
            and (each.run, each.position) not in made
            and (not backfill or "penstock/backfill" in self.runs[str(each.run)].tags)
        )

    def failed(self, entity: Entity) -> Subset:
        last: dict[int, str] = {}
        for each in self._of(entity, "update", "check", "fail", "plan"):
            last[each.position] = each.what
        return Subset.of(position for position, what in last.items() if what == "fail")

    def latest_runs(self, entity: Entity, among: Subset) -> Mapping[int, str]:
        last = {each.position: each.run for each in self._of(entity, "update", "check")}
        return {position: run for position, run in last.items() if run is not None and position in among}

    def run(self, run_id: str) -> RunFacts | None:
        return self.runs.get(run_id)

    def data_version_changed(self, entity: Entity, after: int) -> Subset:
        before: dict[int, str] = {}
        last: dict[int, str] = {}
        for each in self._of(entity, "update"):
            last[each.position] = each.version
            if each.event <= after:
                before[each.position] = each.version
        return Subset.of(position for position, version in last.items() if version != before.get(position))

    def check_results(self, entity: Entity, *, passed: bool) -> Subset:
        told = self._of(entity, "check")
        return ONE if told and told[-1].passed is passed else Subset()

    def freshness(self, entity: Entity) -> tuple[str | None, float | None]:
        if entity.freshness is None:
            return None, None
        made = max((each.time for each in self._of(entity, "update")), default=None)
        return freshness_of(entity.freshness, made, self.now).value, turns_at(entity.freshness, made, self.now)
