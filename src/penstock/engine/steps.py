"""Decides which steps of one run go next: facts about steps in, commands out. It knows no time, process or storage.

A step goes from state to state as the table in `step_state` says.

A step that claims takes no place. While a place is free for it, `wants_slots` says what to claim; nothing of a lower
rank is started until `Claimed` says what came of it. Those that got nothing are passed by from then on, until
`claim_again`.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from ..errors import IllegalTransitionError, InternalError
from .limits import Slot, TagLimit, slots_of
from .progress import given_up
from .step_messages import (
    Abandon,
    Claimed,
    Command,
    Done,
    Failed,
    FeedKind,
    Outcome,
    OutputRef,
    Past,
    PastState,
    Retry,
    Skip,
    Start,
    StepFact,
    StepPast,
    StepSpec,
    Stop,
    Succeeded,
    WantedSlots,
    Wish,
    Withdrawn,
)
from .step_state import TRANSITIONS, Step, StepState

__all__ = ["StepScheduler"]


class StepScheduler:
    """The steps of one run, and the rule which of them goes next.

    Args:
        specs: The steps, each after those that feed it.
        max_concurrent: How many may run at once; None for no limit.
        tag_limits: Limits on steps with certain tags.
    """

    def __init__(
        self, specs: Iterable[StepSpec], *, max_concurrent: int | None = None, tag_limits: Iterable[TagLimit] = ()
    ) -> None:
        self._steps: dict[str, Step] = {}
        self._origin: dict[str, tuple[str, str]] = {}  # mapped step -> the dynamic output that it is mapped over
        self._templates: dict[str, list[StepSpec]] = {}  # producing step -> the steps mapped over its outputs
        self._collectors: dict[str, list[str]] = {}  # producing step -> the steps that collect from it or its mapped
        self._free = max_concurrent
        self._ready: list[tuple[int, int, Step]] = []
        self._retrying: list[tuple[float, int, Step]] = []
        self._claiming: dict[str, tuple[int, int, Step]] = {}
        self._asked: set[str] = set()  # of those that claim, the ones that got nothing
        self._limits = tuple(tag_limits)
        self._in_use: dict[Slot, int] = {}
        self._parked: dict[Slot, list[tuple[int, int, Step]]] = {}
        self._order = 0
        self._now = 0.0
        self._open = 0
        self._failed: list[str] = []
        self._stopping = False
        self._done = False
        self._past: dict[str, StepPast] = {}
        self._began = 0.0
        self._commands: list[Command] = []
        self._ended: list[Step] = []  # ended, their dependents not yet told (a list, since chains are long)
        for spec in specs:
            self._add(spec)

    def begin(self, now: float, past: Past | None = None) -> list[Command]:
        """The first commands; with a `past`, those that go on from there. What was told before is not told again."""
        self._past = dict(past or {})
        self._began = self._now = now
        self._abandon_mapped()
        for step in list(self._steps.values()):
            self._settle_if_free(step)
        return self._give(now)

    def unended(self) -> set[str]:
        """The keys, as the plan has them, of the steps of which something has not ended."""
        return {step.spec.key for step in self._steps.values() if step.state in TRANSITIONS}

    def handle(self, fact: StepFact, now: float) -> list[Command]:
        """What follows from a fact. Raises `IllegalTransitionError` when the fact does not fit the step's state."""
        self._now = now
        match fact:
            case Succeeded():
                step = self._running(fact.step, fact)
                step.move(StepState.SUCCEEDED, fact)
                step.given = fact.outputs
                self._release(step)
                self._expand(step)
                self._close(step)
            case Failed():
                step = self._running(fact.step, fact)
                step.move(StepState.FAILED, fact)
                self._failed.append(step.key)
                self._release(step)
                self._close(step)
            case Retry():
                step = self._running(fact.step, fact)
                step.move(StepState.RETRYING, fact)
                step.retry += 1
                self._release(step)
                self._order += 1
                heapq.heappush(self._retrying, (fact.due, self._order, step))
                if self._stopping:
                    self._stop()
            case Withdrawn():
                step = self._running(fact.step, fact)
                step.move(StepState.ABANDONED, fact)
                self._release(step)
                self._close(step)
            case Claimed():
                self._start_claimed(fact)
            case Stop():
                self._stopping = True
                self._stop()
        return self._give(now)

    def wake(self, now: float) -> list[Command]:
        """What follows from time having passed; call it at `next_due`."""
        self._now = now
        return self._give(now)

    def next_due(self) -> float | None:
        """When the next retry is due; None when no step waits for one."""
        return self._retrying[0][0] if self._retrying else None

    def wants_slots(self) -> WantedSlots | None:
        """What to claim now; None when no place is free, or none of those that claim was not asked for already."""
        if self._free == 0 or len(self._asked) == len(self._claiming):
            return None
        wishes: list[Wish] = []
        alike: Counter[tuple[str, ...]] = Counter()
        in_use = dict(self._in_use)
        for _, _, step in sorted(self._claiming.values(), key=lambda entry: entry[:2]):
            if self._free is not None and alike[step.spec.pools] >= self._free:
                continue  # so many of the same pools could start and no more
            slots = self._slots(step)
            if all(in_use.get(slot, 0) < slot[0].limit for slot in slots):
                for slot in slots:
                    in_use[slot] = in_use.get(slot, 0) + 1
                alike[step.spec.pools] += 1
                wishes.append(Wish(step.key, step.spec.pools, step.retry, step.spec.priority))
        return WantedSlots(tuple(wishes), self._free) if wishes else None

    def claim_again(self) -> None:
        """Slots may have come free, or what was asked for was withdrawn: whoever claims is asked for anew."""
        self._asked.clear()

    @property
    def is_claiming(self) -> bool:
        """Whether some step waits for slots."""
        return bool(self._claiming)

    @property
    def has_place(self) -> bool:
        """Whether another step could run."""
        return self._free is None or self._free > 0

    def state(self, key: str) -> StepState:
        """Where a step stands."""
        return self._steps[key].state

    # -- building -----------------------------------------------------------------------------------------------------

    def _add(self, spec: StepSpec) -> None:
        step = Step(spec, spec.key, None)
        if spec.key in self._steps:
            raise InternalError(f"Two steps of the plan have the key {spec.key!r}.")
        origins = set()
        feeding: dict[str, None] = {}
        for given in spec.inputs:
            for source in given.sources:
                if source.step not in self._steps:
                    raise InternalError(f"Step {spec.key!r} is fed by {source.step!r}, which is not before it.")
                feeding[source.step] = None
                if source.kind is FeedKind.COLLECT:
                    continue
                if source.step in self._origin:
                    origins.add(self._origin[source.step])
                elif source.kind is FeedKind.MAPPED:
                    origins.add((source.step, source.output))
        if len(origins) > 1:
            raise InternalError(f"Step {spec.key!r} is mapped over more than one dynamic output: {sorted(origins)}.")
        if origins:
            origin = origins.pop()
            self._origin[spec.key] = origin
            self._templates.setdefault(origin[0], []).append(spec)
        self._collect(step)
        self._enter(step, feeding)
        step.inputs = {
            given.name: tuple(OutputRef(source.step, source.output) for source in given.sources)
            for given in spec.inputs
        }

    def _collect(self, step: Step) -> None:
        """Remember whose mapping keys the step has to learn, if it collects."""
        for key in {self._origin.get(source, (source, ""))[0]: None for source in _collected(step.spec)}:
            self._collectors.setdefault(key, []).append(step.key)

    def _enter(self, step: Step, feeding: Iterable[str]) -> None:
        """Make the step known and let it wait for those of `feeding` that have not ended."""
        self._steps[step.key] = step
        self._open += 1
        for key in feeding:
            upstream = self._steps[key]
            if upstream.state in TRANSITIONS:
                step.waits += 1
                upstream.dependents.append(step)

    # -- a dynamic output's keys are known ----------------------------------------------------------------------------

    def _expand(self, producer: Step) -> None:
        # A template that is no longer waiting was abandoned, because another step that feeds it failed.
        templates = [
            spec for spec in self._templates.get(producer.key, ()) if self._steps[spec.key].state is StepState.WAITING
        ]
        new: list[Step] = []
        instances: dict[str, list[str]] = {}
        for spec in templates:
            output = self._origin[spec.key][1]
            keys = [key for name, key in producer.given if name == output and key is not None]
            instances[spec.key] = [self._instance(spec, key, new).key for key in keys]
        for key in instances:
            self._steps[key].move(StepState.EXPANDED, producer.key)
            self._open -= 1
        for key in self._collectors.get(producer.key, ()):
            self._widen(self._steps[key], producer, instances)
        for step in new:
            self._settle_if_free(step)

    def _instance(self, spec: StepSpec, mapping_key: str, new: list[Step]) -> Step:
        """The mapped step for one key; what it collects is as far known as its template knows it."""
        step = Step(spec, f"{spec.key}[{mapping_key}]", mapping_key)
        inputs = self._steps[spec.key].inputs
        for given in spec.inputs:
            direct = {source.step for source in given.sources if source.kind is FeedKind.DIRECT}
            mapped = {(source.step, source.output) for source in given.sources if source.kind is FeedKind.MAPPED}
            refs = []
            for ref in inputs[given.name]:
                if ref.step in direct and ref.step in self._origin:
                    refs.append(OutputRef(f"{ref.step}[{mapping_key}]", ref.output))
                elif (ref.step, ref.output) in mapped:
                    refs.append(OutputRef(ref.step, ref.output, mapping_key))
                else:
                    refs.append(ref)
            step.inputs[given.name] = tuple(refs)
        self._collect(step)
        self._enter(step, dict.fromkeys(ref.step for refs in step.inputs.values() for ref in refs))
        new.append(step)
        return step

    def _widen(self, collector: Step, producer: Step, instances: Mapping[str, list[str]]) -> None:
        """Let a collecting step wait for the instances in place of the mapped step, and name all that it collects."""
        if collector.state is not StepState.WAITING:
            return
        for given in collector.spec.inputs:
            collected = {(source.step, source.output) for source in given.sources if source.kind is FeedKind.COLLECT}
            refs: list[OutputRef] = []
            for ref in collector.inputs[given.name]:
                if (ref.step, ref.output) not in collected:
                    refs.append(ref)
                elif ref.step in instances:
                    refs += [OutputRef(key, ref.output) for key in instances[ref.step]]
                elif ref.step == producer.key:
                    refs += [OutputRef(ref.step, name, key) for name, key in producer.given if name == ref.output]
                else:
                    refs.append(ref)  # of another dynamic output, whose keys are not known yet
            collector.inputs[given.name] = tuple(refs)
        for key in _collected(collector.spec) & instances.keys():
            collector.waits -= 1
            for instance in instances[key]:
                collector.waits += 1
                self._steps[instance].dependents.append(collector)
        self._settle_if_free(collector)

    # -- what follows from a step's end -------------------------------------------------------------------------------

    def _close(self, step: Step) -> None:
        self._open -= 1
        self._ended.append(step)

    def _tell(self) -> None:
        """Tell those that wait for steps that have ended, and those that wait for them in turn."""
        for step in self._ended:  # grows while it is walked
            bad = step.state in (StepState.FAILED, StepState.ABANDONED)
            for dependent in step.dependents:
                if dependent.state is not StepState.WAITING:
                    continue
                dependent.waits -= 1
                if bad:
                    self._abandon(dependent, step.key)
                else:
                    self._settle_if_free(dependent)
        self._ended.clear()

    def _settle_if_free(self, step: Step) -> None:
        if step.state is StepState.WAITING and not step.waits:
            self._settle(step)

    def _settle(self, step: Step) -> None:
        """Nothing more is waited for: run the step, skip it, or give it up."""
        for name, refs in step.inputs.items():
            for ref in refs:
                if self._steps[ref.step].state in (StepState.FAILED, StepState.ABANDONED):
                    self._abandon(step, ref.step)
                    return
            given = tuple(self._stored(ref) for ref in refs if self._was_given(ref))
            if refs and not given:
                step.move(StepState.SKIPPED, name)
                if not self._was(step, PastState.SKIPPED):
                    self._commands.append(Skip(step.key, _why_skipped(name, refs, self._steps)))
                self._close(step)
                return
            step.inputs[name] = given
        step.move(StepState.READY, "inputs at hand")
        past = self._past.pop(step.key, None)
        if past is not None:
            self._recall(step, past)
        else:
            self._queue(step)

    def _recall(self, step: Step, past: StepPast) -> None:
        """Bring a step that may run to where it stood under an earlier worker."""
        match past.state:
            case PastState.SUCCEEDED:
                step.move(StepState.SUCCEEDED, past)
                step.given, step.stored_by = past.outputs, past.run_id
                self._expand(step)
                self._close(step)
            case PastState.FAILED:
                step.move(StepState.FAILED, past)
                self._failed.append(step.key)
                self._close(step)
            case PastState.RETRYING:
                step.move(StepState.RETRYING, past)
                step.retry = past.retry
                self._order += 1
                heapq.heappush(self._retrying, (self._began + past.left, self._order, step))
            case PastState.AT_WORK:
                step.retry, step.again = past.retry, past.again
                self._queue(step)
            case _:  # it did not run for want of what is there now
                self._queue(step)

    def _abandon_mapped(self) -> None:
        """Give up the mapped steps that were given up as a whole, before the keys that they are mapped over are
        recalled: which of the two comes first decides, and a past does not tell in what order its steps ended."""
        for key, because in given_up([step.spec for step in self._steps.values()], self._past).items():
            if key in self._origin:
                self._abandon(self._steps[key], because)
        self._tell()

    def _was(self, step: Step, state: PastState) -> bool:
        past = self._past.pop(step.key, None)
        return past is not None and past.state is state

    def _was_given(self, ref: OutputRef) -> bool:
        return (ref.output, ref.mapping_key) in self._steps[ref.step].given

    def _stored(self, ref: OutputRef) -> OutputRef:
        run_id = self._steps[ref.step].stored_by
        return ref if run_id is None else msgspec.structs.replace(ref, run_id=run_id)

    def _abandon(self, step: Step, because: str) -> None:
        step.move(StepState.ABANDONED, because)
        if not self._was(step, PastState.ABANDONED):
            self._commands.append(Abandon(step.key, because))
        self._close(step)

    def _stop(self) -> None:
        self._ready.clear()
        self._retrying.clear()
        self._parked.clear()
        self._claiming.clear()
        self._asked.clear()
        for step in self._steps.values():
            if step.state in (StepState.WAITING, StepState.READY, StepState.CLAIMING, StepState.RETRYING):
                step.move(StepState.ABANDONED, "stop")
                self._open -= 1

    # -- places -------------------------------------------------------------------------------------------------------

    def _queue(self, step: Step) -> None:
        step.ready = self._now
        self._order += 1
        entry = (-step.spec.priority, self._order, step)
        if step.spec.pools:
            step.move(StepState.CLAIMING, "in pools")
            self._claiming[step.key] = entry
        else:
            heapq.heappush(self._ready, entry)

    def _give(self, now: float) -> list[Command]:
        self._tell()
        while self._retrying and self._retrying[0][0] <= now:
            step = heapq.heappop(self._retrying)[2]
            step.move(StepState.READY, "due")
            self._queue(step)
        while self._ready and (self._free is None or self._free > 0):
            if self._claims_before(self._ready[0]):
                break
            entry = heapq.heappop(self._ready)
            step = entry[2]
            full = next((slot for slot in self._slots(step) if not self._has_place(slot)), None)
            if full is not None:
                heapq.heappush(self._parked.setdefault(full, []), entry)
                self._unpark(step)
                continue
            self._start(step)
        if not self._open and not self._done:
            self._done = True
            outcome = Outcome.STOPPED if self._stopping else Outcome.FAILURE if self._failed else Outcome.SUCCESS
            self._commands.append(Done(outcome, tuple(self._failed)))
        commands, self._commands = self._commands, []
        return commands

    def _start(self, step: Step) -> None:
        step.move(StepState.RUNNING, "start")
        for slot in self._slots(step):
            self._in_use[slot] = self._in_use.get(slot, 0) + 1
        if self._free is not None:
            self._free -= 1
        queued = self._now - step.ready
        again, step.again = step.again, None
        self._commands.append(Start(step.key, step.spec.key, step.mapping_key, step.retry, step.inputs, queued, again))

    def _start_claimed(self, fact: Claimed) -> None:
        for key in fact.granted:
            if key not in self._claiming or not self.has_place:
                state = self._steps[key].state if key in self._steps else f"no step {key!r}"
                raise IllegalTransitionError(f"step {key}", state, fact)
        for key in fact.granted:
            self._start(self._claiming.pop(key)[2])
        # Without a place left, the others wait for a place, and not for their pools.
        self._asked = set(self._claiming) if self.has_place else set()

    def _claims_before(self, entry: tuple[int, int, Step]) -> bool:
        """Whether a step that claims, and was not asked for yet, has its turn before this one."""
        return len(self._asked) < len(self._claiming) and any(
            each[:2] < entry[:2] and key not in self._asked and self._fits(each[2])
            for key, each in self._claiming.items()
        )

    def _fits(self, step: Step) -> bool:
        return all(self._has_place(slot) for slot in self._slots(step))

    def _slots(self, step: Step) -> list[Slot]:
        return slots_of(step.spec.tags, self._limits)

    def _has_place(self, slot: Slot) -> bool:
        return self._in_use.get(slot, 0) < slot[0].limit

    def _release(self, step: Step) -> None:
        if self._free is not None:
            self._free += 1
        for slot in self._slots(step):
            self._in_use[slot] -= 1
            self._asked.clear()  # what this limit kept from being asked for
        self._unpark(step)

    def _unpark(self, step: Step) -> None:
        """Let the first step that waits for a free place of a kind that `step` uses try again."""
        for slot in self._slots(step):
            if self._parked.get(slot) and self._has_place(slot):
                heapq.heappush(self._ready, heapq.heappop(self._parked[slot]))

    def _running(self, key: str, fact: StepFact) -> Step:
        step = self._steps.get(key)
        if step is None:
            raise IllegalTransitionError("steps", f"no step {key!r}", fact)
        if step.state is not StepState.RUNNING:
            raise IllegalTransitionError(f"step {key}", step.state, fact, step.history)
        return step


def _collected(spec: StepSpec) -> set[str]:
    """The steps whose values a step collects."""
    return {source.step for given in spec.inputs for source in given.sources if source.kind is FeedKind.COLLECT}


def _why_skipped(name: str, refs: tuple[OutputRef, ...], steps: Mapping[str, Step]) -> str:
    skipped = [ref.step for ref in refs if steps[ref.step].state is StepState.SKIPPED]
    if len(skipped) == len(refs):
        return f"Input {name!r} is fed by {_listed(skipped)}, which was skipped."
    return f"Input {name!r} needs {_listed([f'{ref.step}.{ref.output}' for ref in refs])}, which was not given."


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
