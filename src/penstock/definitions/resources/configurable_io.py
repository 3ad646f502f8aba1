"""IO managers as classes whose fields are typed config.

It loads pydantic, so it is imported when a class is declared and not before.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

from .configurable import ConfigurableResource, Made
from .io_manager import IOManager, IOManagerDefinition

__all__ = ["ConfigurableIOManager", "ConfigurableIOManagerFactory", "ConfigurableLegacyIOManagerAdapter"]


class ConfigurableIOManagerFactory(ConfigurableResource[Made]):
    """A configurable resource that makes an IO manager: override `create_io_manager`."""

    def create_io_manager(self, context: Any) -> Made:
        """The IO manager."""
        raise NotImplementedError(f"{type(self).__name__} must define create_io_manager(context).")

    def create_resource(self, context: Any) -> Made:
        """The IO manager."""
        return self.create_io_manager(context)

    @classmethod
    def input_config_schema(cls) -> Any:
        """What each input that names it as `input_manager_key` may be told by the run config; None for nothing."""
        return None

    @classmethod
    def output_config_schema(cls) -> Any:
        """What each output that it stores may be told by the run config; None for nothing."""
        return None


class ConfigurableIOManager(ConfigurableIOManagerFactory[IOManager], IOManager):
    """An IO manager whose fields are its config: override `handle_output` and `load_input`."""

    def create_io_manager(self, context: Any) -> IOManager:
        """This object."""
        return self


class ConfigurableLegacyIOManagerAdapter(ConfigurableIOManagerFactory[IOManager]):
    """An IO manager of a function as a class: declare the fields of its config and override `wrapped_io_manager`."""

    @property
    @abstractmethod
    def wrapped_io_manager(self) -> IOManagerDefinition:
        """The definition that makes the IO manager from this config."""

    @contextmanager
    def yield_for_execution(self, context: Any) -> Iterator[IOManager]:
        """Set the wrapped definition up with this config, and tear it down."""
        made = self.wrapped_io_manager.initialize(context)
        if isinstance(made, Generator):
            with contextmanager(lambda: made)() as ready:
                yield ready
        else:
            yield made
