"""Makes the object that a `{module, class, config}` of the settings names."""

from __future__ import annotations

import importlib
from typing import Any

from ..errors import SettingsError
from ..wording import nearest_name
from .settings import Component

__all__ = ["build"]


def build(component: Component, key: str, **given: Any) -> Any:
    """The object.

    Args:
        component: What the settings name.
        key: Where they name it, for messages: "run_coordinator".
        given: What the instance gives, as keyword arguments beside those of the config.

    Raises:
        SettingsError: The module or class is not there, or does not take these arguments.
    """
    name = f"{component.module}.{component.cls}"
    try:
        module = importlib.import_module(component.module)
    except ImportError as error:
        raise SettingsError(
            f"{key} names the module {component.module}, which cannot be imported: {error}. "
            "Install it beside Penstock, or correct penstock.yaml."
        ) from error
    found = getattr(module, component.cls, None)
    if not isinstance(found, type):
        nearest = nearest_name(component.cls, [each for each, value in vars(module).items() if isinstance(value, type)])
        hint = f" Did you mean {nearest}?" if nearest else ""
        raise SettingsError(f"{key} names the class {name}, which does not exist.{hint}")
    try:
        return found(**given, **component.config)
    except TypeError as error:
        raise SettingsError(
            f"{key}: {name} could not be made: {error}. It is called with the keyword arguments "
            f"{', '.join(sorted([*given, *component.config]))}."
        ) from error
