"""Where a process finds the two parameters that it was started with: how to load its context, and where messages go."""

from __future__ import annotations

import argparse
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from .errors import PipesError
from .wire import CONTEXT_ARGUMENTS, CONTEXT_VARIABLES, MESSAGES_ARGUMENTS, MESSAGES_VARIABLES, decode_param

__all__ = ["PipesCliArgsParamsLoader", "PipesEnvVarParamsLoader", "PipesMappingParamsLoader", "PipesParamsLoader"]


class PipesParamsLoader(ABC):
    """Finds the parameters."""

    @abstractmethod
    def is_penstock_pipes_process(self) -> bool:
        """Whether an orchestrator started this process."""

    @abstractmethod
    def load_context_params(self) -> Mapping[str, Any]:
        """What the context loader needs."""

    @abstractmethod
    def load_messages_params(self) -> Mapping[str, Any]:
        """What the message writer needs."""


class PipesMappingParamsLoader(PipesParamsLoader):
    """Finds them in a mapping.

    Args:
        mapping: Names as of environment variables, with encoded values.
    """

    def __init__(self, mapping: Mapping[str, str]) -> None:
        self._mapping = mapping

    def is_penstock_pipes_process(self) -> bool:
        """Whether the mapping has a context."""
        return any(name in self._mapping for name in CONTEXT_VARIABLES)

    def load_context_params(self) -> Mapping[str, Any]:
        """What the context loader needs."""
        return _first(self._mapping, CONTEXT_VARIABLES)

    def load_messages_params(self) -> Mapping[str, Any]:
        """What the message writer needs."""
        return _first(self._mapping, MESSAGES_VARIABLES)


class PipesEnvVarParamsLoader(PipesMappingParamsLoader):
    """Finds them in the environment."""

    def __init__(self) -> None:
        super().__init__(os.environ)


class PipesCliArgsParamsLoader(PipesMappingParamsLoader):
    """Finds them among the arguments of the program, and leaves the program's own arguments alone."""

    def __init__(self) -> None:
        parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
        for argument, name in (
            *zip(CONTEXT_ARGUMENTS, CONTEXT_VARIABLES),  # noqa: B905 - `strict` is of 3.10
            *zip(MESSAGES_ARGUMENTS, MESSAGES_VARIABLES),  # noqa: B905
        ):
            parser.add_argument(argument, dest=name)
        found, _ = parser.parse_known_args(sys.argv[1:])
        super().__init__({name: value for name, value in vars(found).items() if value is not None})


def _first(mapping: Mapping[str, str], names: Sequence[str]) -> Mapping[str, Any]:
    text: str | None = next((mapping[name] for name in names if name in mapping), None)
    if text is None:
        raise PipesError(f"There is no {names[0]}; this process was not started by an orchestrator.")
    try:
        params = decode_param(text)
    except ValueError as error:  # of base 64, of JSON
        raise PipesError(f"{names[0]} cannot be decoded: {error}; it must be what the orchestrator set.") from error
    except Exception as error:  # zlib has an error of its own
        raise PipesError(f"{names[0]} cannot be unpacked: {error}; it must be what the orchestrator set.") from error
    if not isinstance(params, dict):
        raise PipesError(f"{names[0]} holds {params!r}; it must be a mapping.")
    return params
