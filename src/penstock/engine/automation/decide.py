"""Decides a tick of automation: the graph, the facts and the last cursor in; what to request and a new cursor out.

Only what may have changed is evaluated: conditions that look at something that happened since the last cursor, or at a
set of partitions that has others now; whose cron text was due; that ask how fresh something is that has become older
than it may be; and that are new. All others came to what they would come to now. Where the next evaluation would come
to something else by itself, because something was new, the cursor says so by `unsettled`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from ...codec import digest
from ...partitions.cron import next_after, parse
from ...partitions.multi_space import MultiSpace
from ...partitions.spec import DynamicSpec, TimeWindowSpec
from ...partitions.subset import Subset
from ...partitions.time_space import TimeSpace
from .alike import Alike
from .context import evaluate_custom
from .cursor import Cursor, RootMemory
from .evaluation import Evaluated, Tick
from .facts import Facts
from .graph import AutomationGraph, Entity
from .operators import OPERATORS
from .questions import QUESTIONS
from .view import NONE, View

if TYPE_CHECKING:
    from logging import Logger

__all__ = ["Decision", "decide"]

_PARTS = {**QUESTIONS, **OPERATORS}

_RANGES = 20  # more than these are read again when they are asked for


class Decision(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What a tick came to.

    Args:
        requested: The partitions to update, by entity; what cannot but be made along is there too.
        cursor: For the next tick.
        evaluated: For each entity whose condition was evaluated, what it came to. That may be told by another one's
            names, see `alike.py`; of those that have it in common, that one comes first.
        until: When something may come to something else although nothing happens, in seconds since the epoch; not
            after now where that is at the next evaluation, and None if it is never.
        view: The graph at the instant of the tick.
    """

    requested: Mapping[str, Subset]
    cursor: Cursor
    evaluated: Mapping[str, Evaluated]
    until: float | None
    view: View


def decide(
    graph: AutomationGraph,
    facts: Facts,
    cursor: Cursor | None = None,
    *,
    among: Collection[str] | None = None,
    log: Logger | None = None,
    definitions: Any = None,
) -> Decision:
    """Evaluate the conditions of a graph.

    Args:
        graph: The entities with their conditions.
        facts: What is known of them, as of one instant.
        cursor: What the last evaluation handed on; None at the first.
        among: The entities whose conditions count; all if not given.
        log: Where users' own conditions log.
        definitions: The asset graph as users' own conditions see it.

    Raises:
        DefinitionError: A condition asks for what there is not. What a user's own condition raises comes through.
    """
    view = View(graph, facts)
    roots = [each for each in graph.roots.values() if among is None or each.id in among]
    memories = {} if cursor is None else cursor.roots
    requested_before = _requested_before(view, memories)
    tick = Tick(
        view=view,
        parts=_PARTS,
        custom=evaluate_custom,
        previous_time=None if cursor is None else cursor.time,
        previous_event=0 if cursor is None else cursor.event,
        previously_requested=requested_before,
        requested={},
        evaluation=1 if cursor is None else cursor.evaluation + 1,
        log=log,
        definitions=definitions,
    )
    sets = {
        name: digest(facts.space_state(graph.entities[entities[0]])) for name, entities in graph.partition_sets.items()
    }
    waking = _waking(tick, cursor, sets, roots)
    facts.prepare(_looked_at(graph, waking))
    alike = Alike(tick)
    kept: dict[str, RootMemory] = {}
    evaluated: dict[str, Evaluated] = {}
    for root in roots:
        assert root.condition is not None
        own_digest = graph.digest_of(root.condition)
        memory = memories.get(root.id)
        if memory is not None and memory.digest == own_digest and root.id not in waking:
            kept[root.id] = memory
            true = requested_before.get(root.id, NONE)
        else:
            known = memory if memory is not None and memory.digest == own_digest else None
            evaluated[root.id], kept[root.id] = alike.evaluate(root, known)
            true = evaluated[root.id].true
        if true:
            _request(tick, root, true, waking)
    return Decision(
        requested=tick.requested,
        cursor=Cursor(
            time=facts.now,
            event=facts.last_event,
            evaluation=tick.evaluation,
            graph=graph.fingerprint,
            sets=sets,
            updated=_kept_updated(view),
            roots=kept,
        ),
        evaluated=evaluated,
        until=facts.now if tick.requested else _until(view, kept),
        view=view,
    )


