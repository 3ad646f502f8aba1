"""Which message goes where: rules, what has happened, and when a message that could not be sent is tried again.

What holds a message back (`AlertRule.throttle`) is decided by the storage, in the transaction that stores it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

import msgspec

from ..records.alert import Alert, AlertKind, NewDelivery

__all__ = ["MOST_ATTEMPTS", "AlertRule", "AlertWhere", "deliveries", "fields_of", "next_attempt", "target_names"]

MOST_ATTEMPTS = 13
"""How often a message is tried before it is given up: with growing pauses, for a little more than an hour."""

_FIRST_PAUSE = 1.0

_RUN = frozenset({"job", "location", "tags"})
_FIELDS: dict[AlertKind, frozenset[str]] = {
    "run_failure": _RUN,
    "run_late": _RUN,
    "run_stuck": _RUN,
    "tick_failure": frozenset({"location"}),
    "check_failed": _RUN | {"asset"},
    "freshness_violated": frozenset({"asset", "location"}),
    "daemon_lost": frozenset(),
    "location_broken": frozenset({"location"}),
}


class AlertWhere(msgspec.Struct, frozen=True, kw_only=True):
    """What an alert must be about: all that is given must fit. `*` in a text stands for any characters, and each tag
    must be there with its value."""

    job: str | None = None
    location: str | None = None
    asset: str | None = None
    tags: dict[str, str] = {}


class AlertRule(msgspec.Struct, frozen=True, kw_only=True):
    """Who is told of what.

    Args:
        name: Its name, which is its own.
        kinds: The kinds of alerts.
        where: Which of them.
        targets: Where the messages go, as `target_names` names them.
        throttle: For how many seconds after a message no other about the same subject is sent.
    """

    name: str
    kinds: frozenset[AlertKind]
    where: AlertWhere
    targets: tuple[str, ...]
    throttle: float


def fields_of(kind: AlertKind) -> frozenset[str]:
    """By which fields of `AlertWhere` an alert of this kind can be found."""
    return _FIELDS[kind]


def target_names(kinds: Iterable[str]) -> tuple[str, ...]:
    """A name for each target of a rule, from what it is: "slack", and "slack 2" for the second one."""
    names: list[str] = []
    seen: dict[str, int] = {}
    for kind in kinds:
        seen[kind] = seen.get(kind, 0) + 1
        names.append(kind if seen[kind] == 1 else f"{kind} {seen[kind]}")
    return tuple(names)


def deliveries(rules: Sequence[AlertRule], alert: Alert) -> list[NewDelivery]:
    """The messages that rules want to be sent of an alert."""
    return [
        NewDelivery(rule=rule.name, target=target, alert=alert, throttle=rule.throttle)
        for rule in rules
        if alert.kind in rule.kinds and _fits(rule.where, alert)
        for target in rule.targets
    ]


def next_attempt(attempts: int, now: float) -> float | None:
    """When a message is tried again whose sending has failed so often; None when it is given up."""
    return None if attempts >= MOST_ATTEMPTS else now + _FIRST_PAUSE * 2 ** (attempts - 1)


def _fits(where: AlertWhere, alert: Alert) -> bool:
    return (
        _is_like(where.job, alert.job)
        and _is_like(where.location, alert.location)
        and _is_like(where.asset, alert.asset)
        and where.tags.items() <= alert.tags.items()
    )


def _is_like(pattern: str | None, text: str | None) -> bool:
    return pattern is None or (text is not None and fnmatchcase(text, pattern))
