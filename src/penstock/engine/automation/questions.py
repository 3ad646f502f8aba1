"""What conditions come to that ask about the asset, check or job itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...errors import DefinitionError
from ...partitions.multi_space import MultiSpace
from ...partitions.space import KeySpace
from ...partitions.subset import Subset
from ...partitions.time_space import TimeSpace
from ...records.conditions.nodes import (
    BackfillInProgress,
    CheckResultIs,
    CodeVersionChanged,
    CronTickPassed,
    DataVersionChanged,
    ExecutionFailed,
    FreshnessIs,
    InitialEvaluation,
    InLatestTimeWindow,
    LatestRunTags,
    Missing,
    NewlyRequested,
    NewlyUpdated,
    NewUpdateTags,
    RootTarget,
    RunInProgress,
    WillBeRequested,
)
from .evaluation import Asked, Evaluated, Part, Question
from .facts import RunFacts, Update
from .graph import Kind
from .view import NONE

__all__ = ["QUESTIONS"]


# -- true as long as nothing happens -----------------------------------------------------------------------------------


def _missing(asked: Asked) -> Subset:
    return asked.full.difference(asked.facts.updated(asked.entity))


def _run_in_progress(asked: Asked) -> Subset:
    return asked.facts.in_progress(asked.entity, backfill=False)


def _backfill_in_progress(asked: Asked) -> Subset:
    return asked.facts.in_progress(asked.entity, backfill=True)


def _execution_failed(asked: Asked) -> Subset:
    return asked.facts.failed(asked.entity)


def _in_latest_time_window(asked: Asked) -> Subset:
    space, now, lookback = asked.view.space(asked.entity), asked.facts.now, asked.condition.lookback
    if isinstance(space, TimeSpace):
        found: Subset = asked.view.once(("latest", id(space), lookback), lambda: _latest(space, now, lookback))
        return found
    if isinstance(space, MultiSpace):
        latest = {name: _latest(each, now, lookback) for name, each in space.spaces.items()}
        return space.product(latest)
    return asked.full


def _latest(space: KeySpace, now: float, lookback: float | None) -> Subset:
    count = space.count(now)
    if not isinstance(space, TimeSpace) or not count:
        return Subset.span(0, count)
    if lookback is None:
        return Subset.span(count - 1, count)
    # The first window that begins at or after the moment that lies so long before the end of the latest one.
    earliest = space.ends(count - 1) - lookback
    first = space.containing(earliest)
    if space.begins(first) < earliest:
        first += 1
    return Subset.span(max(first, 0), count)


def _check_result(asked: Asked) -> Subset:
    if asked.entity.kind is not Kind.CHECK:
        raise DefinitionError(
            f"The condition of {asked.root.entity.id} asks whether {asked.entity.id} passed, but that is no check; ask "
            "it of checks, for example with any_checks_match."
        )
    return asked.facts.check_results(asked.entity, passed=asked.condition.passed)


def _freshness(asked: Asked) -> Subset:
    state, turns = asked.facts.freshness(asked.entity)
    if turns is not None:
        asked.root.turns = turns if asked.root.turns is None else min(turns, asked.root.turns)
    return asked.full if state == asked.condition.state else NONE


def _root_target(asked: Asked) -> Subset:
    own = asked.root.entity.id
    return _by_latest_run(asked, lambda run: own in run.targets)


def _latest_run_tags(asked: Asked) -> Subset:
    return _by_latest_run(asked, lambda run: asked.condition.holds(run.tags))


def _by_latest_run(asked: Asked, matches: Callable[[RunFacts], bool]) -> Subset:
    known: dict[str, bool] = {}
    positions = []
    entity, candidates = asked.entity, asked.candidates
    latest = asked.view.once(
        ("latest runs", entity.id, candidates), lambda: asked.facts.latest_runs(entity, candidates)
    )
    for position, run_id in latest.items():
        if run_id not in known:
            run = asked.facts.run(run_id)
            known[run_id] = run is not None and matches(run)
        if known[run_id]:
            positions.append(position)
    return Subset.of(positions)


# -- true at one evaluation, and not at the next one if nothing happens in between -------------------------------------


def _newly_updated(asked: Asked) -> Subset:
    return Subset.of(each.position for each in _updates(asked))


def _newly_requested(asked: Asked) -> Subset:
    root = asked.root
    return NONE if root.is_first else root.tick.previously_requested.get(asked.entity.id, NONE)


def _will_be_requested(asked: Asked) -> Subset:
    # What has other partitions cannot be updated by the same run, so it has to wait.
    if asked.entity.partitions != asked.root.entity.partitions:
        return NONE
    return asked.root.tick.requested.get(asked.entity.id, NONE)


def _initial_evaluation(asked: Asked) -> Subset:
    return asked.full if asked.root.is_first else NONE


def _cron_tick_passed(asked: Asked) -> Subset:
    cron = asked.condition
    passed = not asked.root.is_first and asked.root.tick.cron_passed(cron.cron_schedule, cron.cron_timezone)
    return asked.full if passed else NONE


def _code_version_changed(asked: Asked) -> Subset:
    place = asked.place
    present = asked.root.new_values[place] = asked.entity.code_version or ""
    return NONE if asked.root.values.get(place, present) == present else asked.full


def _data_version_changed(asked: Asked) -> Subset:
    root = asked.root
    return NONE if root.is_first else asked.facts.data_version_changed(asked.entity, root.tick.previous_event)


def _new_update_tags(asked: Asked) -> Subset:
    matching: dict[int, list[bool]] = {}
    for update in _updates(asked):
        run = asked.facts.run(update.run_id) if update.run_id is not None else None
        matching.setdefault(update.position, []).append(run is not None and asked.condition.holds(run.tags))
    wanted = all if asked.condition.every else any
    return Subset.of(position for position, each in matching.items() if wanted(each))


def _updates(asked: Asked) -> list[Update]:
    """What happened since the last evaluation; at the first, nothing is new."""
    root = asked.root
    return [] if root.is_first else list(asked.facts.updates(asked.entity, root.tick.previous_event))


def _lasting(question: Question) -> Part:
    def part(asked: Asked) -> Evaluated:
        candidates = asked.candidates
        true = asked.root.ask(question, asked).intersection(candidates) if candidates.ranges else NONE
        return asked.answer(true, true)

    return part


def _momentary(question: Question) -> Part:
    def part(asked: Asked) -> Evaluated:
        # Also without candidates: what it remembers has to be kept.
        return asked.answer(asked.root.ask(question, asked).intersection(asked.candidates) or NONE, NONE)

    return part


QUESTIONS: Mapping[type, Part] = {
    Missing: _lasting(_missing),
    RunInProgress: _lasting(_run_in_progress),
    BackfillInProgress: _lasting(_backfill_in_progress),
    ExecutionFailed: _lasting(_execution_failed),
    InLatestTimeWindow: _lasting(_in_latest_time_window),
    CheckResultIs: _lasting(_check_result),
    FreshnessIs: _lasting(_freshness),
    RootTarget: _lasting(_root_target),
    LatestRunTags: _lasting(_latest_run_tags),
    NewlyUpdated: _momentary(_newly_updated),
    NewlyRequested: _momentary(_newly_requested),
    WillBeRequested: _momentary(_will_be_requested),
    InitialEvaluation: _momentary(_initial_evaluation),
    CronTickPassed: _momentary(_cron_tick_passed),
    CodeVersionChanged: _momentary(_code_version_changed),
    DataVersionChanged: _momentary(_data_version_changed),
    NewUpdateTags: _momentary(_new_update_tags),
}
"""By class of condition, what answers for it."""
