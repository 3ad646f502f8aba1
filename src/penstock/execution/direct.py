"""Calling an op, asset or check as the function that it is: what a test does. Nothing is stored or recorded."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping
from typing import Any

from ..config.check import check
from ..config.declared import Finished
from ..config.problems import Checked
from ..config.run_config import SupportsConfigDict, plain_config
from ..config.schema import UNSET
from ..definitions.function import Function
from ..definitions.ops.op import OpDefinition
from ..errors import InvocationError, UnknownResourceError
from ..wording import did_you_mean
from .build_context import bound_to, build_asset_check_context, build_asset_context, build_op_context, given_config
from .context import OpExecutionContext
from .direct_results import run_directly

__all__ = ["invoke"]


def invoke(definition: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Call the function of an op, or of what holds one (an asset, a check), and give its result as it is.

    A generator is given as a generator, a coroutine as a coroutine.

    Args:
        definition: The op, or an assets definition.
        args: What the function's parameters take, in their order; the context first if it takes one, which may be None.
        kwargs: Inputs, resources and `config` by name.

    Raises:
        InvocationError: The context or an argument is missing.
        UnknownResourceError: Neither the context nor the arguments hold a resource that the op requires.
        InvalidRunConfigError: The config does not fit.
    """
    op: OpDefinition = definition if isinstance(definition, OpDefinition) else definition.op
    function = op.function
    finished: Finished | None = None
    given_args, given = list(args), dict(kwargs)
    context = _take_context(definition, op, given_args, given)
    names = _parameters(function)
    if len(given_args) > len(names):
        raise InvocationError(
            f"{op.what} ({op.source}) was called with {len(given_args)} values by position, but takes {len(names)} "
            f"({', '.join(names) or 'none'}); leave out the rest."
        )
    for name, value in zip(_by_position(names, function, context, given, len(given_args)), given_args, strict=False):
        if name in given:
            raise InvocationError(f"{op.what} ({op.source}) got {name!r} twice; give it once.")
        given[name] = value
    _add_resources(op, function, context, given)
    if function.config is not None:
        finished = _config_parameter(op, context, given)
    elif context is not None:
        finished = _finished_config(op, given_config(context))
    if not function.takes_any:
        unknown = sorted(set(given).difference(names))
        if unknown:
            raise InvocationError(
                f"{op.what} ({op.source}) has no parameter {unknown[0]!r}{did_you_mean(unknown[0], names)}"
            )
    _add_defaults(op, given)
    first: tuple[Any, ...] = ()
    if function.takes_context:
        first = (bound_to(context, definition, None if finished is None else finished.value),)
    return run_directly(definition, op, first, given)


def _parameters(function: Function) -> list[str]:
    """The names of a function's parameters in their order, without the context."""
    parameters = list(inspect.signature(function.fn).parameters.values())[1 if function.takes_context else 0 :]
    return [each.name for each in parameters if each.kind is not inspect.Parameter.VAR_KEYWORD]


def _by_position(
    names: list[str], function: Function, context: OpExecutionContext | None, given: Mapping[str, Any], count: int
) -> list[str]:
    """The parameters that so many values by position are for: config and resources that come otherwise are left out,
    unless there are values for all."""
    elsewhere = {key for key in function.resources if key in given}
    if "config" in given:
        elsewhere.add("config")
    if context is not None:
        elsewhere.update(context.resources.original_resource_dict.keys() & function.resources)
        if function.config is not None and given_config(context) is not None:
            elsewhere.add("config")
    left = [each for each in names if each not in elsewhere]
    return left if count <= len(left) else names


def _empty_context(definition: Any) -> OpExecutionContext:
    """A context that holds nothing, for a function that is called with None in its place."""
    if isinstance(definition, OpDefinition):
        return build_op_context()
    return build_asset_context() if definition.specs_by_output else build_asset_check_context()


def _take_context(
    definition: Any, op: OpDefinition, args: list[Any], kwargs: dict[str, Any]
) -> OpExecutionContext | None:
    """The context among the arguments, taken out of them."""
    given = kwargs.pop("context", None) if "context" not in op.ins else None
    if given is None and args and isinstance(args[0], OpExecutionContext):
        given = args.pop(0)
    elif given is None and op.function.takes_context and args and args[0] is None:
        args.pop(0)
        return _empty_context(definition)
    if given is not None and not isinstance(given, OpExecutionContext):
        raise InvocationError(
            f"{op.what} ({op.source}) was given {given!r} as its context; make one with build_op_context() "
            "or build_asset_context()."
        )
    if given is not None:
        for key in sorted(op.declared_resource_keys - given.resources.original_resource_dict.keys()):
            raise UnknownResourceError(
                f"{op.what} ({op.source}) needs the resource {key!r}; give it in the resources of the context."
            )
    if given is None and op.function.takes_context and not _context_is_optional(op.function):
        raise InvocationError(
            f"{op.what} ({op.source}) takes a context; give one as the first argument, "
            "made with build_op_context() or build_asset_context()."
        )
    return given


def _context_is_optional(function: Function) -> bool:
    first = next(iter(inspect.signature(function.fn).parameters.values()))
    return first.default is not inspect.Parameter.empty


def _add_resources(
    op: OpDefinition, function: Function, context: OpExecutionContext | None, given: dict[str, Any]
) -> None:
    for key in function.resources:
        if key in given:
            continue
        values = {} if context is None else context.resources.original_resource_dict
        if key not in values:
            raise UnknownResourceError(
                f"{op.what} ({op.source}) needs the resource {key!r}; pass it as {key}=..., "
                "or in the resources of the context."
            )
        given[key] = values[key]


def _config_parameter(op: OpDefinition, context: OpExecutionContext | None, given: dict[str, Any]) -> Finished | None:
    """Fill the parameter `config`, and give the config as a run would; None for a stand-in of the test's."""
    held = None if context is None else given_config(context)
    if "config" not in given:
        finished = _finished_config(op, held)
        given["config"] = finished.typed
        return finished
    if held is not None:
        raise InvocationError(
            f"{op.what} ({op.source}) was given its config twice, by its context and as config; give it once."
        )
    value = given["config"]
    if isinstance(value, Mapping):
        finished = _finished_config(op, value)
        given["config"] = finished.typed
        return finished
    return _finished_config(op, value) if isinstance(value, SupportsConfigDict) else None


def _finished_config(op: OpDefinition, given: Any) -> Finished:
    """An op's config as a run would give it, from what a test gives."""
    declared, root = op.declared_config, "the config"
    if declared is None:
        return Finished()
    subject = f"The config of {op.what[0].lower()}{op.what[1:]}"
    field = declared.field
    plain = plain_config(given)
    checked = None
    if field is not None and (plain is not None or field.required or field.default is not UNSET):
        fallback = {} if field.required or field.default is UNSET else field.default
        checked = check(field.type, fallback if plain is None else plain, root=root).unwrap(subject)
    finished = declared.finish(checked, os.environ, path=(), root=root)
    Checked(value=None, problems=finished.problems).unwrap(subject)
    return finished


def _add_defaults(op: OpDefinition, given: dict[str, Any]) -> None:
    missing = []
    for each in op.function.inputs:
        if each.name in given:
            continue
        definition = op.ins.get(each.name)
        if definition is not None and definition.has_default:
            given[each.name] = definition.default_value
        else:
            missing.append(each.name)
    if missing:
        raise InvocationError(
            f"{op.what} ({op.source}) was called without its input {', '.join(missing)}; give a value."
        )
