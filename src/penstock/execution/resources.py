"""Sets resources up in the order in which they need each other, and tears them down in reverse, whatever happens."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from typing import TYPE_CHECKING, Any, Self

from ..clock import Clock
from ..definitions.resources.resource import IAttachDifferentObjectToOpContext, ResourceDefinition
from ..definitions.source import place_of_call
from ..errors import DefinitionError, ExecutionInterruptedError, ResourceError, UnknownResourceError
from ..records.event import EngineNote, Fact, ResourceInitFailure, ResourceInitStarted, ResourceInitSuccess
from ..records.run import Run
from ..wording import did_you_mean
from .blame import describe_user_error
from .interrupt import INTERRUPTS
from .own_instance import opened

if TYPE_CHECKING:
    import logging
    from pathlib import Path

__all__ = ["InitResourceContext", "OpenResources", "Resources", "closure", "set_up"]

_NONE: Mapping[str, Any] = {}


class Resources:
    """Resources by key, as attributes; those that were not asked for are not there.

    Args:
        values: By key, the resources.
    """

    __slots__ = ("_shown", "_values")

    def __init__(self, values: Mapping[str, Any]) -> None:
        object.__setattr__(self, "_values", values)
        object.__setattr__(self, "_shown", {})

    def __getattr__(self, key: str) -> Any:
        try:
            resource = self._values[key]
        except KeyError:
            raise UnknownResourceError(
                f"There is no resource {key!r} here{place_of_call()}{did_you_mean(key, self._values)} "
                "Add the key to required_resource_keys, or take the resource as a parameter."
            ) from None
        if not isinstance(resource, IAttachDifferentObjectToOpContext):
            return resource
        if key not in self._shown:
            self._shown[key] = resource.get_object_to_set_on_execution_context()
        return self._shown[key]

    def __setattr__(self, key: str, value: object) -> None:
        raise AttributeError(f"Resources cannot be changed, so {key!r} was not set.")

    def _asdict(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in self._values}

    @property
    def original_resource_dict(self) -> dict[str, Any]:
        """The resources as a dict, each as it is itself and not what it shows in its place."""
        return dict(self._values)

    def __repr__(self) -> str:
        return f"Resources({', '.join(sorted(self._values))})"


class InitResourceContext:
    """What a resource sees while it is set up.

    Args:
        resource_config: Its config, checked, environment variables filled in.
        resources: The resources that it requires.
        resource_def: Its definition.
        all_resource_defs: By key, the definitions of all resources that there are.
        run: The run, if it is set up for one.
        instance: The instance, if there is one.
        artifacts: The folder for values and files that no place is named for.
        log: A logger; one whose lines belong to the run if not given.
        event_loop: The event loop of who sets it up by `build_resources`, if that gave one.
        emit: Takes the lines that it logs.
    """

    __slots__ = (
        "_emit",
        "_instance",
        "_log",
        "all_resource_defs",
        "artifacts",
        "event_loop",
        "resource_config",
        "resource_def",
        "resources",
        "run",
    )

    def __init__(
        self,
        *,
        resource_config: Any = None,
        resources: Resources | None = None,
        resource_def: ResourceDefinition | None = None,
        all_resource_defs: Mapping[str, ResourceDefinition] = _NONE,
        run: Run | None = None,
        instance: Any = None,
        artifacts: Path | None = None,
        log: logging.Logger | None = None,
        event_loop: Any = None,
        emit: Callable[[Fact], None] | None = None,
    ) -> None:
        self.resource_config = resource_config
        self.resources = Resources(_NONE) if resources is None else resources
        self.resource_def = resource_def
        self.all_resource_defs = all_resource_defs
        self.run = run
        self._instance = instance
        self.artifacts = artifacts
        self.event_loop = event_loop
        self._log = log
        self._emit = emit

    @property
    def instance(self) -> Any:
        """The instance that the run is of; where none was given, one in memory that ends with the execution."""
        return opened(self._instance)

    def held(self, key: str) -> Any:
        """A resource that it requires as it is itself, not what it shows in its place."""
        return self.resources.original_resource_dict[key]

    def replace_config(self, config: Any) -> Self:
        """The same context with another config, for setting up what this resource wraps."""
        replaced = copy(self)
        replaced.resource_config = config
        return replaced

    @property
    def run_id(self) -> str | None:
        """The run's id, if it is set up for a run."""
        return None if self.run is None else self.run.run_id

    @property
    def log(self) -> logging.Logger:
        """A logger whose lines belong to the run."""
        if self._log is None:
            from .log import ContextLogger

            self._log = ContextLogger(self._emit or (lambda _: None))
        return self._log


