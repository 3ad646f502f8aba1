"""Alerts: the rules of the settings as they were read, and what became of each message."""

from __future__ import annotations

from collections.abc import Sequence

from graphql import GraphQLError

from ...instance.settings import AlertRuleSettings, AlertSettings, AlertTarget
from ...records.alert import Delivery, DeliveryStatus
from ...storage.outbox import Posting
from .context import Context
from .deployment import Deployment
from .failures import Result
from .fields import Fields
from .keys import Pair
from .pages import page_size

__all__ = ["TABLES"]

_SUBJECTS = ("job", "location", "asset")

_INSTANCE = Fields("Instance", source=Deployment)
_ALERTS = Fields("Alerts", source=AlertSettings)
_RULE = Fields("AlertRule", source=AlertRuleSettings)
_DELIVERY = Fields("AlertDelivery", source=Delivery)

TABLES = (_INSTANCE, _ALERTS, _RULE, _DELIVERY)

_DELIVERY.rename(
    kind="alert.kind",
    title="alert.title",
    text="alert.text",
    path="alert.path",
    created_timestamp="created",
    due_timestamp="due",
    ended_timestamp="ended",
)


class AlertDeliveries(Result, frozen=True, kw_only=True):
    """A page of messages."""

    results: Sequence[Delivery]
    cursor: str | None


class AlertRuleTarget(Result, frozen=True, kw_only=True):
    """Where messages of a rule go. What may be a secret is not told."""

    name: str
    kind: str
    recipients: tuple[str, ...]


@_INSTANCE.field
def alerts(_deployment: Deployment, context: Context) -> AlertSettings:
    return context.instance.settings.alerts


@_ALERTS.field
def deliveries(
    _settings: AlertSettings,
    context: Context,
    *,
    status: str | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> AlertDeliveries | None:
    if not isinstance(context.storage, Posting):
        return None
    number = page_size(limit, default=50)
    found = context.storage.outbox.page(
        before=None if cursor is None else _place(cursor),
        limit=number + 1,
        status=None if status is None else DeliveryStatus(status),
    )
    page = found[:number]
    return AlertDeliveries(results=page, cursor=str(page[-1].id) if page and len(found) > number else None)


def _place(cursor: str) -> int:
    if not cursor.isdecimal():
        raise GraphQLError(f"cursor must be what an earlier page gave, and {cursor!r} is not; leave it out to begin.")
    return int(cursor)


@_RULE.field
def where(rule: AlertRuleSettings, _: Context) -> list[Pair]:
    given = [(name, getattr(rule.where, name)) for name in _SUBJECTS]
    return [
        *((name, text) for name, text in given if text is not None),
        *((f"tag {key}", str(value)) for key, value in rule.where.tags.items()),
    ]


@_RULE.named("targets")
def targets_of_rule(rule: AlertRuleSettings, _: Context) -> list[AlertRuleTarget]:
    return [_target(name, target) for name, target in rule.targets.items()]


def _target(name: str, target: AlertTarget) -> AlertRuleTarget:
    return AlertRuleTarget(
        name=name, kind=target.kind, recipients=() if target.email is None else target.email.recipients
    )
