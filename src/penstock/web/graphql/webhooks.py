"""What other systems send to a webhook sensor, and the tokens that let them in."""

from __future__ import annotations

from ...auth.permissions import Permission
from ...auth.webhook_tokens import inbox_of, new_token
from ...errors import UsageError
from ...records.automation import InstigatorKind, instigator_id
from ...records.webhook import WebhookEntry, WebhookToken
from .context import Context
from .failures import Result
from .fields import Fields
from .find import sensor_named
from .inputs import SensorSelector
from .nodes import SensorNode
from .pages import page_size

__all__ = ["TABLES"]

_MUTATION = Fields("Mutation", source=type(None))
_SENSOR = Fields("Sensor", source=SensorNode)
_WEBHOOK = Fields("Webhook", source=SensorNode)
_REQUEST = Fields("WebhookRequest", source=WebhookEntry)

_TOKEN = Fields("WebhookToken", source=WebhookToken)

TABLES = (_MUTATION, _SENSOR, _WEBHOOK, _REQUEST, _TOKEN)

_MOST_COUNTED = 10_000


class WebhookTokenCreated(Result, frozen=True, kw_only=True):
    """A new token, with its text, which is not told again."""

    token: WebhookToken
    text: str


class WebhookTokenRevoked(Result, frozen=True, kw_only=True):
    """Whether there was such a token."""

    revoked: bool


def _id(node: SensorNode) -> str:
    return instigator_id(node.location.stored.name, InstigatorKind.SENSOR, node.sensor.name)


@_SENSOR.field
def webhook(node: SensorNode, _: Context) -> SensorNode | None:
    return node if node.sensor.kind == "WEBHOOK" else None


@_WEBHOOK.named("path")
def webhook_path(node: SensorNode, _: Context) -> str:
    return f"/hooks/{node.location.stored.name}/{node.sensor.name}"


@_WEBHOOK.named("headers")
def headers(node: SensorNode, _: Context) -> tuple[str, ...]:
    return node.sensor.headers


@_WEBHOOK.named("tokens")
def tokens(node: SensorNode, context: Context) -> list[WebhookToken]:
    return inbox_of(context.storage).tokens(_id(node))


@_WEBHOOK.named("pending")
def pending(node: SensorNode, context: Context) -> int:
    return inbox_of(context.storage).pending(_id(node), at_most=_MOST_COUNTED)


@_WEBHOOK.named("requests")
def requests(
    node: SensorNode, context: Context, cursor: str | None = None, limit: int | None = None
) -> list[WebhookEntry]:
    before = int(cursor) if cursor and cursor.isdecimal() else None
    return inbox_of(context.storage).page(_id(node), before=before, limit=page_size(limit, 25))


@_REQUEST.named("id")
def request_id(entry: WebhookEntry, _: Context) -> str:
    return str(entry.id)


@_REQUEST.named("tickId")
def tick_of_request(entry: WebhookEntry, _: Context) -> str | None:
    return None if entry.tick is None else str(entry.tick)


_REQUEST.rename(idempotency_key="key", failed_attempts="attempts")


@_MUTATION.named("createWebhookToken", needs=Permission.EDIT_WEBHOOK_TOKENS)
def create_webhook_token(_source: None, context: Context, sensor_selector: SensorSelector) -> WebhookTokenCreated:
    node = _webhook_sensor(context, sensor_selector)
    text, token = new_token(inbox_of(context.storage), _id(node), now=context.now)
    return WebhookTokenCreated(token=token, text=text)


@_MUTATION.named("revokeWebhookToken", needs=Permission.EDIT_WEBHOOK_TOKENS)
def revoke_webhook_token(
    _source: None, context: Context, sensor_selector: SensorSelector, token_id: int
) -> WebhookTokenRevoked:
    node = _webhook_sensor(context, sensor_selector)
    return WebhookTokenRevoked(revoked=inbox_of(context.storage).revoke_token(_id(node), token_id))


def _webhook_sensor(context: Context, selector: SensorSelector) -> SensorNode:
    node = sensor_named(context, selector, selector.sensor_name)
    context.require(Permission.EDIT_WEBHOOK_TOKENS, node.location.stored.name)
    if node.sensor.kind != "WEBHOOK":
        raise UsageError(
            f"The sensor {node.sensor.name!r} takes no requests, so it needs no token; make one with @webhook_sensor."
        )
    return node
