"""Sensors that other systems call: each request is kept until an evaluation has taken it, once, in order."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, overload

from ...errors import DefinitionError
from .sensor import SensorDefinition
from .target import DefaultSensorStatus, ExecutableJob

__all__ = ["WebhookSensorDefinition", "webhook_sensor"]

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_SECRET = frozenset({"authorization", "cookie", "proxy-authorization"})


class WebhookSensorDefinition(SensorDefinition):
    """A sensor that is evaluated for requests that come over HTTP. Make one with `@webhook_sensor`.

    Args:
        name: Its name; the function's if not given.
        evaluation_fn: Its function: gets the `SensorEvaluationContext`, whose `webhook_requests` are those to see to;
            returns or yields what any sensor may.
        headers: The headers of a request that are kept; no others are.
        options: What other sensors take too.

    Raises:
        DefinitionError: A part is not valid.
    """

    kind: ClassVar[str] = "WEBHOOK"
    _interval: ClassVar[float] = 0.0

    def __init__(
        self,
        name: str | None = None,
        *,
        evaluation_fn: Callable[..., Any],
        headers: Iterable[str] = (),
        **options: Any,
    ) -> None:
        super().__init__(name, evaluation_fn=evaluation_fn, **options)
        self.headers = tuple(headers)
        for header in self.headers:
            if not _HEADER.fullmatch(str(header)):
                raise DefinitionError(
                    f"{self.what} ({self.source}) keeps the header {header!r}; give names of headers."
                )
            if header.lower() in _SECRET:
                raise DefinitionError(
                    f"{self.what} ({self.source}) keeps the header {header!r}, which has the sender's secret; leave it "
                    "out."
                )


@overload
def webhook_sensor(evaluation_fn: Callable[..., Any], /) -> WebhookSensorDefinition: ...
@overload
def webhook_sensor(
    *,
    name: str | None = None,
    minimum_interval_seconds: float | None = None,
    description: str | None = None,
    job: ExecutableJob | None = None,
    jobs: Sequence[ExecutableJob] | None = None,
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
    required_resource_keys: Iterable[str] | None = None,
    tags: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    target: Any = None,
    owners: Iterable[str] | None = None,
    timeout_seconds: float | None = None,
    headers: Iterable[str] = (),
) -> Callable[[Callable[..., Any]], WebhookSensorDefinition]: ...
def webhook_sensor(
    evaluation_fn: Any = None,
    /,
    *,
    name: str | None = None,
    minimum_interval_seconds: float | None = None,
    description: str | None = None,
    job: ExecutableJob | None = None,
    jobs: Sequence[ExecutableJob] | None = None,
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
    required_resource_keys: Iterable[str] | None = None,
    tags: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    target: Any = None,
    owners: Iterable[str] | None = None,
    timeout_seconds: float | None = None,
    headers: Iterable[str] = (),
) -> WebhookSensorDefinition | Callable[[Callable[..., Any]], WebhookSensorDefinition]:
    """Make a sensor of a function that is called when other systems send requests to it.

    The function gets the `SensorEvaluationContext`, whose `webhook_requests` are those that have come, and returns or
    yields what any sensor may; resources may be parameters of it. A request is taken when the evaluation succeeds.

    Args:
        evaluation_fn: The function, where the decorator has no arguments.
        name: Its name; the function's if not given.
        minimum_interval_seconds: The least time between two evaluations; if not given, there is one at once when a
            request comes.
        description: What it does; the function's docstring if not given.
        job: The job that it starts.
        jobs: The jobs that it may start; its requests name one of them.
        default_status: Whether it is on until somebody turns it.
        required_resource_keys: Resources that the function uses as `context.resources.<key>`.
        tags: Its tags; its runs have those of their requests.
        metadata: Facts about it.
        target: The job or the assets that it starts.
        owners: Who answers for it: e-mail addresses or `team:name`.
        timeout_seconds: How long an evaluation may take; as the instance says if not given.
        headers: The headers of a request that are kept; no others are.

    Raises:
        DefinitionError: A part is not valid.
    """

    def define(fn: Callable[..., Any]) -> WebhookSensorDefinition:
        return WebhookSensorDefinition(
            name,
            evaluation_fn=fn,
            headers=headers,
            minimum_interval_seconds=minimum_interval_seconds,
            description=description,
            job=job,
            jobs=jobs,
            default_status=default_status,
            required_resource_keys=required_resource_keys,
            tags=tags,
            metadata=metadata,
            target=target,
            owners=owners,
            timeout_seconds=timeout_seconds,
        )

    return define(evaluation_fn) if inspect.isfunction(evaluation_fn) else define
