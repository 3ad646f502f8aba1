"""What is wrong with the rules of alerts though each value has the right type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...config.problems import ConfigProblem, Problem
from ...engine.alerts import fields_of
from ...wording import kind_of, listed

__all__ = ["mistakes_in_alerts"]


def mistakes_in_alerts(alerts: Mapping[str, Any]) -> Iterator[Problem]:
    """Each mistake, with its place.

    Args:
        alerts: The block `alerts` of the file, checked against its schema.
    """
    if alerts.get("web_url") is not None:
        yield from _address(("alerts", "web_url"), alerts["web_url"])
    places: dict[str, int] = {}
    for index, rule in enumerate(alerts.get("rules") or ()):
        path = ("alerts", "rules", str(index))
        first = places.setdefault(rule["name"], index)
        if first != index:
            text = f'The name "{rule["name"]}" is that of rule {first} already; give each rule a name of its own.'
            yield _mistake((*path, "name"), text)
        for key, what in (("when", "kind of alert"), ("to", "target")):
            if not rule[key]:
                yield _mistake((*path, key), f'"{".".join((*path, key))}" is empty; name at least one {what}.')
        yield from _conditions(path, rule["when"], rule.get("where") or {})
        for number, target in enumerate(rule["to"]):
            yield from _target((*path, "to", str(number)), target)


def _conditions(path: tuple[str, ...], kinds: list[str], where: Mapping[str, Any]) -> Iterator[Problem]:
    for key in where:
        without = [kind for kind in kinds if key not in fields_of(kind)]  # type: ignore[arg-type]
        if without and where[key]:
            yield _mistake(
                (*path, "where", key),
                f'{listed(without, "and")} can never fit, since nothing that it is about has "{key}"; remove that, or '
                "make a rule of its own for it.",
            )
    yield from _texts((*path, "where", "tags"), where.get("tags") or {})


def _target(path: tuple[str, ...], target: Mapping[str, Any]) -> Iterator[Problem]:
    for kind in ("slack", "webhook"):
        if kind in target:
            yield from _address((*path, kind, "url"), target[kind]["url"], secret=True)
            yield from _texts((*path, kind, "headers"), target[kind].get("headers") or {})
    email = target.get("email")
    if email is not None:
        if not email["recipients"]:
            yield _mistake((*path, "email", "recipients"), "Nobody gets the mail; name at least one address.")
        if (email.get("username") is None) != (email.get("password") is None):
            yield _mistake((*path, "email"), 'Of "username" and "password" one is missing; give both or none.')


def _address(path: tuple[str, ...], url: str, *, secret: bool = False) -> Iterator[Problem]:
    if not url.startswith(("http://", "https://")):
        told = "its value" if secret else f'"{url}"'
        yield _mistake(path, f'"{".".join(path)}" is no address: {told} does not begin with http:// or https://.')


def _texts(path: tuple[str, ...], values: Mapping[str, Any]) -> Iterator[Problem]:
    for key, value in values.items():
        if not isinstance(value, str):
            text = f'"{".".join((*path, key))}" must be a text, not {kind_of(value)}; put it in quotation marks.'
            yield _mistake((*path, key), text)


def _mistake(path: tuple[str, ...], text: str) -> Problem:
    return Problem(path=path, reason=ConfigProblem.RUNTIME_TYPE_MISMATCH, message=text)
