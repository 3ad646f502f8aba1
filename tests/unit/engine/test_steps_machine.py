"""The step scheduler against a small model of it: random graphs, and at random points ends, retries, stops, crashes.

The model does not schedule. It keeps a diary of events, as the log of a run has them, says after each command whether
that was allowed, and at the end works out from what the steps did how each of them must have ended. A crash makes a new
scheduler from the diary alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from penstock.engine.limits import TagLimit, slots_of
from penstock.engine.progress import past_of
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
from penstock.records.errors import ErrorInfo
from penstock.records.event import (
    Event,
    Fact,
    StepFailure,
    StepOutput,
    StepRestarted,
    StepSkipped,
    StepStart,
    StepSuccess,
    StepUpForRetry,
)

_ERROR = ErrorInfo(cls="ValueError", message="no")
_MOST_STEPS = 7
_LIMITS = (TagLimit(key="db", limit=1), TagLimit(key="api", limit=1, per_value=True))
_TAGS: tuple[dict[str, str], ...] = ({}, {}, {"db": "x"}, {"api": "a"}, {"api": "b"}, {"db": "x", "api": "a"})


class Graph(msgspec.Struct, frozen=True):
    """Steps, which of them give a dynamic output, and over whose dynamic output each mapped one is mapped."""

    specs: tuple[StepSpec, ...]
    producers: frozenset[str]
    origins: Mapping[str, str]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    specs: list[StepSpec] = []
    producers: set[str] = set()
    origins: dict[str, str] = {}
    for number in range(draw(st.integers(1, _MOST_STEPS))):
        key = f"s{number}"
        plain = [each.key for each in specs if each.key not in origins]
        kind = draw(st.sampled_from(["plain", "plain", "mapped", "collector"]))
        of_a_sibling = draw(st.booleans())
        inputs: list[tuple[Source, ...]] = []
        origin: str | None = None
        if kind == "mapped" and producers:
            origin = draw(st.sampled_from(sorted(producers)))
            siblings = [each for each, own in origins.items() if own == origin]
            if siblings and of_a_sibling:
                inputs.append((Source(draw(st.sampled_from(siblings)), draw(_outputs)),))
            else:
                inputs.append((Source(origin, "keys", FeedKind.MAPPED),))
        elif kind == "collector" and producers:
            chosen = draw(st.sampled_from(sorted(producers)))
            siblings = [each for each, own in origins.items() if own == chosen]
            if siblings and of_a_sibling:
                inputs.append((Source(draw(st.sampled_from(siblings)), draw(_outputs), FeedKind.COLLECT),))
            else:
                inputs.append((Source(chosen, "keys", FeedKind.COLLECT),))
        if plain:
            for _ in range(draw(st.integers(0, 2))):
                fan = draw(st.lists(st.sampled_from(plain), min_size=1, max_size=2, unique=True))
                inputs.append(tuple(Source(each, draw(_outputs)) for each in fan))
        specs.append(
            StepSpec(
                key=key,
                inputs=tuple(StepInputSpec(f"in{index}", sources) for index, sources in enumerate(inputs)),
                priority=draw(st.integers(0, 2)),
                tags=draw(st.sampled_from(_TAGS)),
            )
        )
        if origin is not None:
            origins[key] = origin
        elif draw(st.booleans()):
            producers.add(key)
    return Graph(tuple(specs), frozenset(producers), origins)


_outputs = st.sampled_from(["result", "result", "maybe"])


class Model(RuleBasedStateMachine):
    """A run, from its first command to its last."""

    @initialize(graph=graphs(), max_concurrent=st.none() | st.integers(1, 3), limited=st.booleans())
    def make(self, graph: Graph, max_concurrent: int | None, limited: bool) -> None:
        self.graph = graph
        self.specs = {each.key: each for each in graph.specs}
        self.max_concurrent = max_concurrent
        self.limits = _LIMITS if limited else ()
        self.now = 0.0
        self.diary: list[Event] = []
        self.abandoned: set[str] = set()
        self.ends: dict[str, str] = {}  # step -> succeeded, failed, skipped, abandoned, withdrawn
        self.given: dict[str, tuple[tuple[str, str | None], ...]] = {}
        self.retries: Counter[str] = Counter()
        self.pending: dict[str, Start] = {}  # told to start, not begun
        self.running: dict[str, Start] = {}
        self.stopping = False
        self.done: Done | None = None
        self.begin()

    def begin(self) -> None:
        self.done = None
        self.scheduler = StepScheduler(self.graph.specs, max_concurrent=self.max_concurrent, tag_limits=self.limits)
        past = past_of(self.diary, self.now)
        past |= {key: StepPast(state=PastState.ABANDONED) for key in self.abandoned}
        self.take(self.scheduler.begin(self.now, past))

    # -- what may happen ----------------------------------------------------------------------------------------------

    @precondition(lambda self: self.pending)
    @rule(data=st.data())
    def start(self, data: st.DataObject) -> None:
        start = self.pending.pop(data.draw(st.sampled_from(sorted(self.pending))))
        self.running[start.step] = start
        again = start.retry > 0 or start.again is not None
        self.tell(start.step, StepRestarted(retry=start.retry, reason=start.again) if again else StepStart())

    @precondition(lambda self: self.running)
    @rule(data=st.data(), ending=st.sampled_from(["succeed", "succeed", "succeed", "fail", "retry"]))
    def end(self, data: st.DataObject, ending: str) -> None:
        step = data.draw(st.sampled_from(sorted(self.running)))
        start = self.running.pop(step)
        if ending == "retry":
            wait = data.draw(st.sampled_from([0.0, 1.0, 5.0]))
            self.retries[step] += 1
            self.tell(step, StepUpForRetry(error=_ERROR, retry=self.retries[step], wait=wait))
            if self.stopping:
                self.ends[step] = "abandoned"
            self.take(self.scheduler.handle(Retry(step, self.now + wait), self.now))
        elif ending == "fail":
            self.ends[step] = "failed"
            self.tell(step, StepFailure(error=_ERROR))
            self.take(self.scheduler.handle(Failed(step), self.now))
        else:
            given: list[tuple[str, str | None]] = [("result", None)]
            if data.draw(st.booleans()):
                given.append(("maybe", None))
            if start.spec in self.graph.producers:
                given += [("keys", f"k{number}") for number in range(data.draw(st.integers(0, 3)))]
            for output, mapping_key in given:
                self.tell(step, StepOutput(output=output, mapping_key=mapping_key))
            self.tell(step, StepSuccess(seconds=1.0))
            self.ends[step], self.given[step] = "succeeded", tuple(given)
            self.take(self.scheduler.handle(Succeeded(step, tuple(given)), self.now))

    @rule(seconds=st.sampled_from([0.5, 1.0, 10.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.take(self.scheduler.wake(self.now))

    @precondition(lambda self: not self.stopping and self.done is None)
    @rule()
    def stop(self) -> None:
        self.stopping = True
        self.take(self.scheduler.handle(Stop(), self.now))
        for step in list(self.pending):  # as executors do with what they have not begun
            del self.pending[step]
            self.ends[step] = "withdrawn"
            self.take(self.scheduler.handle(Withdrawn(step), self.now))

    @precondition(lambda self: not self.stopping)
    @rule()
    def crash(self) -> None:
        before = {key: self.scheduler.state(key) for key in self.known()}
        unended = self.scheduler.unended()
        self.pending.clear()
        self.running.clear()
        self.begin()
        assert self.scheduler.unended() == unended
        for key, state in before.items():
            after = self.scheduler.state(key)
            if state in (StepState.RUNNING, StepState.READY):
                assert after in (StepState.RUNNING, StepState.READY)
            elif state is StepState.RETRYING:
                assert after in (StepState.RETRYING, StepState.READY, StepState.RUNNING)
            else:
                assert after is state

    # -- what is looked at ---------------------------------------------------------------------------------------------

    def take(self, commands: list[Command]) -> None:
        assert self.done is None or not commands, "something was told after the end"
        for command in commands:
            match command:
                case Start():
                    assert not self.stopping, "it was to start although the run is stopping"
                    self.check_start(command)
                    self.pending[command.step] = command
                case Skip(step=step):
                    self.ends_now(step, "skipped")
                    self.tell(step, StepSkipped(reason=command.reason))
                case Abandon(step=step, because=because):
                    assert self.ends.get(because) in ("failed", "abandoned", "withdrawn")
                    self.ends_now(step, "abandoned")
                    self.abandoned.add(step)
                case Done():
                    self.done = command

    def check_start(self, start: Start) -> None:
        assert start.step not in self.ends
        assert start.step not in self.pending
        assert start.step not in self.running
        assert start.retry == self.retries[start.step]
        spec = self.specs[start.spec]
        assert start.inputs.keys() == {each.name for each in spec.inputs}
        for given in spec.inputs:
            expected = tuple(self.refs(given, start.mapping_key))
            assert start.inputs[given.name] == expected
            assert expected or any(source.kind is FeedKind.COLLECT for source in given.sources)

    def refs(self, given: StepInputSpec, mapping_key: str | None) -> Iterator[OutputRef]:
        """What an input gets: all that its sources really gave, in order."""
        for source in given.sources:
            if source.kind is FeedKind.MAPPED:
                if mapping_key is not None:
                    yield OutputRef(source.step, source.output, mapping_key)
            elif source.kind is FeedKind.DIRECT:
                step = f"{source.step}[{mapping_key}]" if source.step in self.graph.origins else source.step
                if (source.output, None) in self.given.get(step, ()):
                    yield OutputRef(step, source.output)
            elif source.step in self.graph.origins:
                for key in self.keys_of(self.graph.origins[source.step]):
                    if (source.output, None) in self.given.get(f"{source.step}[{key}]", ()):
                        yield OutputRef(f"{source.step}[{key}]", source.output)
            else:
                yield from (OutputRef(source.step, source.output, key) for key in self.keys_of(source.step))

    def keys_of(self, producer: str) -> list[str]:
        return [key for name, key in self.given.get(producer, ()) if name == "keys" and key is not None]

    def ends_now(self, step: str, how: str) -> None:
        assert step not in self.ends, f"{step} has {self.ends[step]} and is {how} now"
        assert step not in self.pending
        assert step not in self.running
        self.ends[step] = how

    def tell(self, step: str, fact: Fact) -> None:
        self.diary.append(Event(time=self.now, fact=fact, step_key=step))

    def known(self) -> list[str]:
        """The steps that there are by now, mapped ones by key; a mapped step as such until its keys are known."""
        found = list(self.specs)
        for step, origin in self.graph.origins.items():
            if self.scheduler.state(step) is StepState.EXPANDED:
                found += [f"{step}[{key}]" for key in self.keys_of(origin)]
        return found

    @invariant()
    def no_limit_is_exceeded(self) -> None:
        active = [*self.pending.values(), *self.running.values()]
        assert self.max_concurrent is None or len(active) <= self.max_concurrent
        used = Counter(slot for each in active for slot in slots_of(self.specs[each.spec].tags, self.limits))
        assert all(count <= slot[0].limit for slot, count in used.items())

    @invariant()
    def it_is_done_when_nothing_is_left(self) -> None:
        if self.done is not None:
            assert not self.pending
            assert not self.running
            assert self.scheduler.unended() == set()
            assert self.scheduler.next_due() is None
        else:
            assert self.pending or self.running or self.scheduler.next_due() is not None

    def teardown(self) -> None:
        """Let everything come to its end, and see that each step ended as what was before it says."""
        if not hasattr(self, "graph"):
            return
        while self.done is None:
            if self.pending:
                start = self.pending.pop(min(self.pending))
                self.running[start.step] = start
            elif self.running:
                step = min(self.running)
                del self.running[step]
                self.ends[step], self.given[step] = "succeeded", (("result", None),)
                self.take(self.scheduler.handle(Succeeded(step, (("result", None),)), self.now))
            else:
                due = self.scheduler.next_due()
                assert due is not None, "it hangs"
                self.now = max(self.now, due)
                self.take(self.scheduler.wake(self.now))
        failed = {step for step, how in self.ends.items() if how == "failed"}
        assert set(self.done.failed) == failed
        outcome = Outcome.STOPPED if self.stopping else Outcome.FAILURE if failed else Outcome.SUCCESS
        assert self.done.outcome is outcome
        if self.stopping:
            return
        for spec in self.graph.specs:
            origin = self.graph.origins.get(spec.key)
            if origin is None or self.scheduler.state(spec.key) is not StepState.EXPANDED:
                assert self.ended(spec.key, spec, None), f"{spec.key} has {self.ends.get(spec.key)}"
            else:
                for key in self.keys_of(origin):
                    assert self.ended(f"{spec.key}[{key}]", spec, key)

    def ended(self, step: str, spec: StepSpec, mapping_key: str | None) -> bool:
        """Whether a step ended as it must, from how those ended that feed it."""
        feeding = [upstream for given in spec.inputs for upstream in self.feeding(given, mapping_key)]
        how = self.ends.get(step)
        if any(self.ends.get(each) in ("failed", "abandoned") for each in feeding):
            return how == "abandoned"
        for given in spec.inputs:
            if mapping_key is None and any(source.step in self.graph.origins for source in given.sources):
                collected = [source.step for source in given.sources if source.kind is FeedKind.COLLECT]
                if not collected:  # a mapped step that was not even mapped: what it is mapped over was skipped
                    return how == "skipped"
            none_wanted = all(
                source.kind is FeedKind.COLLECT and not self.feeding_keys(source) and self.is_mapped_out(source)
                for source in given.sources
            )
            if not none_wanted and not any(True for _ in self.refs(given, mapping_key)):
                return how == "skipped"
        return how in ("succeeded", "failed")

    def feeding(self, given: StepInputSpec, mapping_key: str | None) -> Iterator[str]:
        for source in given.sources:
            if source.step not in self.graph.origins:
                yield source.step
            elif source.kind is FeedKind.DIRECT and mapping_key is not None:
                yield f"{source.step}[{mapping_key}]"
            elif self.scheduler.state(source.step) is StepState.EXPANDED:
                yield from (f"{source.step}[{key}]" for key in self.feeding_keys(source))
            else:
                yield source.step

    def feeding_keys(self, source: Source) -> list[str]:
        return self.keys_of(self.graph.origins.get(source.step, source.step))

    def is_mapped_out(self, source: Source) -> bool:
        """Whether what is collected is known, and nothing."""
        return self.ends.get(self.graph.origins.get(source.step, source.step)) == "succeeded"


@pytest.mark.timeout(300)
def test_the_scheduler_keeps_its_rules_whatever_happens() -> None:
    run_state_machine_as_test(
        Model, settings=settings(max_examples=200, stateful_step_count=40, suppress_health_check=list(HealthCheck))
    )
