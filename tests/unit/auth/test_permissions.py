"""Roles include those below them, and a location's own role counts there."""

from __future__ import annotations

import pytest

from penstock.auth.permissions import LOCAL_ACTOR, Actor, Permission, Role, may


@pytest.mark.parametrize("permission", list(Permission))
def test_each_permission_has_a_role_and_the_local_actor_has_them_all(permission: Permission) -> None:
    assert may(LOCAL_ACTOR, permission)
    assert may(LOCAL_ACTOR, permission, "shop")


def test_a_viewer_changes_nothing() -> None:
    viewer = Actor(name="ann", roles={None: Role.VIEWER})
    allowed = {permission for permission in Permission if may(viewer, permission)}
    assert allowed == {Permission.VIEW}


def test_a_role_of_a_location_counts_there_alone() -> None:
    actor = Actor(name="bob", roles={None: Role.VIEWER, "shop": Role.EDITOR})
    assert may(actor, Permission.RELOAD, "shop")
    assert not may(actor, Permission.RELOAD, "bank")
    assert not may(actor, Permission.RELOAD)


def test_nobody_may_do_anything_without_a_role() -> None:
    assert not any(may(Actor(), permission) for permission in Permission)
