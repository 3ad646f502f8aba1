"""Evaluates automation conditions: for tests in memory, and at a sensor's tick for the deployment."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from ..clock import SYSTEM_CLOCK
from ..definitions.assets.selection import AssetSelection, CoercibleToAssetSelection
from ..definitions.automation.automation_sensor import AutomationConditionSensorDefinition
from ..definitions.definitions import Definitions
from ..definitions.resolution import Resolution
from ..engine.automation.context import EntitySubset
from ..engine.automation.cursor import Cursor
from ..engine.automation.decide import Decision, decide
from ..engine.automation.explain import explain
from ..engine.automation.graph import AutomationGraph
from ..engine.automation.requests import backfill_request, run_requests
from ..partitions.definition import keys_of
from ..partitions.loading import partition_loading_context, seconds
from ..plan.automation import prepared_graph
from ..records.automation import BackfillRequestRecord, RunRequestRecord
from ..records.conditions.entity import check_id, entity_id, job_id
from ..records.conditions.evaluation import ConditionEvaluation, EvaluationRecord, render
from ..records.keys import AssetCheckKey, CoercibleToAssetKey
from ..records.run import Tag
from ..storage.protocols import Storage
from .automation_facts import StoredFacts
from .step_partitions import StoredDynamicPartitions

if TYPE_CHECKING:
    from logging import Logger

    from .api import AnInstance

__all__ = [
    "AutomationTick",
    "EvaluateAutomationConditionsResult",
    "evaluate_automation_conditions",
    "evaluate_automation_sensor",
]

_KEPT = 1_000
"""So many evaluations of one tick are kept of those that requested nothing."""
_PARTS = 10_000
"""So many parts of conditions are explained in full, and the rest in short: a tick's answer stays small. What came to
the same is explained once."""
_LONGEST_REST = 3600.0


class EvaluateAutomationConditionsResult:
    """What an evaluation of automation conditions came to.

    Attributes:
        cursor: What the next evaluation gets as its cursor.
        results: For each asset, check or job whose condition was evaluated, what it came to. Where nothing has
            happened that a condition looks at, it is as it was and not evaluated again.
    """

    def __init__(self, decision: Decision) -> None:
        self._decision = decision
        self.cursor = decision.cursor.to_text()
        of_each = {
            each.entity: each for alike in evaluation_records(decision, decision.evaluated) for each in alike.each()
        }
        self.results = [of_each[key] for key in decision.evaluated]

    @property
    def total_requested(self) -> int:
        """How many partitions were requested in all; what has no partitions counts as one."""
        return sum(len(each) for each in self._decision.requested.values())

    @property
    def requested_subsets(self) -> list[EntitySubset]:
        """The requested partitions of each asset and check."""
        view = self._decision.view
        return [EntitySubset(view, view.graph.entities[key], each) for key, each in self._decision.requested.items()]

    def get_requested_partitions(self, asset_key: CoercibleToAssetKey | AssetCheckKey) -> set[str | None]:
        """The keys of the requested partitions of an asset or check; None stands for what has no partitions."""
        entity = self._decision.view.graph.entities.get(entity_id(asset_key))
        requested = self._decision.requested.get(entity_id(asset_key))
        if entity is None or not requested:
            return set()
        space = self._decision.view.space(entity)
        return {None} if space is None else set(keys_of(space, requested))

    def get_num_requested(self, asset_key: CoercibleToAssetKey | AssetCheckKey) -> int:
        """How many partitions of an asset or check were requested."""
        return len(self._decision.requested.get(entity_id(asset_key), ()))

    def is_job_requested(self, job_name: str) -> bool:
        """Whether a run of a job was requested."""
        return job_id(job_name) in self._decision.requested

    @property
    def run_requests(self) -> list[RunRequestRecord]:
        """The runs that a deployment would make whose sensor makes no backfills."""
        return run_requests(self._decision.view, self._decision.requested, {})

    def explain(self, key: CoercibleToAssetKey | AssetCheckKey | None = None) -> str:
        """What conditions came to, part by part, as text.

        Args:
            key: The asset or check; all that were evaluated if not given.
        """
        wanted = None if key is None else entity_id(key)
        texts = [render(each.root) for each in self.results if wanted is None or each.entity == wanted]
        if not texts and wanted is not None:
            return f"{wanted} was not evaluated: it has no condition, or nothing has happened that it looks at."
        return "\n\n".join(texts)

    def __repr__(self) -> str:
        return f"EvaluateAutomationConditionsResult({self.total_requested} requested)"


def evaluate_automation_conditions(
    defs: Definitions | Sequence[Any],
    instance: AnInstance,
    asset_selection: CoercibleToAssetSelection = None,
    evaluation_time: datetime | None = None,
    cursor: str | None = None,
) -> EvaluateAutomationConditionsResult:
    """Evaluate automation conditions once, as a deployment would at a tick, without making runs.

    Args:
        defs: The definitions, or a list of assets and checks.
        instance: Holds what happened to the assets.
        asset_selection: The assets whose conditions are evaluated, with their checks; all assets, checks and jobs if
            not given.
        evaluation_time: The instant of the evaluation; now if not given. Without a time zone it is read as UTC.
        cursor: The cursor of the last result; the first evaluation has none.

    Raises:
        DefinitionError: The definitions do not fit together, or the cursor is none.
    """
    definitions = defs if isinstance(defs, Definitions) else Definitions(assets=defs)
    resolved = definitions.resolved
    among = None
    if asset_selection is not None:
        selection = AssetSelection.from_coercible(asset_selection)
        checks = {check_id(key) for key in selection.resolve_checks(resolved.asset_graph)}
        among = selection.keys_in(resolved.asset_graph) | checks
    graph = prepared_graph(resolved)
    now = getattr(instance, "clock", SYSTEM_CLOCK).now() if evaluation_time is None else seconds(evaluation_time)
    facts = StoredFacts(instance.storage, graph, now)
    with _partitions_as_of(now, instance.storage):
        decision = decide(graph, facts, Cursor.from_text(cursor), among=among, definitions=resolved.asset_graph)
    return EvaluateAutomationConditionsResult(decision)


class AutomationTick(msgspec.Struct, frozen=True, kw_only=True):
    """What a tick of an automation sensor comes to, and until when it need not be evaluated again, should nothing
    happen (seconds since the epoch)."""

    run_requests: tuple[RunRequestRecord, ...]
    backfill: BackfillRequestRecord | None
    cursor: str
    evaluations: tuple[EvaluationRecord, ...]
    until: float


def evaluate_automation_sensor(
    sensor: AutomationConditionSensorDefinition,
    resolved: Resolution,
    graph: AutomationGraph,
    *,
    storage: Storage,
    cursor: str | None,
    now: float,
    log: Logger | None = None,
) -> AutomationTick:
    """Evaluate the conditions of a sensor's assets, checks and jobs.

    Args:
        sensor: The sensor.
        resolved: The definitions that it is part of.
        graph: Their graph.
        storage: Holds what happened.
        cursor: The sensor's cursor.
        now: The instant, in seconds since the epoch.
        log: Where users' own conditions log.

    Raises:
        DefinitionError: The cursor is none.
        UserCodeError: A user's own condition gave no result; what it raises comes through.
    """
    with _partitions_as_of(now, storage):
        decision = decide(
            graph,
            StoredFacts(storage, graph, now),
            Cursor.from_text(cursor),
            among=resolved.automation.get(sensor.name, frozenset()),
            log=log,
            definitions=resolved.asset_graph,
        )
    tags = {
        **sensor.run_tags,
        Tag.FROM_AUTOMATION_CONDITION: "true",
        Tag.ASSET_EVALUATION_ID: str(decision.cursor.evaluation),
    }
    backfill, left = None, decision.requested
    if sensor.emit_backfills:
        backfill, left = backfill_request(decision.view, left, tags)
    return AutomationTick(
        run_requests=tuple(run_requests(decision.view, left, tags)),
        backfill=backfill,
        cursor=decision.cursor.to_text(),
        evaluations=tuple(evaluation_records(decision, _worth_keeping(decision))),
        until=_rests_until(decision, storage, now),
    )


def _rests_until(decision: Decision, storage: Storage, now: float) -> float:
    if storage.backfills.open():
        return now  # no event tells that one has ended
    return min(now + _LONGEST_REST, math.inf if decision.until is None else decision.until)


def _partitions_as_of(now: float, storage: Storage) -> AbstractContextManager[Any]:
    """What users' own mappings and conditions read partitions with."""
    return partition_loading_context(datetime.fromtimestamp(now, UTC), StoredDynamicPartitions(storage))


