"""What an instance says of Python's loggers: which runs listen to, from which level on, and who else is told."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import msgspec

from ..codec import encode_json
from ..errors import SettingsError

__all__ = ["PythonLogs", "level_of_name", "made_handlers"]


class PythonLogs(msgspec.Struct, frozen=True, kw_only=True):
    """Settings that every run of an instance shares.

    Args:
        managed: Names of Python loggers whose lines go to the run's log as well; `root` is the root logger.
        level: The lowest level of these, and of `context.log`, that goes there.
        handlers: `handlers`, `formatters` and `filters` as `logging.config` takes them: these handlers are given what a
            run's log is given.
    """

    managed: tuple[str, ...] = ()
    level: int = logging.NOTSET
    handlers: Mapping[str, Any] = {}


def level_of_name(name: str | None) -> int:
    """The number of a level that the settings name; `NOTSET` if they name none."""
    return logging.NOTSET if name is None else logging.getLevelNamesMapping()[name.upper()]


def made_handlers(config: Mapping[str, Any]) -> list[logging.Handler]:
    """The handlers of `handlers`, with the formatters and filters that they name; a process makes them once.

    No other logger is touched.

    Raises:
        SettingsError: One cannot be made; the text names it.
    """
    if not config:
        return []
    key = encode_json(config)
    if key not in _MADE:
        _MADE[key] = _make(config)
    return _MADE[key]


_MADE: dict[bytes, list[logging.Handler]] = {}


def _make(config: Mapping[str, Any]) -> list[logging.Handler]:
    from logging.config import DictConfigurator  # which loads sockets and threads

    unknown = config.keys() - {"handlers", "formatters", "filters"}
    if unknown:
        raise SettingsError(
            f'python_logs.handler_config has no key "{min(unknown)}"; it has handlers, formatters and filters.'
        )
    configurator: Any = DictConfigurator({"version": 1, **config})  # its parts, since as a whole it resets all logging
    made: list[logging.Handler] = []
    for kind, make in (
        ("formatters", configurator.configure_formatter),
        ("filters", configurator.configure_filter),
        ("handlers", configurator.configure_handler),
    ):
        parts = configurator.config.get(kind, {})
        for name in sorted(parts):
            try:
                parts[name] = part = make(parts[name])
            except Exception as error:
                reason = error.__cause__ or error
                raise SettingsError(
                    f"python_logs.handler_config.{kind}.{name} cannot be made: {type(reason).__name__}: {reason}. "
                    "Write it as logging.config of Python describes it."
                ) from error
            if kind == "handlers":
                part.name = name
                made.append(part)
    return made
