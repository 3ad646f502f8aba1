"""The step scheduler: what may run when, by example and over random graphs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.engine.limits import TagLimit
from penstock.engine.step_messages import (
    Abandon,
    Command,
    Done,
    Failed,
    FeedKind,
    Outcome,
    OutputRef,
    PastState,
    Retry,
    Skip,
    Source,
    Start,
    StepInputSpec,
    StepPast,
    StepSpec,
    Stop,
    Succeeded,
    Withdrawn,
)
from penstock.engine.step_state import StepState
from penstock.engine.steps import StepScheduler
from penstock.errors import IllegalTransitionError, InternalError

RESULT = (("result", None),)


def step(key: str, *feeding: Source | str | tuple[Source | str, ...], priority: int = 0, **tags: str) -> StepSpec:
    """A step with one input for each of `feeding`; a tuple is a fan-in."""
    inputs = []
    for index, each in enumerate(feeding):
        group = each if isinstance(each, tuple) else (each,)
        sources = tuple(Source(one) if isinstance(one, str) else one for one in group)
        inputs.append(StepInputSpec(f"in{index}", sources))
    return StepSpec(key=key, inputs=tuple(inputs), priority=priority, tags=tags)


def started(commands: list[Command]) -> list[str]:
    return [each.step for each in commands if isinstance(each, Start)]


def test_steps_run_after_those_that_feed_them() -> None:
    scheduler = StepScheduler([step("a"), step("b"), step("c", "a", "b")])
    assert started(scheduler.begin(0.0)) == ["a", "b"]
    assert scheduler.handle(Succeeded("a", RESULT), 1.0) == []
    commands = scheduler.handle(Succeeded("b", RESULT), 2.0)
    assert commands == [
        Start("c", "c", None, 0, {"in0": (OutputRef("a", "result"),), "in1": (OutputRef("b", "result"),)})
    ]
    assert scheduler.handle(Succeeded("c"), 3.0) == [Done(Outcome.SUCCESS)]


def test_a_plan_without_steps_is_done_at_once() -> None:
    assert StepScheduler([]).begin(0.0) == [Done(Outcome.SUCCESS)]


def test_a_failure_abandons_what_depends_on_it_and_lets_the_rest_go_on() -> None:
    scheduler = StepScheduler([step("a"), step("b", "a"), step("c", "b"), step("d")], max_concurrent=1)
    assert started(scheduler.begin(0.0)) == ["a"]
    commands = scheduler.handle(Failed("a"), 1.0)
    assert commands[:2] == [Abandon("b", "a"), Abandon("c", "b")]
    assert started(commands) == ["d"]
    assert scheduler.handle(Succeeded("d"), 2.0) == [Done(Outcome.FAILURE, ("a",))]


def test_a_missing_optional_output_skips_what_needs_it_all_the_way_down() -> None:
    optional = Source("a", "maybe")
    scheduler = StepScheduler([step("a"), step("b", optional), step("c", "b"), step("d", ("b", "a"))])
    scheduler.begin(0.0)
    commands = scheduler.handle(Succeeded("a", RESULT), 1.0)
    assert [each.step for each in commands if isinstance(each, Skip)] == ["b", "c"]
    reasons = [each.reason for each in commands if isinstance(each, Skip)]
    assert "a.maybe" in reasons[0]
    assert "'in0'" in reasons[1]
    # A fan-in runs with what was given.
    assert [each for each in commands if isinstance(each, Start)] == [
        Start("d", "d", None, 0, {"in0": (OutputRef("a", "result"),)})
    ]


def test_higher_priority_goes_first_then_the_order_of_the_plan() -> None:
    scheduler = StepScheduler([step("a"), step("b", priority=5), step("c"), step("d", priority=5)], max_concurrent=1)
    order = started(scheduler.begin(0.0))
    while order[-1] != "c":
        order += started(scheduler.handle(Succeeded(order[-1]), 0.0))
    assert order == ["b", "d", "a", "c"]


def test_a_retry_waits_until_it_is_due_and_frees_its_place_meanwhile() -> None:
    scheduler = StepScheduler([step("a"), step("b")], max_concurrent=1)
    scheduler.begin(0.0)
    assert started(scheduler.handle(Retry("a", 10.0), 1.0)) == ["b"]
    assert scheduler.next_due() == 10.0
    assert scheduler.handle(Succeeded("b"), 2.0) == []
    assert scheduler.wake(9.9) == []
    assert scheduler.wake(10.0) == [Start("a", "a", None, 1, {})]
    assert scheduler.next_due() is None
    assert scheduler.handle(Succeeded("a"), 11.0) == [Done(Outcome.SUCCESS)]


def test_a_start_says_how_long_the_step_has_waited_for_its_place() -> None:
    scheduler = StepScheduler([step("a"), step("b"), step("c", "b")], max_concurrent=1)
    assert scheduler.begin(1.0) == [Start("a", "a", None, 0, {}, queued=0.0)]
    assert scheduler.handle(Retry("a", 4.0), 3.0) == [Start("b", "b", None, 0, {}, queued=2.0)]
    assert scheduler.wake(5.0) == []  # due, but its place is taken
    feeding = {"in0": (OutputRef("b", "result"),)}
    assert scheduler.handle(Succeeded("b", RESULT), 9.0) == [Start("a", "a", None, 1, {}, queued=4.0)]
    assert scheduler.handle(Succeeded("a"), 12.0) == [Start("c", "c", None, 0, feeding, queued=3.0)]


def test_a_dynamic_output_makes_one_step_per_key_and_is_collected() -> None:
    many = Source("fan", "result", FeedKind.MAPPED)
    scheduler = StepScheduler(
        [
            step("side"),
            step("fan"),
            step("each", many, "side"),
            step("then", "each"),
            step("sum", Source("then", "result", FeedKind.COLLECT)),
            step("raw", Source("fan", "result", FeedKind.COLLECT)),
        ]
    )
    assert started(scheduler.begin(0.0)) == ["side", "fan"]
    commands = scheduler.handle(Succeeded("fan", (("result", "x"), ("result", "y"))), 0.0)
    assert commands == [
        Start("raw", "raw", None, 0, {"in0": (OutputRef("fan", "result", "x"), OutputRef("fan", "result", "y"))})
    ]
    commands = scheduler.handle(Succeeded("side", RESULT), 0.0)
    assert commands == [
        Start(
            f"each[{key}]",
            "each",
            key,
            0,
            {"in0": (OutputRef("fan", "result", key),), "in1": (OutputRef("side", "result"),)},
        )
        for key in ("x", "y")
    ]
    assert started(scheduler.handle(Succeeded("each[y]", RESULT), 0.0)) == ["then[y]"]
    assert started(scheduler.handle(Succeeded("each[x]", RESULT), 0.0)) == ["then[x]"]
    scheduler.handle(Succeeded("then[y]", RESULT), 0.0)
    scheduler.handle(Succeeded("raw", RESULT), 0.0)
    assert scheduler.handle(Succeeded("then[x]", RESULT), 0.0) == [
        Start("sum", "sum", None, 0, {"in0": (OutputRef("then[x]", "result"), OutputRef("then[y]", "result"))})
    ]
    assert scheduler.handle(Succeeded("sum"), 0.0) == [Done(Outcome.SUCCESS)]


def dynamic(*more: StepSpec) -> StepScheduler:
    return StepScheduler(
        [
            step("fan"),
            step("each", Source("fan", "result", FeedKind.MAPPED)),
            step("sum", Source("each", "result", FeedKind.COLLECT)),
            *more,
        ]
    )


def test_a_step_may_collect_from_several_dynamic_outputs() -> None:
    scheduler = StepScheduler(
        [
            step("letters"),
            step("digits"),
            step("upper", Source("letters", "result", FeedKind.MAPPED)),
            step("double", Source("digits", "result", FeedKind.MAPPED)),
            step("both", *(Source(each, "result", FeedKind.COLLECT) for each in ("upper", "double"))),
            step("pairs", "upper", Source("double", "result", FeedKind.COLLECT)),
        ]
    )
    scheduler.begin(0.0)
    scheduler.handle(Succeeded("letters", (("result", "a"),)), 0.0)
    scheduler.handle(Succeeded("digits", (("result", "1"), ("result", "2"))), 0.0)
    for each in ("upper[a]", "double[1]"):
        assert scheduler.handle(Succeeded(each, RESULT), 0.0) == []
    upper, doubled = (
        (OutputRef("upper[a]", "result"),),
        (OutputRef("double[1]", "result"), OutputRef("double[2]", "result")),
    )
    assert scheduler.handle(Succeeded("double[2]", RESULT), 0.0) == [
        Start("both", "both", None, 0, {"in0": upper, "in1": doubled}),
        Start("pairs[a]", "pairs", "a", 0, {"in0": upper, "in1": doubled}),
    ]


def test_no_mapping_keys_give_the_collector_an_empty_list() -> None:
    scheduler = dynamic()
    scheduler.begin(0.0)
    assert scheduler.handle(Succeeded("fan"), 0.0) == [Start("sum", "sum", None, 0, {"in0": ()})]


def test_the_collector_gets_the_mapped_values_that_there_are() -> None:
    scheduler = dynamic()
    scheduler.begin(0.0)
    scheduler.handle(Succeeded("fan", (("result", "x"), ("result", "y"))), 0.0)
    scheduler.handle(Succeeded("each[x]"), 0.0)
    commands = scheduler.handle(Succeeded("each[y]", RESULT), 0.0)
    assert commands == [Start("sum", "sum", None, 0, {"in0": (OutputRef("each[y]", "result"),)})]


def test_one_failed_mapped_step_abandons_the_collector_but_not_its_siblings() -> None:
    scheduler = dynamic()
    scheduler.begin(0.0)
    scheduler.handle(Succeeded("fan", (("result", "x"), ("result", "y"))), 0.0)
    assert scheduler.handle(Failed("each[x]"), 0.0) == [Abandon("sum", "each[x]")]
    assert scheduler.handle(Succeeded("each[y]", RESULT), 0.0) == [Done(Outcome.FAILURE, ("each[x]",))]


def test_a_failed_or_skipped_producer_takes_mapped_and_collecting_steps_with_it() -> None:
    scheduler = dynamic()
    scheduler.begin(0.0)
    assert scheduler.handle(Failed("fan"), 0.0) == [
        Abandon("each", "fan"),
        Abandon("sum", "each"),
        Done(Outcome.FAILURE, ("fan",)),
    ]
    gate = step("gate")
    scheduler = StepScheduler(
        [
            gate,
            step("fan", Source("gate", "maybe")),
            step("each", Source("fan", "result", FeedKind.MAPPED)),
            step("sum", Source("each", "result", FeedKind.COLLECT)),
        ]
    )
    scheduler.begin(0.0)
    commands = scheduler.handle(Succeeded("gate"), 0.0)
    assert [each.step for each in commands if isinstance(each, Skip)] == ["fan", "each", "sum"]
    assert commands[-1] == Done(Outcome.SUCCESS)


def test_tag_limits_hold_and_a_freed_place_is_used() -> None:
    limits = [TagLimit(key="db", limit=1), TagLimit(key="shard", limit=1, per_value=True)]
    scheduler = StepScheduler(
        [step("a", db="x"), step("b", db="y"), step("c", shard="1"), step("d", shard="1"), step("e", shard="2")],
        tag_limits=limits,
    )
    assert started(scheduler.begin(0.0)) == ["a", "c", "e"]
    assert started(scheduler.handle(Succeeded("c"), 0.0)) == ["d"]
    assert started(scheduler.handle(Failed("a"), 0.0)) == ["b"]


def test_a_step_that_moves_to_another_queue_lets_the_next_one_use_the_place() -> None:
    limits = [TagLimit(key="db", limit=1), TagLimit(key="api", limit=1)]
    scheduler = StepScheduler(
        [step("a", db="x"), step("api", api="x"), step("both", db="x", api="x"), step("b", db="x")], tag_limits=limits
    )
    assert started(scheduler.begin(0.0)) == ["a", "api"]
    assert started(scheduler.handle(Succeeded("a"), 0.0)) == ["b"]
    assert started(scheduler.handle(Succeeded("b"), 0.0)) == []
    assert started(scheduler.handle(Succeeded("api"), 0.0)) == ["both"]


def test_stop_starts_nothing_more_and_waits_for_what_runs() -> None:
    scheduler = StepScheduler([step("a"), step("b"), step("c", "a"), step("d")], max_concurrent=3)
    scheduler.begin(0.0)
    scheduler.handle(Retry("d", 5.0), 0.0)
    assert scheduler.handle(Stop(), 1.0) == []
    assert scheduler.next_due() is None
    assert scheduler.handle(Succeeded("a", RESULT), 2.0) == []
    assert scheduler.handle(Failed("b"), 3.0) == [Done(Outcome.STOPPED, ("b",))]


def test_a_start_that_was_not_carried_out_is_withdrawn() -> None:
    scheduler = StepScheduler([step("a"), step("b", "a")])
    assert started(scheduler.begin(0.0)) == ["a"]
    assert scheduler.handle(Stop(), 1.0) == []
    assert scheduler.handle(Withdrawn("a"), 1.0) == [Done(Outcome.STOPPED)]


def test_a_retry_asked_for_while_stopping_is_given_up() -> None:
    scheduler = StepScheduler([step("a")])
    scheduler.begin(0.0)
    scheduler.handle(Stop(), 1.0)
    assert scheduler.handle(Retry("a", 2.0), 1.5) == [Done(Outcome.STOPPED)]


@pytest.mark.parametrize("fact", [Succeeded("b"), Failed("b"), Retry("b", 1.0), Succeeded("nobody")])
def test_a_fact_that_does_not_fit_is_refused_and_changes_nothing(fact: Succeeded | Failed | Retry) -> None:
    scheduler = StepScheduler([step("a"), step("b", "a")])
    scheduler.begin(0.0)
    with pytest.raises(IllegalTransitionError, match="Nothing was changed"):
        scheduler.handle(fact, 0.0)
    assert scheduler.state("b") is StepState.WAITING
    assert started(scheduler.handle(Succeeded("a", RESULT), 0.0)) == ["b"]


def test_a_step_ends_once() -> None:
    scheduler = StepScheduler([step("a")])
    scheduler.begin(0.0)
    scheduler.handle(Succeeded("a"), 0.0)
    with pytest.raises(IllegalTransitionError, match="WAITING -> READY -> RUNNING -> SUCCEEDED"):
        scheduler.handle(Failed("a"), 0.0)


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        ([step("a"), step("a")], "Two steps"),
        ([step("b", "a"), step("a")], "not before it"),
        (
            [
                step("f"),
                step("g"),
                step("m", Source("f", "result", FeedKind.MAPPED), Source("g", "result", FeedKind.MAPPED)),
            ],
            "more than one dynamic output",
        ),
    ],
)
def test_plans_that_cannot_be_are_refused(specs: list[StepSpec], message: str) -> None:
    with pytest.raises(InternalError, match=message):
        StepScheduler(specs)


def test_a_long_chain_of_skips_needs_no_deep_stack() -> None:
    specs = [step("0")] + [step(str(index), Source(str(index - 1), "result")) for index in range(1, 5000)]
    scheduler = StepScheduler(specs)
    scheduler.begin(0.0)
    commands = scheduler.handle(Succeeded("0"), 0.0)
    assert sum(isinstance(each, Skip) for each in commands) == 4999


# -- any graph, any outcomes ------------------------------------------------------------------------------------------

OUTCOMES = ("given", "missing", "failed", "retry")


@st.composite
def graphs(draw: st.DrawFn) -> list[StepSpec]:
    """Random plans; steps 0 and 1 of some have a dynamic output that others map over or collect."""
    size = draw(st.integers(1, 9))
    fans = draw(st.sampled_from([set(), {0}, {0, 1}]))
    origin: dict[int, int] = {}  # a mapped step -> the step over whose output it is mapped
    specs = []
    for index in range(size):
        feeding: list[Source | str | tuple[Source | str, ...]] = []
        for _ in range(draw(st.integers(0, 3)) if index and index not in fans else 0):
            group: list[Source | str] = []
            for upstream in draw(st.lists(st.integers(0, index - 1), min_size=1, max_size=2, unique=True)):
                fan = upstream if upstream in fans else origin.get(upstream)
                if fan is None:
                    group.append(str(upstream))
                elif origin.get(index, fan) != fan or draw(st.booleans()):
                    group.append(Source(str(upstream), "result", FeedKind.COLLECT))
                else:
                    origin[index] = fan
                    kind = FeedKind.MAPPED if upstream in fans else FeedKind.DIRECT
                    group.append(Source(str(upstream), "result", kind))
            feeding.append(tuple(group))
        tags = {"db": draw(st.sampled_from("xy"))} if draw(st.booleans()) else {}
        specs.append(step(str(index), *feeding, priority=draw(st.integers(0, 2)), **tags))
    return specs


def given_to(
    spec: StepSpec, mapping_key: str | None, stored: set[OutputRef], mapped: set[str]
) -> dict[str, set[OutputRef]]:
    """What a step is to get, of all that is stored."""
    expected: dict[str, set[OutputRef]] = {}
    for each in spec.inputs:
        refs = expected[each.name] = set()
        for source in each.sources:
            match source.kind:
                case FeedKind.COLLECT:
                    refs |= {ref for ref in stored if ref.step.partition("[")[0] == source.step}
                case FeedKind.MAPPED:
                    refs |= {OutputRef(source.step, "result", mapping_key)}
                case FeedKind.DIRECT:
                    key = f"{source.step}[{mapping_key}]" if source.step in mapped else source.step
                    refs |= {OutputRef(key, "result")}
        refs &= stored
    return expected


@settings(deadline=None)
@given(
    specs=graphs(),
    concurrent=st.none() | st.integers(1, 3),
    limit=st.integers(1, 2),
    data=st.data(),
)
def test_invariants_hold_for_any_graph_and_any_outcomes(
    specs: list[StepSpec], concurrent: int | None, limit: int, data: st.DataObject
) -> None:
    scheduler = StepScheduler(specs, max_concurrent=concurrent, tag_limits=[TagLimit(key="db", limit=limit)])
    by_key = {each.key: each for each in specs}
    sources = {(each.key, source) for each in specs for one in each.inputs for source in one.sources}
    mapped = {key for key, source in sources if source.kind is FeedKind.MAPPED}
    for each in specs:  # in the order of the plan
        if any(key == each.key and source.kind is FeedKind.DIRECT and source.step in mapped for key, source in sources):
            mapped.add(each.key)
    fans = {source.step for _, source in sources if source.kind is not FeedKind.DIRECT} - mapped
    running: dict[str, Start] = {}
    stored: set[OutputRef] = set()
    ended: dict[str, str] = {}
    retries: dict[str, int] = {}
    now = 0.0
    done: Done | None = None

    def take(commands: list[Command]) -> None:
        nonlocal done
        batch = []
        for command in commands:
            assert done is None, "a command after Done"
            match command:
                case Start():
                    assert command.step not in running
                    assert command.step not in ended
                    assert command.retry == retries.get(command.step, 0)
                    got = {name: set(refs) for name, refs in command.inputs.items()}
                    assert got == given_to(by_key[command.spec], command.mapping_key, stored, mapped)
                    running[command.step] = command
                    batch.append(command)
                case Skip() | Abandon():
                    assert command.step not in ended
                    ended[command.step] = type(command).__name__
                case Done():
                    done = command
        if concurrent is not None:
            assert len(running) <= concurrent
        assert sum("db" in by_key[each.spec].tags for each in running.values()) <= limit
        priorities = [by_key[each.spec].priority for each in batch]
        assert priorities == sorted(priorities, reverse=True)

    take(scheduler.begin(now))
    while done is None:
        if not running:
            due = scheduler.next_due()
            assert due is not None, "nothing runs, nothing waits, and it is not done"
            now = due
            take(scheduler.wake(now))
            continue
        key = data.draw(st.sampled_from(sorted(running)))
        outcome = data.draw(st.sampled_from(OUTCOMES))
        now += 1.0
        if outcome == "retry" and retries.get(key, 0) < 2:
            del running[key]
            retries[key] = retries.get(key, 0) + 1
            take(scheduler.handle(Retry(key, now + 3.0), now))
            continue
        command = running.pop(key)
        if outcome == "failed":
            ended[key] = "Failed"
            take(scheduler.handle(Failed(key), now))
            continue
        outputs: tuple[tuple[str, str | None], ...] = ()
        if outcome == "given":
            outputs = (("result", "k1"), ("result", "k2")) if command.spec in fans else RESULT
        stored |= {OutputRef(key, name, mapping) for name, mapping in outputs}
        ended[key] = "Succeeded"
        take(scheduler.handle(Succeeded(key, outputs), now))

    assert not running
    failed = {key for key, how in ended.items() if how == "Failed"}
    assert set(done.failed) == failed
    assert done.outcome is (Outcome.FAILURE if failed else Outcome.SUCCESS)
    for each in specs:
        assert each.key in ended or scheduler.state(each.key) is StepState.EXPANDED
    # Whoever has a failed or abandoned step above it did not run.
    bad = {key for key, how in ended.items() if how in ("Failed", "Abandon")}
    for key, how in ended.items():
        feeding = {source.step for one in by_key[key.partition("[")[0]].inputs for source in one.sources}
        if feeding & bad:
            assert how == "Abandon"


def test_ten_thousand_steps_behind_one_limit_all_run() -> None:
    specs = [step("root")] + [step(f"s{index}", "root", db="x") for index in range(10_000)]
    scheduler = StepScheduler(specs, max_concurrent=4, tag_limits=[TagLimit(key="db", limit=2)])
    pending = started(scheduler.begin(0.0))
    ran = 0
    while pending:
        ran += 1
        pending += started(scheduler.handle(Succeeded(pending.pop(), RESULT), 0.0))
    assert ran == 10_001


@pytest.mark.parametrize("keys", [(), ("x",)])
def test_a_mapped_step_that_was_given_up_stays_so_under_another_worker(keys: tuple[str, ...]) -> None:
    mapped = step("mapped", Source("keys", "keys", FeedKind.MAPPED), "other")
    specs = [step("keys"), step("other"), mapped, step("collect", Source("mapped", "result", FeedKind.COLLECT))]
    first = StepScheduler(specs)
    assert started(first.begin(0.0)) == ["keys", "other"]
    assert first.handle(Failed("other"), 1.0) == [Abandon("mapped", "other"), Abandon("collect", "mapped")]
    given = tuple(("keys", key) for key in keys)
    done = [Done(Outcome.FAILURE, ("other",))]
    assert first.handle(Succeeded("keys", given), 2.0) == done
    past = {
        "keys": StepPast(state=PastState.SUCCEEDED, outputs=given),
        "other": StepPast(state=PastState.FAILED),
        "mapped": StepPast(state=PastState.ABANDONED),
        "collect": StepPast(state=PastState.ABANDONED),
    }
    assert StepScheduler(specs).begin(3.0, past) == done
    del past["other"]  # it is made once more, and so is what depends on it
    again = StepScheduler(specs)
    assert "other" in started(again.begin(3.0, past))
    commands = again.handle(Succeeded("other", RESULT), 4.0)
    assert started(commands) == ([f"mapped[{key}]" for key in keys] or [])
