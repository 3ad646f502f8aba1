"""The rules that relate sets of several dimensions, to each other and to sets of one."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from math import prod
from typing import TypeAlias

import msgspec

from ..errors import DefinitionError
from .mapping import (
    NAMED,
    AllPartitionMapping,
    ClosedMapping,
    IdentityPartitionMapping,
    LastPartitionMapping,
    SpecificPartitionsPartitionMapping,
    StaticPartitionMapping,
    TimeWindowPartitionMapping,
    Upstream,
)
from .multi_key import MultiPartitionKey
from .multi_space import Box, MultiSpace
from .space import KeySpace
from .spec import MultiSpec, PartitionsSpec, SingleSpec, TimeWindowSpec
from .subset import Subset

__all__ = [
    "DimensionPartitionMapping",
    "MultiPartitionMapping",
    "MultiToSingleDimensionPartitionMapping",
    "PartitionMappingRecord",
    "default_mapping",
]

SinglePartitionMapping: TypeAlias = (
    IdentityPartitionMapping
    | AllPartitionMapping
    | LastPartitionMapping
    | SpecificPartitionsPartitionMapping
    | StaticPartitionMapping
    | TimeWindowPartitionMapping
)
"""The rules that relate sets of one dimension."""


class MultiToSingleDimensionPartitionMapping(ClosedMapping, msgspec.Struct, frozen=True, tag="multi_to_single"):
    """Relates a set of several dimensions, on either side, to a set of one, by the keys of one dimension.

    Args:
        partition_dimension_name: The dimension. If not given, it is the one whose set is the other side's, or the one
            of time windows where the other side is such a set.
    """

    partition_dimension_name: str | None = None

    def upstream(self, chosen: Subset, downstream: KeySpace, upstream: KeySpace, now: float) -> Upstream:
        """The partitions of the dimension's keys, or all that have one of the chosen keys in the dimension."""
        if isinstance(downstream, MultiSpace):
            name = self._dimension(downstream, upstream)
            rule = _between(downstream.spaces[name], upstream)
            return rule.upstream(_keys_in(chosen, downstream, name), downstream.spaces[name], upstream, now)
        several = self._several(upstream, downstream)
        name = self._dimension(several, downstream)
        found = _between(downstream, several.spaces[name]).upstream(chosen, downstream, several.spaces[name], now)
        every = {each: Upstream(present=positions) for each, positions in _everything(several, now).items()}
        return _combined(several, {**every, name: found})

    def downstream(self, chosen: Subset, upstream: KeySpace, downstream: KeySpace, now: float) -> Subset:
        """The same, the other way round."""
        if isinstance(upstream, MultiSpace):
            name = self._dimension(upstream, downstream)
            rule = _between(downstream, upstream.spaces[name])
            return rule.downstream(_keys_in(chosen, upstream, name), upstream.spaces[name], downstream, now)
        several = self._several(downstream, upstream)
        name = self._dimension(several, upstream)
        rule = _between(several.spaces[name], upstream)
        found = rule.downstream(chosen, upstream, several.spaces[name], now)
        return several.product({**_everything(several, now), name: found})

    def _several(self, space: KeySpace, other: KeySpace) -> MultiSpace:
        if not isinstance(space, MultiSpace) or isinstance(other, MultiSpace):
            raise DefinitionError(
                "A MultiToSingleDimensionPartitionMapping relates a set of several dimensions and a set of one; "
                "use MultiPartitionMapping for two of several, and another mapping for two of one."
            )
        return space

    def _dimension(self, space: MultiSpace, other: KeySpace) -> str:
        self._several(space, other)
        name = self.partition_dimension_name
        if name is not None:
            if name not in space.spaces:
                raise DefinitionError(
                    f"A MultiToSingleDimensionPartitionMapping names the dimension {name!r}; "
                    f"the set has {', '.join(space.names)}."
                )
            return name
        found = _matching(space.spec, other.spec)
        if len(found) != 1:
            raise DefinitionError(
                f"Which of the dimensions {', '.join(space.names)} is meant does not follow from the two sets; "
                "give partition_dimension_name."
            )
        return found[0]