def _request(tick: Tick, root: Entity, true: Subset, waking: set[str]) -> None:
    """Those after it whose conditions look at it may now come to something else."""
    for key in (root.id, *root.siblings):
        present = tick.requested.get(key)
        tick.requested[key] = true if present is None else present.union(true)
        waking.update(tick.graph.watchers.get(key, ()))


def _waking(tick: Tick, cursor: Cursor | None, sets: Mapping[str, str], roots: Iterable[Entity]) -> set[str]:
    """The entities whose conditions may come to something else than at the last evaluation."""
    graph, facts = tick.graph, tick.facts
    if cursor is None:
        return {root.id for root in roots}
    other_sets = [name for name, state in sets.items() if cursor.sets.get(name) != state]
    is_same_graph = cursor.graph == graph.fingerprint
    changed = facts.changed(cursor.event, _known_updated(tick.view, cursor, other_sets) if is_same_graph else {})
    if changed is None or not is_same_graph:
        return {root.id for root in roots}
    now = facts.now
    waking = {
        key
        for key, memory in cursor.roots.items()
        if memory.unsettled or (memory.turns is not None and memory.turns <= now)
    }
    waking |= graph.restless
    waking.update(root.id for root in roots if root.id not in cursor.roots)
    of_other_sets = (key for name in other_sets for key in graph.partition_sets[name])
    for key in (*changed, *tick.previously_requested, *of_other_sets):
        waking.update(graph.watchers.get(key, ()))
    for (schedule, timezone), watching in graph.crons.items():
        if tick.cron_passed(schedule, timezone):
            waking.update(watching)
    return waking


def _until(view: View, kept: Mapping[str, RootMemory]) -> float | None:
    """When something that was left alone may come to something else by time alone."""
    graph, now = view.graph, view.facts.now
    if not graph.restless.isdisjoint(kept) or any(memory.unsettled for memory in kept.values()):
        return now
    instants = [memory.turns for memory in kept.values() if memory.turns is not None]
    for (schedule, timezone), watching in graph.crons.items():
        if not kept.keys().isdisjoint(watching):
            instants.append(next_after(parse(schedule), now, timezone))
    for entities in graph.partition_sets.values():
        space = view.space(graph.entities[entities[0]])
        for each in space.spaces.values() if isinstance(space, MultiSpace) else (space,):
            if isinstance(each, TimeSpace) and (grows_at := each.grows_at(now)) is not None:
                instants.append(grows_at)
            elif each is not None and isinstance(each.spec, DynamicSpec):
                return now  # no event tells that a key was added
    return min(instants, default=None)


def _known_updated(view: View, cursor: Cursor, other_sets: Collection[str]) -> dict[str, Subset]:
    """What was updated by the last evaluation, where that still says which partitions: windows of time are only added
    to their set, while a key of another one may have gone and come back since."""
    graph = view.graph
    unsure = {
        key
        for name in other_sets
        for key in graph.partition_sets[name]
        if name not in cursor.sets or not isinstance(graph.entities[key].partitions, TimeWindowSpec)
    }
    entities = ((graph.entities.get(key), keys) for key, keys in cursor.updated.items() if key not in unsure)
    return {
        entity.id: view.subset(entity, keys)
        for entity, keys in entities
        if entity is not None and entity.partitions is not None
    }


def _kept_updated(view: View) -> dict[str, tuple[str, ...]]:
    """What is known to be updated, where few texts say so."""
    known = view.facts.all_updated()
    entities = (view.graph.entities[key] for key in known)
    found = {each.id: view.keys(each, known[each.id]) for each in entities if len(known[each.id].ranges) <= _RANGES}
    return {key: keys for key, keys in found.items() if len(keys) <= _RANGES}


def _looked_at(graph: AutomationGraph, waking: set[str]) -> set[str]:
    if len(waking) == len(graph.roots):
        return set(graph.watchers)
    return {key for key, watching in graph.watchers.items() if not waking.isdisjoint(watching)}


def _requested_before(view: View, memories: Mapping[str, RootMemory]) -> dict[str, Subset]:
    found: dict[str, Subset] = {}
    for key, memory in memories.items():
        entity = view.graph.entities.get(key)
        if entity is not None and memory.requested:
            subset = view.subset(entity, memory.requested)
            for each in (key, *entity.siblings):
                found[each] = found.get(each, NONE).union(subset)
    return found
