"""Each fact as one plain sentence for the log, and how loud it is."""

from __future__ import annotations

from .event import (
    AssetCheckEvaluation,
    AssetCheckEvaluationPlanned,
    AssetMaterialization,
    AssetMaterializationPlanned,
    AssetObservation,
    AssetWiped,
    EngineNote,
    Event,
    Fact,
    FreshnessStateChange,
    HandledOutput,
    HookCompleted,
    HookErrored,
    HookSkipped,
    LoadedInput,
    LogLine,
    LogsCaptured,
    ResourceInitFailure,
    ResourceInitStarted,
    ResourceInitSuccess,
    RunCanceled,
    RunCanceling,
    RunEnqueued,
    RunFailure,
    RunResumed,
    RunStart,
    RunStarting,
    RunSuccess,
    StepFailure,
    StepInput,
    StepOutput,
    StepRestarted,
    StepSkipped,
    StepStart,
    StepSuccess,
    StepUpForRetry,
    StepWorkerStarted,
    StepWorkerStarting,
)
from .freshness_state import FreshnessState

__all__ = ["level_of", "phrase", "phrase_seconds"]


def phrase(event: Event) -> str:
    """The event as one sentence; a log line that user code wrote is its own text."""
    return _phrase(event.fact, event.step_key or "the run")


def level_of(event: Event) -> str:
    """How loud the event is: DEBUG, INFO, WARNING, ERROR or CRITICAL."""
    match event.fact:
        case LogLine(level=level):
            return level
        case RunFailure() | RunCanceled() | StepFailure() | ResourceInitFailure() | HookErrored():
            return "ERROR"
        case AssetCheckEvaluation(passed=False, severity=severity):
            return "ERROR" if severity == "ERROR" else "WARNING"
        case EngineNote(error=error) if error is not None:
            return "ERROR"
        case FreshnessStateChange(state=FreshnessState.WARN | FreshnessState.FAIL):
            return "WARNING"
        case StepUpForRetry():
            return "WARNING"
        case (
            RunEnqueued()
            | RunStarting()
            | RunStart()
            | RunResumed()
            | RunSuccess()
            | RunCanceling()
            | StepStart()
            | StepRestarted()
            | StepSkipped()
            | StepSuccess()
            | AssetMaterialization()
            | AssetObservation()
            | AssetCheckEvaluation()
            | AssetWiped()
            | FreshnessStateChange()
            | EngineNote()
        ):
            return "INFO"
        case _:
            return "DEBUG"


