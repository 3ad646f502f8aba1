"""The one question of access: may this actor do this to that thing?"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from ..records.account import Role

__all__ = ["LOCAL_ACTOR", "Actor", "Permission", "Role", "may", "may_somewhere"]


class Permission(StrEnum):
    """One kind of act. Every mutation of the API names the one that it needs."""

    VIEW = "view"
    LAUNCH_RUN = "launch_run"
    STOP_RUN = "stop_run"
    DELETE_RUN = "delete_run"
    SWITCH_INSTIGATOR = "switch_instigator"
    SET_CURSOR = "set_cursor"
    EVALUATE = "evaluate"
    RELOAD = "reload"
    REPORT_EVENT = "report_event"
    EDIT_CONCURRENCY = "edit_concurrency"
    EDIT_WEBHOOK_TOKENS = "edit_webhook_tokens"


_LOWEST_ROLE: Mapping[Permission, Role] = {
    Permission.VIEW: Role.VIEWER,
    Permission.LAUNCH_RUN: Role.LAUNCHER,
    Permission.STOP_RUN: Role.LAUNCHER,
    Permission.DELETE_RUN: Role.EDITOR,
    Permission.SWITCH_INSTIGATOR: Role.EDITOR,
    Permission.SET_CURSOR: Role.EDITOR,
    Permission.EVALUATE: Role.EDITOR,
    Permission.RELOAD: Role.EDITOR,
    Permission.REPORT_EVENT: Role.EDITOR,
    Permission.EDIT_CONCURRENCY: Role.EDITOR,
    Permission.EDIT_WEBHOOK_TOKENS: Role.EDITOR,
}
_RANK = {role: rank for rank, role in enumerate(Role)}


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks.

    Args:
        name: As shown beside what the actor did; None where nobody logs in.
        roles: The role per code location; the key None is the role everywhere else.
        via: How it is known: "token 3" of its account.
    """

    name: str | None = None
    roles: dict[str | None, Role] = {}
    via: str | None = None


LOCAL_ACTOR = Actor(roles={None: Role.ADMIN})
"""Whoever reaches a web server that asks for no login: on a loopback address that is this machine's user."""


def may(actor: Actor, permission: Permission, location: str | None = None) -> bool:
    """Whether `actor` may do this to things of `location` (None: to things of no location in particular)."""
    role = actor.roles.get(location, actor.roles.get(None))
    return role is not None and _RANK[role] >= _RANK[_LOWEST_ROLE[permission]]


def may_somewhere(actor: Actor, permission: Permission) -> bool:
    """Whether there is anything to which `actor` may do this."""
    return any(may(actor, permission, location) for location in actor.roles)
