"""The direct call of a function: resources are set up around it, what it yields is held against its outputs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Coroutine, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from ..clock import SYSTEM_CLOCK
from ..definitions.events import DynamicOutput, MaterializeResult, ObserveResult, Output
from ..definitions.function import CallForm
from ..definitions.ops.op import OpDefinition
from ..definitions.resources.configurable import ConfigurableResource
from ..definitions.resources.resource import to_resources
from ..errors import UsageError
from .configuration import resource_configs
from .resources import set_up

__all__ = ["run_directly"]


def run_directly(definition: Any, op: OpDefinition, first: tuple[Any, ...], given: Mapping[str, Any]) -> Any:
    """Call an op's function and give its result as it is: a value, a generator or a coroutine.

    Args:
        definition: The op, or the assets or checks that are made of it.
        op: The op.
        first: The context, if the function takes one.
        given: The arguments by name. Configurable resources among them are set up now, and torn down at the end.

    Raises:
        UsageError: While it yields: it names an output or asset that it does not have, or one twice, or leaves one out.
        ResourceError: A resource could not be set up.
    """
    function, stack = op.function, ExitStack()
    with stack:
        arguments = {**given, **stack.enter_context(_ready(op, given))}
        results = _Results(definition, op)
        match function.form:
            case CallForm.SYNC:
                return function.fn(*first, **arguments)
            case CallForm.GENERATOR:
                return _each(function.fn(*first, **arguments), results, stack.pop_all())
            case CallForm.ASYNC:
                return _awaited(function.fn(*first, **arguments), stack.pop_all())
            case CallForm.ASYNC_GENERATOR:
                return _each_async(function.fn(*first, **arguments), results, stack.pop_all())


@contextmanager
def _ready(op: OpDefinition, given: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The configurable resources among the arguments, set up."""
    values = {key: given[key] for key in op.function.resources if isinstance(given.get(key), ConfigurableResource)}
    definitions = to_resources(values, "A direct call")
    config = resource_configs(definitions, {})
    with set_up(definitions, definitions, config, clock=SYSTEM_CLOCK, emit=lambda _: None) as opened:
        yield {key: opened.values[key] for key in definitions}


class _Results:
    """What a function has yielded so far, held against the outputs that it has."""

    def __init__(self, definition: Any, op: OpDefinition) -> None:
        self._what = f"{op.what} ({op.source})"
        self._outs = op.outs
        self._assets = () if isinstance(definition, OpDefinition) else [spec.key for spec in definition.specs]
        self._checks = {} if isinstance(definition, OpDefinition) else definition.check_outputs
        self._given: set[tuple[str, str | None]] = set()
        self._told = False

    def take(self, item: Any) -> None:
        match item:
            case Output() | DynamicOutput():
                key = (item.output_name, item.mapping_key if isinstance(item, DynamicOutput) else None)
                if item.output_name not in self._outs:
                    known = ", ".join(self._outs) or "none"
                    raise UsageError(
                        f"{self._what} gave an output {item.output_name!r}, which it does not have; "
                        f"its outputs are: {known}."
                    )
                if key in self._given:
                    raise UsageError(f"{self._what} gave its output {item.output_name!r} twice.")
                self._given.add(key)
            case MaterializeResult() | ObserveResult():
                self._told = True
                if item.asset_key is not None and item.asset_key not in self._assets:
                    known = ", ".join(key.to_user_string() for key in self._assets) or "none"
                    raise UsageError(
                        f"{self._what} gave a {type(item).__name__} for {item.asset_key}; its assets are: {known}."
                    )

    def finish(self) -> None:
        names = {name for name, _ in self._given}
        missing = [
            name
            for name, out in self._outs.items()
            if out.is_required and not out.is_dynamic and not out.is_nothing and name not in names | self._checks.keys()
        ]
        if missing and not self._told:
            raise UsageError(
                f"{self._what} ended without giving {', '.join(missing)}; give every required output, "
                "or declare those that may be missing with is_required=False."
            )


def _each(generator: Generator[Any, Any, Any], results: _Results, stack: ExitStack) -> Generator[Any, Any, Any]:
    with stack:
        for item in generator:
            results.take(item)
            yield item
        results.finish()


async def _awaited(coroutine: Coroutine[Any, Any, Any], stack: ExitStack) -> Any:
    with stack:
        return await coroutine


async def _each_async(
    generator: AsyncGenerator[Any, Any], results: _Results, stack: ExitStack
) -> AsyncGenerator[Any, Any]:
    with stack:
        async for item in generator:
            results.take(item)
            yield item
        results.finish()
