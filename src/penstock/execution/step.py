"""One attempt of one step, from its first fact to its last, and what is to follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from ..definitions.events import Failure, RetryRequested
from ..engine.step_messages import Start
from ..errors import (
    ExecutionInterruptedError,
    FencedError,
    InternalError,
    PenstockError,
    StepTimeoutError,
    TypeCheckDidNotPassError,
)
from ..plan.model import Step
from ..records import event as facts
from ..records.event import Fact
from ..records.wire import StepDone
from .attempt import Attempt
from .blame import describe_user_error, is_from_user_code
from .call import Coroutines, call, yields
from .context import AssetCheckExecutionContext, AssetExecutionContext, OpExecutionContext
from .hooks import run_hooks
from .inputs import load_input
from .interrupt import INTERRUPTS
from .log import lines_to
from .meter import COMPUTING, LOADING, STORING, Meter
from .outputs import Outputs
from .prepared import PreparedStep
from .recorder import Recorder
from .resources import OpenResources
from .scope import RunScope

__all__ = ["StepEnd", "context_for", "overtime", "run_step", "wait_by_policy"]

_NO_VALUES: Mapping[tuple[str, str | None], Any] = {}


class StepEnd:
    """How an attempt ended.

    Args:
        done: What is to follow from it.
        error: What user code raised, if it failed.
        values: What it gave, while it is in memory: (output, mapping key) -> value.
    """

    __slots__ = ("done", "error", "values")

    def __init__(
        self,
        done: StepDone,
        error: BaseException | None = None,
        values: Mapping[tuple[str, str | None], Any] = _NO_VALUES,
    ) -> None:
        self.done = done
        self.error = error
        self.values = values


def run_step(
    scope: RunScope,
    start: Start,
    recorder: Recorder,
    opened: OpenResources,
    meter: Meter | None = None,
    coroutines: Coroutines | None = None,
) -> StepEnd:
    """Run one attempt of a step.

    Args:
        scope: The run.
        start: Which step, which attempt, and what feeds it.
        recorder: Takes its facts.
        opened: The resources that it may use.
        meter: What measures it, if it began earlier, with the set-up of its resources.
        coroutines: Runs those of its function; a loop of its own if not given.

    Raises:
        FencedError: The run's attempt is over; nothing more may be done for it.
    """
    prepared = scope.prepared(start.spec)
    step, key = prepared.step, start.step
    emit = recorder.emit
    events: list[facts.Event] = []  # kept for hooks alone

    def record(fact: Fact) -> None:
        if not step.hooks:
            emit(fact, key)
            return
        event = facts.Event(time=scope.environment.clock.now(), fact=fact, step_key=key)
        events.append(event)
        emit(fact, key, event.time)

    op = step.op
    attempt = Attempt(
        op=op,
        run=scope.run,
        key=key,
        record=record,
        now=scope.environment.clock.now,
        config=prepared.config,
        resources=opened.view(op.required_resource_keys),
        opened=opened,
        inputs=step.inputs_by_name,
        outputs=step.outputs_by_name,
        asset_keys=step.asset_keys or step.serves,
        check_keys=step.check_keys,
        partitions=step.partitions,
        dynamic=scope.dynamic,
        job=scope.job,
        instance=scope.environment.instance,
        artifacts=scope.environment.artifacts,
        retry=start.retry,
        mapping_key=start.mapping_key,
        tags=step.tags,
        log_level=scope.environment.python_logs.level,
    )
    monotonic = scope.environment.clock.monotonic
    begun = monotonic()
    meter = meter or Meter(monotonic, start.queued)
    again = start.retry > 0 or start.again is not None
    record(facts.StepRestarted(retry=start.retry, reason=start.again) if again else facts.StepStart())
    outputs = Outputs(attempt, prepared)
    try:
        limit = nullcontext() if step.timeout is None else INTERRUPTS.within(step.timeout, overtime(step))
        with limit, lines_to(attempt.emit):
            _compute(scope, start, attempt, prepared, outputs, meter, coroutines)
        if step.timeout is not None and monotonic() - begun > step.timeout:
            raise StepTimeoutError(overtime(step))  # nothing could stop it, and it is late all the same
    except FencedError:
        raise
    except (ExecutionInterruptedError, KeyboardInterrupt) as error:
        record(facts.StepFailure(error=describe_user_error(error), source="INTERRUPT", figures=meter.figures()))
        return StepEnd(StepDone(outcome="failure"), error)
    except (Exception, SystemExit, GeneratorExit, StepTimeoutError) as error:  # noqa: BLE001 - it becomes the step's failure
        return _failed(scope, start, attempt, prepared, error, events, meter)
    record(facts.StepSuccess(seconds=monotonic() - begun, figures=meter.figures()))
    if step.hooks:
        run_hooks(attempt, step.hooks, events, None, outputs.values)
    return StepEnd(StepDone(outcome="success", outputs=tuple(outputs.given)), None, outputs.values)


def context_for(attempt: Attempt) -> OpExecutionContext:
    """The context of the kind that the step's function expects."""
    if attempt.asset_keys:
        return AssetExecutionContext(attempt)
    return AssetCheckExecutionContext(attempt) if attempt.check_keys else OpExecutionContext(attempt)


