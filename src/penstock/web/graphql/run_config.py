"""Run config at the edge of the API: JSON objects and YAML text in, plain values inside, YAML text out."""

from __future__ import annotations

from typing import Any

import yaml

from ...config.problems import ConfigProblem
from ...wording import kind_of
from .failures import PipelineConfigValidationError, RefusedError, RunConfigValidationInvalid

__all__ = ["as_yaml", "mistakes", "run_config_of"]

_MOST_VALUES = 100_000
_DEEPEST = 64
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def as_yaml(value: Any) -> str:
    """Plain values as YAML text, keys in their order; nothing for an empty mapping."""
    if value == {}:
        return ""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False)
    return text


def run_config_of(data: Any, job: str) -> dict[str, Any]:
    """The run config that a caller gave: an object, YAML text of one, or nothing.

    Raises:
        RefusedError: It is not that; the failure is a `RunConfigValidationInvalid` of one mistake.
    """
    if isinstance(data, str):
        try:
            data = yaml.load(data, Loader=_Loader)  # noqa: S506 - a safe loader
        except yaml.YAMLError as error:
            raise _invalid(job, f"The run config is not valid YAML: {error}") from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise _invalid(job, f"The run config must be a mapping such as `ops: ...`, not {kind_of(data)}.")
    fault = _excess(data)
    if fault is not None:
        raise _invalid(job, fault)
    return data


def mistakes(job: str, problems: Any) -> RunConfigValidationInvalid:
    """Problems of a config check (records with `path`, `reason` and `message`) as the API tells them."""
    return RunConfigValidationInvalid(
        pipeline_name=job,
        errors=tuple(
            PipelineConfigValidationError(message=each.message, path=each.path, reason=each.reason) for each in problems
        ),
    )


def _invalid(job: str, message: str) -> RefusedError:
    error = PipelineConfigValidationError(message=message, path=(), reason=ConfigProblem.RUNTIME_TYPE_MISMATCH)
    return RefusedError(RunConfigValidationInvalid(pipeline_name=job, errors=(error,)))


def _excess(data: dict[Any, Any]) -> str | None:
    """What is wrong with a value as such. YAML aliases can make a small text mean very much, or contain itself."""
    values = 0
    waiting: list[tuple[Any, int]] = [(data, 1)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, dict):
            for key in value:
                if not isinstance(key, str | int | float | bool):
                    return f"The run config has the key {key!r}; keys are texts, in quotes where needed."
            inner = list(value.values())
        elif isinstance(value, list):
            inner = value
        elif value is None or isinstance(value, str | int | float | bool):
            continue
        else:
            return f"The run config holds {value!r} ({kind_of(value)}), which JSON cannot hold; put it in quotes."
        values += len(inner)
        if depth > _DEEPEST or values > _MOST_VALUES:
            return f"The run config holds more than {_MOST_VALUES:,} values, or is nested deeper than {_DEEPEST}."
        waiting += [(each, depth + 1) for each in inner]
    return None