class OpenResources:
    """Resources that are set up, and what each of them needs.

    Args:
        values: By key, the resources.
        definitions: By key, their definitions.
        config: By key, their config.
    """

    __slots__ = ("_config", "_definitions", "_views", "values")

    def __init__(
        self,
        values: dict[str, Any] | None = None,
        definitions: Mapping[str, ResourceDefinition] | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        self.values = {} if values is None else values
        self._definitions = definitions or {}
        self._config = config or {}
        self._views: dict[frozenset[str], Resources] = {}

    def view(self, keys: frozenset[str]) -> Resources:
        """Some of them as attributes."""
        view = self._views.get(keys)
        if view is None:
            view = self._views[keys] = Resources({each: self.values[each] for each in keys if each in self.values})
        return view

    def needs_of(self, key: str) -> Resources:
        """Those that a resource requires."""
        definition = self._definitions.get(key)
        return self.view(frozenset() if definition is None else definition.required_resource_keys)

    def config_of(self, key: str) -> Any:
        """The config of a resource."""
        return self._config.get(key)


def closure(keys: Iterable[str], definitions: Mapping[str, ResourceDefinition]) -> list[str]:
    """These resources and all that they need, each after those that it needs.

    Raises:
        DefinitionError: One is not defined, or they need each other in a circle.
    """
    order: dict[str, None] = {}
    path: list[str] = []

    def visit(key: str) -> None:
        if key in order:
            return
        if key in path:
            circle = " -> ".join([*path, key])
            raise DefinitionError(f"Resources need each other in a circle: {circle}; drop one of these needs.")
        definition = definitions.get(key)
        if definition is None:
            needed_by = f", which {path[-1]!r} needs" if path else ""
            raise UnknownResourceError(
                f"There is no resource {key!r}{needed_by}{did_you_mean(key, definitions)} Add it to resources."
            )
        path.append(key)
        for each in sorted(definition.required_resource_keys):
            visit(each)
        path.pop()
        order[key] = None

    for key in sorted(keys):
        visit(key)
    return list(order)


@contextmanager
def set_up(
    keys: Iterable[str],
    definitions: Mapping[str, ResourceDefinition],
    config: Mapping[str, Any],
    *,
    clock: Clock,
    emit: Callable[[Fact], None],
    run: Run | None = None,
    instance: Any = None,
    artifacts: Path | None = None,
    log: logging.Logger | None = None,
    event_loop: Any = None,
) -> Iterator[OpenResources]:
    """Set these resources up, and those that they need; give them; tear them down at the end.

    Args:
        keys: The resources that are used.
        definitions: All resources by key.
        config: By key, the resource's checked config.
        clock: Measures how long each takes.
        emit: Takes the facts about the set-up, and what resources log.
        run: The run that they are for.
        instance: The instance that they may ask.
        artifacts: The folder for values and files that no place is named for; the instance's if not given.
        log: What they log to; the run's log if not given.
        event_loop: What they see as `context.event_loop`.

    Raises:
        ResourceError: A set-up raised; what was set up before is torn down. (What a teardown raises is told as a fact.)
    """
    order = closure(keys, definitions)
    opened = OpenResources({}, definitions, config)
    if not order:
        yield opened
        return
    values = opened.values
    folder = getattr(instance, "artifacts", None) if artifacts is None else artifacts
    seconds: dict[str, float] = {}
    emit(ResourceInitStarted(resources=tuple(order)))
    to_resume: list[tuple[str, Generator[Any, None, None]]] = []
    try:
        for key in order:
            definition = definitions[key]
            context = InitResourceContext(
                resource_config=config.get(key),
                resources=Resources({each: values[each] for each in definition.required_resource_keys}),
                resource_def=definition,
                all_resource_defs=definitions,
                run=run,
                instance=instance,
                artifacts=folder,
                log=log,
                event_loop=event_loop,
                emit=emit,
            )
            begun = clock.monotonic()
            try:
                with INTERRUPTS.user_code:
                    values[key] = made = _make(definition, context)
                    if isinstance(made, Generator):
                        values[key] = next(made)
                        to_resume.append((key, made))
            except (Exception, SystemExit) as error:
                emit(ResourceInitFailure(resource=key, error=describe_user_error(error)))
                raised = f"{type(error).__name__}: {error}"
                raise ResourceError(
                    f"The resource {key!r} ({definition.type_name}) could not be set up: {raised}"
                ) from error
            seconds[key] = clock.monotonic() - begun
        emit(ResourceInitSuccess(seconds=seconds))
        yield opened
    finally:
        for key, generator in reversed(to_resume):
            _tear_down(key, generator, emit)


def _make(definition: ResourceDefinition, context: InitResourceContext) -> Any:
    made = definition.initialize(context)
    if inspect.isawaitable(made):
        raise ResourceError(f"The resource {definition.type_name} is made by an async function; use an ordinary one.")
    return made


def _tear_down(key: str, generator: Generator[Any, None, None], emit: Callable[[Fact], None]) -> None:
    """Resume a generator that gave a resource. What it raises is told, and keeps no other from being torn down."""
    try:
        with INTERRUPTS.user_code:
            next(generator)
    except StopIteration:
        return
    except (Exception, SystemExit, ExecutionInterruptedError) as error:  # noqa: BLE001 - told of; the work has ended before
        emit(EngineNote(message=f"The resource {key} could not be torn down.", error=describe_user_error(error)))
    else:
        generator.close()
        emit(EngineNote(message=f"The resource {key} yielded a second time; it is asked for one value."))