class DimensionPartitionMapping(msgspec.Struct, frozen=True):
    """The rule that relates a dimension of a downstream set to one of an upstream set.

    Args:
        dimension_name: The dimension of the downstream set.
        partition_mapping: The rule.

    Raises:
        DefinitionError: The rule is not one that Penstock brings for sets of one dimension.
    """

    dimension_name: str
    partition_mapping: SinglePartitionMapping

    def __post_init__(self) -> None:
        rule: object = self.partition_mapping
        if not isinstance(rule, ClosedMapping) or isinstance(
            rule, MultiPartitionMapping | MultiToSingleDimensionPartitionMapping
        ):
            raise DefinitionError(
                f"A DimensionPartitionMapping takes a built-in mapping between sets of one dimension, not {rule!r}; "
                "for a rule of your own, subclass PartitionMapping for the whole set."
            )


class MultiPartitionMapping(ClosedMapping, msgspec.Struct, frozen=True, tag="multi"):
    """Relates two sets of several dimensions, dimension by dimension.

    Args:
        downstream_mappings_by_upstream_dimension: For dimensions of the upstream set, the rule and the dimension of the
            downstream set that it relates them to. Of the other upstream dimensions every key is needed.
    """

    downstream_mappings_by_upstream_dimension: Mapping[str, DimensionPartitionMapping]

    def __hash__(self) -> int:
        return hash(tuple(self.downstream_mappings_by_upstream_dimension.items()))

    def upstream(self, chosen: Subset, downstream: KeySpace, upstream: KeySpace, now: float) -> Upstream:
        """The combinations of what each upstream dimension needs."""
        own, other = self._check(downstream, upstream)
        parts = [self._box(box, own, other, now) for box in own.boxes(chosen)]
        return Upstream(
            present=Subset.of_ranges(chain.from_iterable(each.present.ranges for each in parts)),
            absent=tuple(chain.from_iterable(each.absent for each in parts))[:NAMED],
            absent_count=sum(each.absent_count for each in parts),
        )

    def downstream(self, chosen: Subset, upstream: KeySpace, downstream: KeySpace, now: float) -> Subset:
        """The combinations of what depends on each upstream dimension."""
        own, other = self._check(downstream, upstream)
        found: list[tuple[int, int]] = []
        for box in other.boxes(chosen):
            touched = _everything(own, now)
            for name, rule in self.downstream_mappings_by_upstream_dimension.items():
                near, far = own.spaces[rule.dimension_name], other.spaces[name]
                part = rule.partition_mapping.downstream(box[name], far, near, now)
                touched[rule.dimension_name] = touched[rule.dimension_name].intersection(part)
            found += own.product(touched).ranges
        return Subset.of_ranges(found)

    def _box(self, box: Box, own: MultiSpace, other: MultiSpace, now: float) -> Upstream:
        needed = {name: Upstream(present=positions) for name, positions in _everything(other, now).items()}
        for name, rule in self.downstream_mappings_by_upstream_dimension.items():
            chosen, near = box[rule.dimension_name], own.spaces[rule.dimension_name]
            needed[name] = rule.partition_mapping.upstream(chosen, near, other.spaces[name], now)
        return _combined(other, needed)

    def _check(self, downstream: KeySpace, upstream: KeySpace) -> tuple[MultiSpace, MultiSpace]:
        if not isinstance(downstream, MultiSpace) or not isinstance(upstream, MultiSpace):
            raise DefinitionError(
                "A MultiPartitionMapping relates two partition sets of several dimensions; "
                "use MultiToSingleDimensionPartitionMapping where one of the sets has one dimension."
            )
        for name, rule in self.downstream_mappings_by_upstream_dimension.items():
            for side, space, dimension in (
                ("upstream", upstream, name),
                ("downstream", downstream, rule.dimension_name),
            ):
                if dimension not in space.spaces:
                    raise DefinitionError(
                        f"A MultiPartitionMapping names the {side} dimension {dimension!r}; "
                        f"the set has {', '.join(space.names)}."
                    )
        return downstream, upstream


