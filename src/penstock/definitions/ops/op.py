"""The op: a user's function with declared inputs, outputs, config and resources; the unit of computation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, get_args, get_origin, overload

from ...errors import ConfigSchemaError, DefinitionError
from ...wording import did_you_mean
from ..events import DynamicOutput, MaterializeResult, Output
from ..function import NO_DEFAULT, UNKNOWN, CallForm, Function, docstring, read_function
from ..names import check_name, normalize_tags
from ..source import Source, source_of_function
from .composition import PendingNodeInvocation, active
from .hooks import HookDefinition
from .ports import DEFAULT_OUTPUT, DynamicOut, In, Out
from .retry import RetryPolicy, check_timeout
from .types import Nothing

if TYPE_CHECKING:
    from ...config.declared import DeclaredConfig
    from ...config.schema import Field

__all__ = ["OpDefinition", "op", "value_type"]


class OpDefinition:
    """An op. Make one with `@op`.

    Called inside a `@graph` or `@job` function it becomes a node there; called anywhere else it runs its function.

    Args:
        compute_fn: The user's function.
        name: Its name: letters, digits and `_`.
        ins: Its inputs by name.
        outs: Its outputs by name.
        description: What it does.
        config_schema: What its config looks like; None for a config class in the parameter `config`, or no config.
        required_resource_keys: Resources that it uses as `context.resources.<key>`.
        tags: Its tags.
        version: The older name of `code_version`.
        retry_policy: How it is tried again when it fails.
        code_version: The version of its code.
        pool: The concurrency pool whose slot it holds while it runs, over all runs.
        timeout: Seconds after which a step of it is stopped and fails.
        what: What messages call it; `Op` and its name if not given.

    Raises:
        DefinitionError: The parts do not fit together.
    """

    def __init__(
        self,
        compute_fn: Callable[..., Any] | Function,
        name: str,
        ins: Mapping[str, In] | None = None,
        outs: Mapping[str, Out] | None = None,
        description: str | None = None,
        config_schema: Any = None,
        required_resource_keys: Iterable[str] | None = None,
        tags: Mapping[str, Any] | None = None,
        version: str | None = None,
        retry_policy: RetryPolicy | None = None,
        code_version: str | None = None,
        pool: str | None = None,
        *,
        timeout: float | None = None,
        what: str | None = None,
    ) -> None:
        self.name = check_name(name, what or "an op")
        self.what = what or f'Op "{name}"'
        self._takes_any_config = what is None  # a plain op may read config that it does not declare
        self.function = compute_fn if isinstance(compute_fn, Function) else read_function(compute_fn, self.what)
        self.source: Source | None = source_of_function(self.function.fn)
        if self.function.config is not None and config_schema is not None:
            raise DefinitionError(
                f"{self.what} ({self.source}) has both a config class and a config_schema; keep one of them."
            )
        if config_schema is not None and not self.function.takes_context:
            raise DefinitionError(
                f"{self.what} ({self.source}) has a config_schema but no context to read config from; "
                "add the parameter context, or take a config class as parameter config."
            )
        self._config_schema = config_schema
        self.ins: dict[str, In] = dict(ins or {})
        self.outs: dict[str, Out] = {DEFAULT_OUTPUT: Out()} if outs is None else dict(outs)
        for port in (*self.ins, *self.outs):
            check_name(port, f"an input or output of {self.what}")
        self.description = description or docstring(self.function.fn)
        self.declared_resource_keys = frozenset(required_resource_keys or ())
        if self.declared_resource_keys and not self.function.takes_context:
            raise DefinitionError(
                f"{self.what} ({self.source}) names required_resource_keys but takes no context to reach them through; "
                "take the resources as parameters, or add the parameter context."
            )
        self.tags = normalize_tags(tags, self.what)
        self.retry_policy = retry_policy
        if version is not None and code_version is not None:
            raise DefinitionError(
                f"{self.what} ({self.source}) has both a version and a code_version; keep the latter."
            )
        self.code_version = version if code_version is None else code_version
        self.pool = pool
        self.timeout = check_timeout(timeout, self.what)

    @property
    def version(self) -> str | None:
        """The older name of `code_version`."""
        return self.code_version

    @property
    def compute_fn(self) -> Callable[..., Any]:
        """The user's function."""
        return self.function.fn

    @property
    def required_resource_keys(self) -> frozenset[str]:
        """All resources that it needs, by parameter or by key; those of its IO managers come on top."""
        return self.declared_resource_keys.union(self.function.resources)

    @cached_property
    def declared_config(self) -> DeclaredConfig | None:
        """The config that it takes, or None. A plain op with a context and no declared config takes any."""
        from ...config.declared import OpenConfig
        from ...config.fields import Field

        declared = self._config_schema if self.function.config is None else self.function.config
        if declared is None:
            takes_any = self._takes_any_config and self.function.takes_context
            return OpenConfig(Field(Any, is_required=False)) if takes_any else None
        try:
            return OpenConfig(declared, self.function.config_default)
        except DefinitionError as error:
            raise ConfigSchemaError(f"The config of {self.what} ({self.source}) cannot be read: {error}") from error

    @property
    def config_field(self) -> Field | None:
        """What a run config must or may give it; None for nothing."""
        return None if self.declared_config is None else self.declared_config.field

    def configured(
        self, config_or_config_fn: Any, name: str, config_schema: Any = None, description: str | None = None
    ) -> OpDefinition:
        """This op under another name, with its config given here or made by a function of what a run config gives.

        Args:
            config_or_config_fn: The config, or a function that makes it.
            name: The name of the new op.
            config_schema: What the function takes; by its annotation, or anything, if not given.
            description: What the new op does; what this one does, if not given.

        Raises:
            DefinitionError: This op takes no config.
            InvalidRunConfigError: The config does not fit.
        """
        from ...config.declared import configured_config

        made = self.renamed(name)
        made.what = f'Op "{name}"'
        made.description = description or self.description
        made.declared_config = configured_config(self.declared_config, config_or_config_fn, config_schema, made.what)
        return made

    @property
    def config_schema(self) -> Any:
        """The config schema as declared."""
        return self._config_schema

    def renamed(self, name: str, outputs: Mapping[str, str] | None = None) -> OpDefinition:
        """This op with another name, and with other names for some of its outputs."""
        other = outputs or {}
        made = object.__new__(OpDefinition)
        made.__dict__.update(self.__dict__)
        made.name = check_name(name, self.what)
        made.outs = {other.get(output, output): out for output, out in self.outs.items()}
        return made

    def alias(self, name: str) -> PendingNodeInvocation:
        """This op under another name, to be called inside a graph."""
        return PendingNodeInvocation(self).alias(name)

    def tag(self, tags: Mapping[str, Any]) -> PendingNodeInvocation:
        """This op with further tags, to be called inside a graph."""
        return PendingNodeInvocation(self).tag(tags)

    def with_hooks(self, hook_defs: Iterable[HookDefinition]) -> PendingNodeInvocation:
        """This op with hooks, to be called inside a graph."""
        return PendingNodeInvocation(self).with_hooks(hook_defs)

    def with_retry_policy(self, retry_policy: RetryPolicy) -> PendingNodeInvocation:
        """This op with another retry policy, to be called inside a graph."""
        return PendingNodeInvocation(self).with_retry_policy(retry_policy)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Record a node in the graph that is being composed, or else run the function with these arguments."""
        composition = active()
        if composition is not None:
            return composition.add(PendingNodeInvocation(self), args, kwargs)
        from ..doors import invoke

        return invoke(self, args, kwargs)

    def __repr__(self) -> str:
        return f"OpDefinition({self.name!r})"


@overload
def op(compute_fn: Callable[..., Any], /) -> OpDefinition: ...
@overload
def op(
    *,
    name: str | None = None,
    description: str | None = None,
    ins: Mapping[str, In] | None = None,
    out: Out | Mapping[str, Out] | None = None,
    config_schema: Any = None,
    required_resource_keys: Iterable[str] | None = None,
    tags: Mapping[str, Any] | None = None,
    version: str | None = None,
    retry_policy: RetryPolicy | None = None,
    code_version: str | None = None,
    pool: str | None = None,
    timeout: float | None = None,
) -> Callable[[Callable[..., Any]], OpDefinition]: ...
def op(
    compute_fn: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    ins: Mapping[str, In] | None = None,
    out: Out | Mapping[str, Out] | None = None,
    config_schema: Any = None,
    required_resource_keys: Iterable[str] | None = None,
    tags: Mapping[str, Any] | None = None,
    version: str | None = None,
    retry_policy: RetryPolicy | None = None,
    code_version: str | None = None,
    pool: str | None = None,
    timeout: float | None = None,
) -> OpDefinition | Callable[[Callable[..., Any]], OpDefinition]:
    """Make an op of a function.

    The first parameter is the context if it is called `context`; `config` with a config class takes typed config;
    parameters annotated with a resource class, or with `ResourceParam`, take resources; all others are inputs.

    Args:
        name: Its name; the function's if not given.
        description: What it does; the function's docstring if not given.
        ins: More about its inputs, by name. Inputs of the type `Nothing` need no parameter.
        out: Its output, or several by name; one called `result` if not given.
        config_schema: What its config looks like, read as `context.op_config`.
        required_resource_keys: Resources that it uses as `context.resources.<key>`.
        tags: Its tags.
        version: The older name of `code_version`.
        retry_policy: How it is tried again when it fails.
        code_version: The version of its code.
        pool: The concurrency pool whose slot it holds while it runs, over all runs.
        timeout: Seconds after which a step of it is stopped and fails.

    Raises:
        DefinitionError: The parts do not fit together.
    """

    def define(fn: Callable[..., Any]) -> OpDefinition:
        own_name = name or fn.__name__
        what = f'Op "{own_name}"'
        function = read_function(fn, what)
        return OpDefinition(
            function,
            own_name,
            ins=infer_ins(function, ins or {}, what),
            outs=infer_outs(function, out, what),
            description=description,
            config_schema=config_schema,
            required_resource_keys=required_resource_keys,
            tags=tags,
            version=version,
            retry_policy=retry_policy,
            code_version=code_version,
            pool=pool,
            timeout=timeout,
        )

    return define if compute_fn is None else define(compute_fn)


def infer_ins(function: Function, declared: Mapping[str, In], what: str) -> dict[str, In]:
    """The inputs of a function: its parameters, with what is declared about them, and the declared ones without value.

    Raises:
        DefinitionError: A declared input with a value has no parameter.
    """
    ins: dict[str, In] = {}
    for parameter in function.inputs:
        given = declared.get(parameter.name)
        if given is None:
            ins[parameter.name] = In(python_type=parameter.annotation, default_value=parameter.default)
            continue
        if given.is_nothing:
            raise DefinitionError(
                f'{what} ({source_of_function(function.fn)}) declares its input "{parameter.name}" as Nothing, so no '
                "value arrives for the parameter of that name; remove the parameter."
            )
        ins[parameter.name] = In(
            python_type=parameter.annotation if given.python_type is UNKNOWN else given.python_type,
            description=given.description,
            default_value=parameter.default if given.default_value is NO_DEFAULT else given.default_value,
            metadata=given.metadata,
            asset_key=given.asset_key,
            input_manager_key=given.input_manager_key,
        )
    for name, given in declared.items():
        if name in ins:
            continue
        if not given.is_nothing and not function.takes_any:
            raise DefinitionError(
                f'{what} ({source_of_function(function.fn)}) declares the input "{name}", but its function has no '
                f"parameter of that name{did_you_mean(name, ins)} Add it, or make the input In(Nothing) if only the "
                "order matters."
            )
        ins[name] = given
    return ins


def infer_outs(function: Function, declared: Out | Mapping[str, Out] | None, what: str) -> dict[str, Out]:
    """The outputs of a function, with types from its return annotation where they are not declared.

    Raises:
        DefinitionError: A declared output is no `Out`.
    """
    if declared is None:
        return {DEFAULT_OUTPUT: Out(python_type=value_type(function))}
    if isinstance(declared, Out):
        return {DEFAULT_OUTPUT: _typed(declared, value_type(function))}
    outs = dict(declared)
    for name, each in outs.items():
        if not isinstance(each, Out):
            raise DefinitionError(
                f'{what} ({source_of_function(function.fn)}) has {each!r} as its output "{name}"; '
                "give an Out or a DynamicOut."
            )
    if len(outs) == 1:
        ((name, only),) = outs.items()
        return {name: _typed(only, value_type(function))}
    returns = function.returns
    arguments = get_args(returns) if get_origin(returns) is tuple else ()
    if len(arguments) == len(outs):
        return {name: _typed(each, _inner(kind)) for (name, each), kind in zip(outs.items(), arguments, strict=True)}
    return outs


def value_type(function: Function) -> Any:
    """What the one value that a function returns is, as far as its annotation says."""
    if function.form in (CallForm.GENERATOR, CallForm.ASYNC_GENERATOR):
        return UNKNOWN
    return _inner(function.returns)


def _inner(annotation: Any) -> Any:
    """The type of the value inside an annotation such as `Output[int]`; returning None passes no value."""
    if annotation is None or annotation is type(None):
        return Nothing
    origin = get_origin(annotation)
    if origin is not None and isinstance(origin, type) and issubclass(origin, (Output, DynamicOutput)):
        return get_args(annotation)[0]
    if origin is MaterializeResult or annotation in (Output, DynamicOutput, MaterializeResult):
        return UNKNOWN
    return annotation


def _typed(out: Out, kind: Any) -> Out:
    if out.python_type is not UNKNOWN or kind is UNKNOWN or isinstance(out, DynamicOut):
        return out
    return Out(kind, out.description, out.is_required, out.io_manager_key, out.metadata, out.code_version)
