"""Brings the values of a step's inputs: from what other steps stored, from assets, from config, from defaults."""

from __future__ import annotations

from typing import Any

from ..definitions.events import Failure, RetryRequested
from ..engine.step_messages import OutputRef
from ..plan.model import (
    ExecutionPlan,
    FromAsset,
    FromCollect,
    FromConfig,
    FromDefault,
    FromManager,
    FromMapped,
    FromOutput,
    FromOutputs,
    Step,
    StepOutput,
)
from ..plan.selection import base_step_key
from ..records.event import LoadedInput, StepInput
from ..records.keys import AssetKey
from .attempt import Attempt
from .configuration import Configuration
from .interrupt import INTERRUPTS
from .io_context import InputContext, OutputContext
from .prepared import InputSlot
from .type_check import check_value, load_from_config

__all__ = ["load_input"]


def load_input(
    attempt: Attempt,
    slot: InputSlot,
    refs: tuple[OutputRef, ...],
    plan: ExecutionPlan,
    config: Configuration,
) -> Any:
    """The value of an input, of its declared type.

    Args:
        attempt: The attempt that needs it.
        slot: The input.
        refs: The stored values that feed it, those that were really given.
        plan: The plan, which knows how each output was stored.
        config: The run's config.

    Raises:
        UserCodeError: It cannot be loaded.
        TypeCheckDidNotPassError: It is not of the declared type.
    """
    match slot.given.source:
        case FromOutput() | FromMapped():
            value = _load(attempt, slot, refs[0], plan, config)
        case FromCollect():
            value = [_load(attempt, slot, ref, plan, config) for ref in refs]
        case FromOutputs(sources=sources):
            left = list(refs)
            value = []
            for each in sources:
                match each:
                    case FromConfig():
                        value.append(config.inputs.get(each.path, each.default))
                    case FromDefault(value=given):
                        value.append(given)
                    case _:
                        value += [_load(attempt, slot, ref, plan, config) for ref in _take(left, each)]
        case FromAsset() as source:
            value = _load_asset(attempt, slot, source, refs)
        case FromConfig(path=path, default=default) if path not in config.inputs:
            value = default
        case FromConfig(path=path):
            value = load_from_config(attempt, slot, config.inputs[path])
        case FromDefault(value=default):
            value = default
        case FromManager():
            value = _load_unfed(attempt, slot)
        case other:
            raise attempt.fault(f"takes its input {slot.name!r} from {other!r}, which passes no value.")
    metadata = check_value(attempt, slot.value_type, value, f"got for its input {slot.name!r}")
    attempt.emit(StepInput(input=slot.name, type_name=slot.value_type.display_name, metadata=metadata))
    return value


def _take(refs: list[OutputRef], source: FromOutput | FromCollect) -> list[OutputRef]:
    """The values of one part of a list, taken from the front of all that were given: one, or all that are collected."""
    count = 0
    while count < len(refs) and (base_step_key(refs[count].step), refs[count].output) == (source.step, source.output):
        count += 1
        if isinstance(source, FromOutput):
            break
    taken = refs[:count]
    del refs[:count]
    return taken


def _load(attempt: Attempt, slot: InputSlot, ref: OutputRef, plan: ExecutionPlan, config: Configuration) -> Any:
    step, upstream = _output_of(plan, ref)
    manager_key = slot.given.io_manager_key or upstream.io_manager_key
    context = InputContext(
        slot.name,
        OutputContext(
            ref.step,
            ref.output,
            ref.run_id or attempt.run.run_id,
            ref.mapping_key,
            version=upstream.definition.code_version,
            job_name=attempt.run.job,
            op_def=step.op,
            config=config.stores.get((*step.config_path, "outputs", upstream.name)),
            definition_metadata=upstream.metadata,
            python_type=upstream.definition.python_type,
            asset_key=None if upstream.asset_key is None else AssetKey.from_user_string(upstream.asset_key),
            instance=attempt.instance,
            artifacts=attempt.artifacts,
        ),
        **_common(attempt, slot, manager_key),
    )
    return _ask(attempt, slot, manager_key, context, ref)


def _load_asset(attempt: Attempt, slot: InputSlot, source: FromAsset, refs: tuple[OutputRef, ...]) -> Any:
    partition = attempt.partition_key
    keys = attempt.upstream_partitions(source)
    about: dict[str, Any] = {
        "asset_key": AssetKey.from_user_string(source.asset_key),
        "partition_key": partition,
        "asset_partition_keys": keys,
        "asset_partitions_def": source.partitions,
    }
    manager_key = slot.given.io_manager_key or source.io_manager_key
    common = _common(attempt, slot, manager_key)
    ref = refs[0] if refs else None
    upstream = OutputContext(
        None if ref is None else ref.step,
        None if ref is None else ref.output,
        None if ref is None else ref.run_id or attempt.run.run_id,
        **(common | about | {"definition_metadata": source.metadata, "op_def": None, "config": None, "attempt": None}),
    )
    context = InputContext(slot.name, upstream, **(common | about))
    return _ask(attempt, slot, manager_key, context, ref)


def _load_unfed(attempt: Attempt, slot: InputSlot) -> Any:
    manager_key = slot.given.io_manager_key
    assert manager_key is not None, "only an input with a manager of its own needs nothing that feeds it"
    return _ask(attempt, slot, manager_key, InputContext(slot.name, **_common(attempt, slot, manager_key)), None)


def _common(attempt: Attempt, slot: InputSlot, manager_key: str) -> dict[str, Any]:
    definition = slot.given.definition
    return {
        "job_name": attempt.run.job,
        "op_def": attempt.op,
        "config": slot.config,
        "definition_metadata": definition.metadata,
        "python_type": definition.python_type,
        "resource_config": attempt.opened.config_of(manager_key),
        "resources": attempt.opened.needs_of(manager_key),
        "partition_key": attempt.partition_key,
        "instance": attempt.instance,
        "artifacts": attempt.artifacts,
        "attempt": attempt,
    }


def _ask(attempt: Attempt, slot: InputSlot, manager_key: str, context: InputContext, ref: OutputRef | None) -> Any:
    manager = attempt.opened.values[manager_key]
    try:
        with INTERRUPTS.user_code:
            value = manager.load_input(context)
    except (Failure, RetryRequested):
        raise
    except Exception as error:
        raise attempt.broken(
            f"could not get its input {slot.name!r} from the IO manager {manager_key!r} "
            f"({type(manager).__qualname__}): {error}"
        ) from error
    attempt.emit(
        LoadedInput(
            input=slot.name,
            io_manager=manager_key,
            upstream_step=None if ref is None else ref.step,
            upstream_output=None if ref is None else ref.output,
            metadata=context.get_logged_metadata(),
        )
    )
    return value


def _output_of(plan: ExecutionPlan, ref: OutputRef) -> tuple[Step, StepOutput]:
    """The step and the output that a stored value is of, as the plan declares them."""
    step = plan.step(ref.step.partition("[")[0])
    return step, next(each for each in step.outputs if each.name == ref.output)
