"""All tables of answers together: for each GraphQL type and field, the one way it is answered."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import Any

from graphql import GraphQLObjectType, GraphQLSchema

from ...errors import InternalError
from . import (
    alerts,
    asset_columns,
    assets,
    automation,
    backfill,
    backfills,
    captured,
    checks,
    conditions,
    deployment,
    dimensions,
    dry_runs,
    endings,
    errors,
    events,
    history,
    jobs,
    keys,
    launch,
    metadata,
    one_offs,
    operators,
    partition_config,
    partitions,
    pools,
    reexecution,
    reload,
    report,
    retention,
    runs,
    staleness,
    steps,
    switches,
    ticks,
    webhooks,
    workspace,
)
from .failures import Result
from .fields import Answer, Fields, snake

__all__ = ["gather_answers"]

_NOUNS = (
    alerts,
    asset_columns,
    assets,
    automation,
    backfill,
    backfills,
    captured,
    checks,
    conditions,
    deployment,
    dimensions,
    dry_runs,
    endings,
    errors,
    events,
    history,
    jobs,
    keys,
    launch,
    metadata,
    one_offs,
    operators,
    partition_config,
    partitions,
    pools,
    reexecution,
    reload,
    report,
    retention,
    runs,
    staleness,
    steps,
    switches,
    ticks,
    webhooks,
    workspace,
)


def gather_answers(schema: GraphQLSchema) -> dict[str, dict[str, Answer]]:
    """How each field of each object type is answered, by type and field.

    Raises:
        InternalError: A field is open, or a table answers what the schema does not have.
    """
    answers: dict[str, dict[str, Answer]] = {}
    sources: dict[str, type] = {}
    for table in _tables():
        for name in table.types:
            sources.setdefault(name, table.source)
            of_type = answers.setdefault(name, {})
            twice = of_type.keys() & table.answers.keys()
            if twice:
                raise InternalError(f"{name} has two answers for {sorted(twice)}.")
            of_type.update(table.answers)
    for result in _named_results(Result):
        sources.setdefault(result.__name__, result)
    faults: list[str] = []
    for name, kind in schema.type_map.items():
        if not isinstance(kind, GraphQLObjectType) or name.startswith("__"):
            continue
        of_type = answers.setdefault(name, {})
        faults += [f"{name}.{field} is not in the schema" for field in of_type.keys() - kind.fields.keys()]
        for field in kind.fields.keys() - of_type.keys():
            attribute = _attribute(sources.get(name), field)
            if attribute is None:
                faults.append(f"{name}.{field} is not answered")
            else:
                of_type[field] = Answer(None, attrgetter(attribute))
    unknown = answers.keys() - schema.type_map.keys()
    if faults or unknown:
        faults += [f"{name} is not in the schema" for name in unknown]
        raise InternalError(f"The GraphQL schema and its answers differ: {'; '.join(sorted(faults))}.")
    return answers


def _tables() -> Iterator[Fields[Any]]:
    for noun in _NOUNS:
        yield from noun.TABLES


def _named_results(kind: type[Result]) -> Iterator[type[Result]]:
    for each in kind.__subclasses__():
        yield each
        yield from _named_results(each)


def _attribute(source: type | None, field: str) -> str | None:
    """The attribute of a field's own name, where the source has it."""
    for name in (snake(field), snake(field).rstrip("_")):
        if source is not None and (hasattr(source, name) or name in getattr(source, "__annotations__", {})):
            return name
    return None