PartitionMappingRecord: TypeAlias = (
    SinglePartitionMapping | MultiToSingleDimensionPartitionMapping | MultiPartitionMapping
)
"""The mappings that a location's description can carry."""


def default_mapping(downstream: PartitionsSpec | None, upstream: PartitionsSpec) -> PartitionMappingRecord:
    """The rule that holds where none is given.

    Windows of time depend on those that they overlap, other partitions on those of the same key, and an asset without
    partitions on all. Of sets of several dimensions, dimensions of the same name are related so; a set of one dimension
    is related to the dimension that it equals, or to the one of time windows if it is such a set.
    """
    match downstream, upstream:
        case None, _:
            return AllPartitionMapping()
        case MultiSpec(), MultiSpec() if downstream != upstream:
            return _by_name(downstream, upstream)
        case (MultiSpec() as several, one) | (one, MultiSpec() as several) if not isinstance(one, MultiSpec):
            found = _matching(several, one)
            return MultiToSingleDimensionPartitionMapping(found[0]) if len(found) == 1 else IdentityPartitionMapping()
        case TimeWindowSpec(), TimeWindowSpec():
            return TimeWindowPartitionMapping()
        case _:
            return IdentityPartitionMapping()


def _by_name(downstream: MultiSpec, upstream: MultiSpec) -> PartitionMappingRecord:
    own = {each.name: each.partitions for each in downstream.dimensions}
    rules = {
        each.name: DimensionPartitionMapping(each.name, _single_default(own[each.name], each.partitions))
        for each in upstream.dimensions
        if each.name in own
    }
    return MultiPartitionMapping(rules) if rules else IdentityPartitionMapping()


def _single_default(downstream: SingleSpec, upstream: SingleSpec) -> SinglePartitionMapping:
    if isinstance(downstream, TimeWindowSpec) and isinstance(upstream, TimeWindowSpec):
        return TimeWindowPartitionMapping()
    return IdentityPartitionMapping()


def _between(downstream: KeySpace, upstream: KeySpace) -> SinglePartitionMapping:
    """The default rule between a dimension and a set of one dimension."""
    assert not isinstance(downstream.spec, MultiSpec)
    assert not isinstance(upstream.spec, MultiSpec)
    return _single_default(downstream.spec, upstream.spec)


def _keys_in(chosen: Subset, space: MultiSpace, name: str) -> Subset:
    """The positions of a dimension that occur among positions of the whole set."""
    return Subset.of_ranges(chain.from_iterable(box[name].ranges for box in space.boxes(chosen)))


def _everything(space: MultiSpace, now: float) -> dict[str, Subset]:
    """All existing positions of each dimension."""
    return {name: Subset.span(0, space.size(name, now)) for name in space.names}


def _combined(space: MultiSpace, needed: Mapping[str, Upstream]) -> Upstream:
    """What is needed of each dimension, as what is needed of the whole set."""
    present = space.product({name: each.present for name, each in needed.items()})
    wanted = prod(len(each.present) + each.absent_count for each in needed.values())
    if wanted == len(present):
        return Upstream(present=present)
    first = {
        name: space.spaces[name].key(next(iter(each.present))) if each.present else each.absent[0]
        for name, each in needed.items()
    }
    absent = [MultiPartitionKey({**first, name: key}) for name, each in needed.items() for key in each.absent]
    return Upstream(present=present, absent=tuple(absent[:NAMED]), absent_count=wanted - len(present))


def _matching(several: MultiSpec, one: PartitionsSpec) -> list[str]:
    """The dimensions that a set of one dimension can mean."""
    equal = [each.name for each in several.dimensions if each.partitions == one]
    if equal or not isinstance(one, TimeWindowSpec):
        return equal
    return [each.name for each in several.dimensions if isinstance(each.partitions, TimeWindowSpec)]
