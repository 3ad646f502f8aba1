"""Automation conditions of assets and checks, and what they came to."""

from __future__ import annotations

from collections.abc import Iterator

from ...locations.catalog import CatalogLocation
from ...records.conditions.condition import AutomationCondition
from ...records.conditions.entity import check_id
from ...records.conditions.evaluation import ConditionEvaluation, StoredEvaluation, render
from .context import Context
from .failures import Result
from .fields import Fields
from .inputs import AssetCheckHandleInput, AssetKeyInput
from .nodes import AssetNode, CheckNode
from .pages import page_size

__all__ = ["TABLES"]

_QUERY = Fields("Query", source=type(None))
_ASSET = Fields("AssetNode", source=AssetNode)
_CHECK = Fields("AssetCheck", source=CheckNode)
_CONDITION = Fields("AutomationCondition", source=AutomationCondition)
_RECORD = Fields("AssetConditionEvaluationRecord", source=StoredEvaluation)

TABLES = (_QUERY, _ASSET, _CHECK, _CONDITION, _RECORD)

_ROOT = "0"


class AssetConditionEvaluationRecords(Result, frozen=True, kw_only=True):
    """A page of evaluations."""

    records: tuple[StoredEvaluation, ...]


class AutomationConditionEvaluationNode(Result, frozen=True, kw_only=True):
    """What a part of a condition came to; ids say the way down to it."""

    unique_id: str
    child_unique_ids: tuple[str, ...]
    expanded_label: tuple[str, ...]
    meaning: str
    entity: str
    operator_type: str
    is_partitioned: bool
    num_true: int
    num_candidates: int
    true_partitions: tuple[str, ...]


@_QUERY.field
def asset_condition_evaluation_records_or_error(
    _source: None,
    context: Context,
    limit: int,
    asset_key: AssetKeyInput | None = None,
    asset_check_key: AssetCheckHandleInput | None = None,
    cursor: str | None = None,
) -> AssetConditionEvaluationRecords:
    if asset_check_key is not None:
        entity = check_id(asset_check_key.text)
    else:
        entity = asset_key.text if asset_key is not None else ""
    before = int(cursor) if cursor and cursor.isdecimal() else None
    found = context.storage.instigators.evaluations(entity, before=before, limit=page_size(limit))
    return AssetConditionEvaluationRecords(records=tuple(found))


# -- a condition -------------------------------------------------------------------------------------------------------


@_ASSET.named("automationCondition")
def condition_of_asset(node: AssetNode, _: Context) -> AutomationCondition | None:
    return _condition(node.location, node.asset.condition)


@_CHECK.named("automationCondition")
def condition_of_check(node: CheckNode, _: Context) -> AutomationCondition | None:
    return _condition(node.location, node.check.condition)


def _condition(location: CatalogLocation, place: int | None) -> AutomationCondition | None:
    return None if place is None or location.description is None else location.description.conditions[place]


@_CONDITION.field
def expanded_label(condition: AutomationCondition, _: Context) -> list[str]:
    return [each.words for each in condition.walk()]


# -- an evaluation -----------------------------------------------------------------------------------------------------

_RECORD.rename(timestamp="record.time", num_requested="record.requested", evaluation_id="record.evaluation")


@_RECORD.field
def root_unique_id(_record: StoredEvaluation, _: Context) -> str:
    return _ROOT


@_RECORD.field
def evaluation_nodes(record: StoredEvaluation, _: Context) -> list[AutomationConditionEvaluationNode]:
    return list(_nodes(record.record.root, _ROOT))


@_RECORD.field
def explanation(record: StoredEvaluation, _: Context) -> str:
    return render(record.record.root)


def _nodes(part: ConditionEvaluation, unique_id: str) -> Iterator[AutomationConditionEvaluationNode]:
    children = [(f"{unique_id}.{number}", child) for number, child in enumerate(part.children)]
    yield AutomationConditionEvaluationNode(
        unique_id=unique_id,
        child_unique_ids=tuple(each for each, _ in children),
        expanded_label=(part.condition,),
        meaning=part.meaning,
        entity=part.entity,
        operator_type=part.kind,
        is_partitioned=part.partitioned,
        num_true=part.count,
        num_candidates=part.candidates,
        true_partitions=part.true if part.partitioned else (),
    )
    for child_id, child in children:
        yield from _nodes(child, child_id)