def evaluation_records(decision: Decision, entities: Iterable[str]) -> list[EvaluationRecord]:
    """What the conditions of these came to, as records: one for all that came to the same."""
    cursor, kin = decision.cursor, decision.view.graph.kin
    same: dict[int, list[str]] = {}
    for key in entities:
        same.setdefault(id(decision.evaluated[key]), []).append(key)
    left = _PARTS
    found = []
    for first, *others in same.values():
        evaluated = decision.evaluated[first]
        assert evaluated.entity.id == first, "it tells what it came to by its own names"
        root = explain(decision.view, evaluated, in_short=left <= 0)
        left -= _size(root) if left > 0 else 0
        found.append(
            EvaluationRecord(
                entity=first,
                evaluation=cursor.evaluation,
                time=cursor.time,
                requested=len(evaluated.true),
                root=root,
                ids=kin[first].ids if others else (),
                alike=tuple([kin[key].ids for key in others]),
            )
        )
    return found


def _size(evaluation: ConditionEvaluation) -> int:
    return 1 + sum(map(_size, evaluation.children))


def _worth_keeping(decision: Decision) -> Iterable[str]:
    """Those whose evaluation is kept: all that requested something, and then so many others."""
    others = (key for key, each in decision.evaluated.items() if not each.true)
    return [*(key for key, each in decision.evaluated.items() if each.true), *islice(others, _KEPT)]