def phrase_seconds(seconds: float) -> str:
    """A duration in the unit that fits: `850 ms`, `12.3 s`, `4 min 5 s`, `2 h 3 min`."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def _phrase(fact: Fact, who: str) -> str:
    match fact:
        # the run
        case RunEnqueued(reason=None):
            return "The run was put into the queue."
        case RunEnqueued(reason=reason):
            return f"The run was put back into the queue: {_sentence(reason)}"
        case RunStarting():
            return "The run is being launched."
        case RunStart(pid=pid, executor=executor):
            return f"The run began{_where(pid, executor)}."
        case RunResumed(pid=pid, executor=executor, done=ended):
            return f"The run goes on{_where(pid, executor)}; {ended} of its steps had ended before."
        case RunSuccess():
            return "The run ended well."
        case RunFailure(message=message):
            return f"The run failed. {_sentence(message)}"
        case RunCanceling(actor=actor):
            return f"{actor or 'Somebody'} asked the run to stop."
        case RunCanceled(message=message):
            return f"The run was canceled. {_sentence(message)}" if message else "The run was canceled."
        # steps
        case StepWorkerStarting():
            return f"Starting a process for {who}."
        case StepWorkerStarted(pid=pid):
            return f"Process {pid} works on {who}."
        case LogsCaptured(steps=steps):
            return f"Capturing the output of {_list(steps) or who}."
        case ResourceInitStarted(resources=resources):
            return f"Setting up {_list(resources) or 'resources'}."
        case ResourceInitSuccess(seconds=seconds):
            done = [f"{name} ({phrase_seconds(each)})" for name, each in seconds.items()]
            return f"Set up {_list(done) or 'resources'}."
        case ResourceInitFailure(resource=resource, error=error):
            return f"The set-up of the resource {resource} failed with {error.cls}: {_sentence(error.message)}"
        case StepStart():
            return f"Began {who}."
        case StepRestarted(retry=retry, reason=None):
            return f"Began {who} again, retry {retry}."
        case StepRestarted(reason=reason):
            return f"Began {who} again: {_sentence(reason)}"
        case StepUpForRetry(error=error, retry=retry, wait=wait):
            when = f"in {phrase_seconds(wait)}" if wait else "at once"
            return f"{_upper(who)} failed with {error.root().cls}; retry {retry} follows {when}."
        case LoadedInput(input=name, io_manager=manager, upstream_step=step, upstream_output=output):
            source = f" from the output {output} of {step}" if step and output else ""
            return f"Loaded the input {name}{source} with {manager}."
        case StepInput(input=name, type_name=type_name):
            return f"Got the input {name}{_of_type(type_name)}."
        case StepOutput(output=name, mapping_key=key, type_name=type_name):
            return f"Gave the output {_keyed(name, key)}{_of_type(type_name)}."
        case HandledOutput(output=name, mapping_key=key, io_manager=manager):
            return f"Stored the output {_keyed(name, key)} with {manager}."
        case StepSuccess(seconds=seconds):
            return f"Finished {who} in {phrase_seconds(seconds)}."
        case StepFailure(error=error, source="INTERRUPT"):
            return f"{_upper(who)} was interrupted. {_sentence(error.message)}".rstrip()
        case StepFailure(error=error):
            root = error.root()
            return _sentence(f"{_upper(who)} failed with {root.cls}{': ' if root.message else ''}{root.message}")
        case StepSkipped(reason=reason):
            return f"Skipped {who}: {_sentence(reason)}"
        case HookCompleted(hook=hook):
            return f"The hook {hook} ran for {who}."
        case HookErrored(hook=hook, error=error):
            return f"The hook {hook} raised {error.cls}: {_sentence(error.message)}"
        case HookSkipped(hook=hook):
            return f"The hook {hook} had nothing to do for {who}."
        # assets
        case AssetMaterializationPlanned(asset=asset, partition=partition):
            return f"Will make {_part(asset, partition)}."
        case AssetMaterialization(asset=asset, partition=partition, description=description):
            return f"Made {_part(asset, partition)}.{_more(description)}"
        case AssetObservation(asset=asset, partition=partition, description=description):
            return f"Observed {_part(asset, partition)}.{_more(description)}"
        case AssetCheckEvaluationPlanned(asset=asset, check=check, partition=partition):
            return f"Will check {check} of {_part(asset, partition)}."
        case AssetCheckEvaluation(
            asset=asset, check=check, passed=passed, partition=partition, description=description
        ):
            verdict = "passed" if passed else "did not pass"
            return f"The check {check} of {_part(asset, partition)} {verdict}.{_more(description)}"
        case AssetWiped(asset=asset, partitions=None):
            return f"Forgot what was known of {asset}."
        case AssetWiped(asset=asset, partitions=partitions):
            return f"Forgot what was known of {asset}, partitions {_list(partitions or ())}."
        case FreshnessStateChange(asset=asset, state=state):
            return f"The freshness of {asset} is {state}."
        # the rest
        case LogLine(message=message) | EngineNote(message=message):
            return message


def _where(pid: int | None, executor: str | None) -> str:
    where = f" in process {pid}" if pid is not None else ""
    return f"{where} with the {executor} executor" if executor else where


def _sentence(text: str | None) -> str:
    """The text with a full stop where it has no ending of its own."""
    text = (text or "").strip()
    return text if not text or text[-1] in ".!?:" else f"{text}."


def _upper(text: str) -> str:
    return "The run" if text == "the run" else text


def _list(names: tuple[str, ...] | list[str]) -> str:
    shown = list(names[:5])
    if len(names) > 5:
        shown.append(f"{len(names) - 5} more")
    return ", ".join(shown)


def _of_type(type_name: str | None) -> str:
    return f" of type {type_name}" if type_name else ""


def _keyed(name: str, key: str | None) -> str:
    return name if key is None else f"{name}[{key}]"


def _part(asset: str, partition: str | None) -> str:
    return asset if partition is None else f"{asset} [{partition}]"


def _more(description: str | None) -> str:
    return f" {_sentence(description)}" if description else ""