def _compute(
    scope: RunScope,
    start: Start,
    attempt: Attempt,
    prepared: PreparedStep,
    outputs: Outputs,
    meter: Meter,
    coroutines: Coroutines | None,
) -> None:
    function = prepared.step.op.function
    meter.enter(LOADING)
    kwargs: dict[str, Any] = {
        slot.name: load_input(attempt, slot, start.inputs.get(slot.name, ()), scope.plan, scope.config)
        for slot in prepared.inputs
    }
    if function.config is not None:
        kwargs["config"] = prepared.typed_config
    for key in function.resources:
        kwargs[key] = attempt.opened.values[key]
    args = (context_for(attempt),) if function.takes_context else ()
    take = outputs.take_yielded if yields(function) else outputs.take_returned
    meter.enter(COMPUTING)
    for result in call(function, args, kwargs, coroutines):
        meter.enter(STORING)
        take(result)
        meter.enter(COMPUTING)
    meter.enter(STORING)
    outputs.finish()


def overtime(step: Step) -> str:
    """What is told of a step whose time is over."""
    return (
        f'Step "{step.key}" ran longer than its timeout of {step.timeout:g} s and was stopped; give it more time, '
        "or less to do."
    )


def _failed(
    scope: RunScope,
    start: Start,
    attempt: Attempt,
    prepared: PreparedStep,
    error: BaseException,
    events: Sequence[facts.Event],
    meter: Meter,
) -> StepEnd:
    shown = error.__cause__ if isinstance(error, RetryRequested) and error.__cause__ is not None else error
    wait = _wait_before_retry(scope, start, error)
    if wait is not None:
        attempt.emit(
            facts.StepUpForRetry(
                error=describe_user_error(shown), retry=start.retry + 1, wait=wait, figures=meter.figures()
            )
        )
        return StepEnd(StepDone(outcome="retry", wait=wait), error)
    attempt.emit(
        facts.StepFailure(
            error=describe_user_error(shown),
            source=_source(shown),
            metadata=error.metadata if isinstance(error, Failure | TypeCheckDidNotPassError) else {},
            figures=meter.figures(),
        )
    )
    if prepared.step.hooks:
        run_hooks(attempt, prepared.step.hooks, events, error, _NO_VALUES)
    return StepEnd(StepDone(outcome="failure"), error)


def _wait_before_retry(scope: RunScope, start: Start, error: BaseException) -> float | None:
    """Seconds until the next attempt; None if there is none."""
    if isinstance(error, RetryRequested):
        allowed = scope.retries and start.retry < error.max_retries
        return (error.seconds_to_wait or 0.0) if allowed else None
    if isinstance(error, Failure) and not error.allow_retries:
        return None
    return wait_by_policy(scope, start)


def wait_by_policy(scope: RunScope, start: Start) -> float | None:
    """Seconds that the step's policy asks for before the attempt after `start`; None if it allows no more."""
    policy = scope.prepared(start.spec).step.retry_policy if scope.retries else None
    if policy is None or start.retry >= policy.max_retries:
        return None
    return policy.wait(start.retry + 1, scope.chance())


def _source(error: BaseException) -> str:
    """Whose fault it is: an error that we raise on purpose, or that has a frame outside Penstock, is the user's."""
    on_purpose = isinstance(error, PenstockError | StepTimeoutError) and not isinstance(error, InternalError)
    return "USER_CODE_ERROR" if on_purpose or is_from_user_code(error) else "FRAMEWORK_ERROR"
