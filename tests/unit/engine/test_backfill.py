"""The machine of a backfill: any graph and mappings, failures, deaths; each partition has one outcome, the right."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.engine.backfill import BackfillMachine, Unit, space_of
from penstock.engine.backfill_plan import Wanted, groups_of
from penstock.engine.backfill_progress import positions_of
from penstock.errors import DefinitionError, InternalError
from penstock.partitions.mapping import (
    AllPartitionMapping,
    IdentityPartitionMapping,
    LastPartitionMapping,
    SpecificPartitionsPartitionMapping,
    TimeWindowPartitionMapping,
)
from penstock.partitions.mapping_multi import default_mapping
from penstock.partitions.space import between, open_space
from penstock.partitions.spec import Dimension, DynamicSpec, MultiSpec, PartitionsSpec, StaticSpec, TimeWindowSpec
from penstock.partitions.subset import Subset
from penstock.records.backfill import BackfillPart, BackfillPlan, PartStatus
from penstock.records.location import AssetDescription
from support.backfill_house import asset

NOW = 1_700_000_000.0
DAYS = TimeWindowSpec(cron="0 0 * * *", start="2023-01-01T00:00:00", fmt="%Y-%m-%d", end="2023-01-09T00:00:00")
HALVES = TimeWindowSpec(cron="0 */12 * * *", start="2023-01-02T00:00:00", fmt="%Y-%m-%d-%H", end="2023-01-06T00:00:00")
LETTERS = StaticSpec(keys=("a", "b", "c", "d"))
COLORS = DynamicSpec(name="colors")
BOTH = MultiSpec(dimensions=(Dimension(name="day", partitions=DAYS), Dimension(name="letter", partitions=LETTERS)))
SPECS: list[PartitionsSpec | None] = [None, DAYS, HALVES, LETTERS, COLORS, BOTH]
DYNAMIC: dict[str, tuple[str, ...]] = {"colors": ("red", "b", "blue")}


def size_of(spec: PartitionsSpec | None) -> int:
    return 1 if spec is None else open_space(spec, lambda name: DYNAMIC[name], NOW).count(NOW)


def rules(down: PartitionsSpec | None, up: PartitionsSpec | None) -> list[Any]:
    """Rules of its own that an asset may have for another one; None for the default."""
    if up is None or isinstance(up, MultiSpec) or isinstance(down, MultiSpec):
        return [None]
    key = open_space(up, lambda name: DYNAMIC[name], NOW).key(1)
    anywhere = [AllPartitionMapping(), LastPartitionMapping(), SpecificPartitionsPartitionMapping((key,)), "theirs"]
    if isinstance(up, TimeWindowSpec) and isinstance(down, TimeWindowSpec):
        return [None, *anywhere, TimeWindowPartitionMapping(-2, 0), TimeWindowPartitionMapping(-1, -1)]
    return [None, *anywhere] if down is None else [None, IdentityPartitionMapping(), *anywhere]


def wanted_assets(chance: Random) -> list[Wanted]:
    made: list[Wanted] = []
    for number in range(chance.randint(1, 6)):
        spec = chance.choice(SPECS)
        deps, mappings, mapped = [], {}, []
        for other in chance.sample(made, chance.randint(0, min(3, len(made)))):
            rule = chance.choice(rules(spec, other.asset.partitions))
            deps.append(other.asset.key)
            if rule == "theirs":
                mapped.append(other.asset.key)
            elif rule is not None:
                mappings[other.asset.key] = rule
                mapped.append(other.asset.key)
        key = f"a{number}"
        if isinstance(spec, TimeWindowSpec) and chance.random() < 0.5:
            deps.append(key)
            mappings[key] = TimeWindowPartitionMapping(-1, -1)
        described = asset(
            key,
            *deps,
            partitions=spec,
            mappings=mappings,
            mapped_deps=tuple(mapped),
            max_partitions_per_run=chance.choice([1, 2, 3, None]),
        )
        size = size_of(spec)
        positions = Subset.span(0, size)
        if chance.random() < 0.5:
            positions = Subset.of(chance.sample(range(size), chance.randint(1, size)))
        made.append(Wanted(described, chance.choice(["here", "there"]), "job", positions))
    return made


def needed(wanted: dict[str, Wanted], key: str, position: int) -> list[tuple[str, int]]:
    """What one partition needs of what is asked for, found one by one."""
    down = wanted[key].asset
    found = []
    for dep in down.deps:
        up = wanted[dep].asset
        rule = up_rule(down, up)
        if rule is None or up.partitions is None:
            positions = wanted[dep].chosen
        else:
            space = open_space(up.partitions, lambda name: DYNAMIC[name], NOW)
            own = space if down.partitions is None else open_space(down.partitions, lambda name: DYNAMIC[name], NOW)
            chosen = Subset() if down.partitions is None else Subset.span(position, position + 1)
            positions = rule.upstream(chosen, own, space, NOW).present.intersection(wanted[dep].chosen)
        found += [(dep, each) for each in positions]
    return found


def up_rule(down: AssetDescription, up: AssetDescription) -> Any:
    if up.key in down.mappings:
        return down.mappings[up.key]
    if up.partitions is None or up.key in down.mapped_deps:
        return None
    return default_mapping(down.partitions, up.partitions)


class World:
    """A backfill, with what became of each partition of each asset."""

    def __init__(self, wanted: list[Wanted]) -> None:
        self.wanted = {each.asset.key: each for each in wanted}
        self.plan = BackfillPlan(groups=groups_of(wanted), now=NOW, dynamic_keys=DYNAMIC)
        self.machine = BackfillMachine(self.plan)
        self.parts: dict[tuple[int, int], BackfillPart] = {}
        self.made: dict[tuple[str, int], bool] = {}
        """True once it is made, False once it will not be."""

    def positions(self, part: BackfillPart | Unit) -> Subset:
        space = space_of(self.plan, self.plan.groups[part.group])
        return Subset.span(part.first, part.last + 1) if space is None else between(space, part.first, part.last)

    def look(self, most: int) -> None:
        steps = self.machine.next(most)
        assert len(steps.runs) <= max(most, 0)
        for unit in (*steps.runs, *steps.skipped):
            assert (unit.group, unit.first) not in self.parts
            assert unit.size == len(self.positions(unit)) > 0
        for unit in steps.skipped:
            self.put(unit, PartStatus.SKIPPED, None)
            for key, position in self.cells(unit):
                assert (key, position) not in self.made
                self.made[key, position] = False
        for unit in steps.skipped:
            # Of what a group of assets needs, that of any of them counts for all.
            group = self.plan.groups[unit.group]
            for position in self.positions(unit):
                lost = [each for key in group.assets for each in needed(self.wanted, key, position)]
                assert any(self.made.get(each) is False for each in lost)
        for unit in steps.runs:
            self.put(unit, PartStatus.OPEN, f"run {unit.group} {unit.first}")
            own = set(self.cells(unit))
            at_most = self.plan.groups[unit.group].at_most
            assert at_most is None or unit.size <= at_most
            for key, position in own:
                for need in needed(self.wanted, key, position):
                    assert need in own or self.made.get(need) is True

    def cells(self, part: BackfillPart | Unit) -> list[tuple[str, int]]:
        return [(key, position) for key in self.plan.groups[part.group].assets for position in self.positions(part)]

    def put(self, unit: Unit, status: PartStatus, run_id: str | None) -> None:
        self.parts[unit.group, unit.first] = BackfillPart(
            group=unit.group, first=unit.first, last=unit.last, size=unit.size, status=status, run_id=run_id
        )

    def end(self, key: tuple[int, int], status: PartStatus, made: dict[str, Subset]) -> None:
        part = self.parts[key]
        ended = BackfillPart(
            group=part.group,
            first=part.first,
            last=part.last,
            size=part.size,
            status=status,
            run_id=part.run_id,
            made={} if status is PartStatus.DONE else made,
        )
        self.parts[key] = ended
        for asset_key, position in self.cells(ended):
            is_made = status is PartStatus.DONE or position in made.get(asset_key, ())
            self.made[asset_key, position] = is_made
        self.machine.take([ended])

    def open(self) -> list[tuple[int, int]]:
        return sorted(key for key, part in self.parts.items() if part.status is PartStatus.OPEN)

    def begin_anew(self) -> None:
        self.machine = BackfillMachine(self.plan)
        self.machine.take(self.parts.values())


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 1 << 32))
def test_each_partition_has_one_outcome_whatever_happens(seed: int) -> None:
    chance = Random(seed)
    wanted = wanted_assets(chance)
    world = World(wanted)
    for _ in range(400):
        world.look(chance.choice([0, 1, 2, 100]))
        world.machine.validate()
        assert world.machine.open_runs == len(world.open())
        if chance.random() < 0.2:
            world.begin_anew()
        if not world.open():
            world.look(100)
            if not world.open():
                break
        key = chance.choice(world.open())
        status = PartStatus.FAILED if chance.random() < 0.2 else PartStatus.DONE
        cells = world.cells(world.parts[key])
        some = chance.sample(cells, chance.randint(0, min(2, len(cells)))) if status is PartStatus.FAILED else []
        made = {each: Subset.of(position for name, position in some if name == each) for each, _ in some}
        world.end(key, status, made)
    assert world.machine.is_over
    assert world.machine.has_lost == any(part.status is not PartStatus.DONE for part in world.parts.values())
    asked = {(each.asset.key, position) for each in wanted for position in each.chosen}
    assert world.made.keys() == asked
    for each in wanted:
        (index,) = (place for place, group in enumerate(world.plan.groups) if each.asset.key in group.assets)
        group = world.plan.groups[index]
        parts = [part for part in world.parts.values() if part.group == index]
        found = positions_of(group.chosen, each.asset.key, space_of(world.plan, group), parts)
        counted = [found.materialized, found.failed, found.skipped, found.waiting, found.in_progress, found.canceled]
        assert sum(map(len, counted)) == len(each.chosen)
        assert {position for position in each.chosen if world.made[each.asset.key, position]} == {*found.materialized}


def test_assets_that_need_the_same_partition_of_each_other_are_one_group() -> None:
    days = Subset.span(0, 8)
    wanted = [
        Wanted(asset("a", partitions=DAYS), "here", "job", days),
        Wanted(asset("b", "a", partitions=DAYS), "here", "job", days),
        Wanted(asset("c", "b", partitions=LETTERS, mapped_deps=("b",)), "here", "job", Subset.span(0, 4)),
        # It needs the others by way of another set: it cannot be of their group.
        Wanted(asset("d", "a", "c", partitions=DAYS, mapped_deps=("c",)), "here", "job", days),
        Wanted(asset("e", "a", partitions=DAYS), "there", "job", days),
        Wanted(asset("f", "a", partitions=DAYS), "here", "job", Subset.span(0, 1)),
    ]
    groups = groups_of(wanted)
    assert {group.assets for group in groups} == {("a", "b"), ("c",), ("d",), ("e",), ("f",)}
    places = {key: place for place, group in enumerate(groups) for key in group.assets}
    assert all(need.group < place for place, group in enumerate(groups) for need in group.needs)
    assert places["a"] < places["c"] < places["d"]


def test_assets_that_one_step_makes_are_made_by_one_run() -> None:
    days = Subset.span(0, 8)
    wanted = [
        Wanted(asset("a", partitions=LETTERS), "here", "job", Subset.span(0, 4)),
        Wanted(asset("b", partitions=DAYS), "here", "job", days, "step"),
        Wanted(asset("c", "a", partitions=DAYS, mapped_deps=("a",)), "here", "job", days, "step"),
        Wanted(asset("d", "b", partitions=DAYS), "here", "job", days),
    ]
    groups = groups_of(wanted)
    assert [group.assets for group in groups] == [("a",), ("b", "c", "d")]
    assert [need.group for need in groups[1].needs] == [0]


def test_assets_that_need_each_other_in_a_circle_are_refused() -> None:
    one = Subset.span(0, 1)
    wanted = [Wanted(asset("a", "b"), "here", "job", one), Wanted(asset("b", "a"), "here", "job", one)]
    with pytest.raises(DefinitionError, match="in a circle, so that none can be made first: a, b"):
        groups_of(wanted)


def test_an_outcome_does_not_change() -> None:
    group = groups_of([Wanted(asset("a", partitions=LETTERS), "here", "job", Subset.span(0, 2))])
    machine = BackfillMachine(BackfillPlan(groups=group, now=NOW))
    part = BackfillPart(group=0, first=0, last=0, size=1, status=PartStatus.DONE, run_id="x")
    machine.take([part])
    machine.take([part])
    with pytest.raises(InternalError, match="have an outcome"):
        machine.take([BackfillPart(group=0, first=0, last=0, size=1, status=PartStatus.FAILED, run_id="x")])
    with pytest.raises(InternalError, match="were not asked for"):
        machine.take([BackfillPart(group=0, first=3, last=3, size=1, status=PartStatus.DONE, run_id="x")])
