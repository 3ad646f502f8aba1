"""Executors as jobs name them: which one runs the steps, and with what config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import DefinitionError
from .names import check_name

if TYPE_CHECKING:
    from ..config.schema import ConfigType

__all__ = ["ExecutorDefinition", "default_executor", "in_process_executor", "multiprocess_executor"]


class ExecutorDefinition:
    """An executor of steps, by name, with the schema of its config.

    Args:
        name: `in_process`, `multiprocess`, or `multi_or_in_process`, where the run config chooses.
        config_schema: What its config looks like, in any form that `config_schema` takes.
        description: How it runs steps.
        preset: Config that a run config need not give.
    """

    __slots__ = ("_config_schema", "description", "name", "preset")

    def __init__(
        self,
        name: str,
        config_schema: Any = None,
        description: str | None = None,
        *,
        preset: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = check_name(name, "an executor")
        self.description = description
        self.preset: dict[str, Any] = dict(preset or {})
        self._config_schema = config_schema if config_schema is not None else {}

    def config_type(self) -> ConfigType:
        """The schema of its config."""
        from ..config.fields import to_schema

        return to_schema(self._config_schema() if callable(self._config_schema) else self._config_schema)

    def configured(self, config: Mapping[str, Any], name: str | None = None) -> ExecutorDefinition:
        """This executor with config that runs need not give.

        Raises:
            InvalidRunConfigError: The config does not fit its schema.
        """
        from ..config.check import check

        if not isinstance(config, Mapping):
            raise DefinitionError(f'The executor "{self.name}" can be configured with a mapping, not {config!r}.')
        check(self.config_type(), config, root=f'The config of executor "{self.name}"').unwrap(
            f'The config of executor "{self.name}"'
        )
        return ExecutorDefinition(
            name or self.name, self._config_schema, self.description, preset=self.preset | dict(config)
        )

    def __repr__(self) -> str:
        return f"ExecutorDefinition({self.name!r})"


def _multiprocess_config() -> dict[str, Any]:
    from ..config.fields import Field, Noneable

    return {
        "max_concurrent": Field(
            Noneable(int), is_required=False, description="How many steps run at once; as many as CPUs if not given."
        ),
        "tag_concurrency_limits": Field(
            [{"key": str, "value": Field(Any, is_required=False), "limit": int}],
            is_required=False,
            description="How many steps with a tag run at once.",
        ),
    }


def _either_config() -> Any:
    from ..config.fields import Field, Selector

    return Selector(
        {
            "multiprocess": Field(_multiprocess_config(), is_required=False),
            "in_process": Field({}, is_required=False),
        }
    )


in_process_executor = ExecutorDefinition(
    "in_process", {}, "Runs all steps in the run's own process, one after another."
)
"""Runs all steps in the run's own process, one after another."""

multiprocess_executor = ExecutorDefinition(
    "multiprocess", _multiprocess_config, "Runs each step in a process of its own, several at once."
)
"""Runs each step in a process of its own, several at once."""

default_executor = ExecutorDefinition(
    "multi_or_in_process",
    _either_config,
    "Runs each step in a process of its own unless the run config says otherwise.",
)
"""What jobs without an executor use: multiprocess, or what the run config chooses."""
