"""What the run config may say of single inputs and outputs to the managers that load and store them."""

from __future__ import annotations

from collections.abc import Mapping

from ..config.fields import to_field
from ..config.schema import Field
from ..errors import DefinitionError
from .ops.ports import In, Out
from .resources.resource import ResourceDefinition

__all__ = ["input_fields", "output_fields"]


def input_fields(ins: Mapping[str, In], resources: Mapping[str, ResourceDefinition]) -> dict[str, Field]:
    """By input, what its input manager may be told of it; inputs whose manager takes nothing are left out.

    Raises:
        DefinitionError: A manager's schema cannot be read.
    """
    fields = {}
    for name, each in ins.items():
        if each.input_manager_key is not None and not each.is_nothing:
            manager = resources.get(each.input_manager_key)
            if manager is not None and manager.input_config_schema is not None:
                fields[name] = _read(manager.input_config_schema, each.input_manager_key, "input_config_schema")
    return fields


def output_fields(outs: Mapping[str, Out], resources: Mapping[str, ResourceDefinition]) -> dict[str, Field]:
    """By output, what its IO manager may be told of it; outputs whose manager takes nothing are left out.

    Raises:
        DefinitionError: A manager's schema cannot be read.
    """
    fields = {}
    for name, out in outs.items():
        manager = resources.get(out.io_manager_key)
        if manager is not None and manager.output_config_schema is not None and not out.is_nothing:
            fields[name] = _read(manager.output_config_schema, out.io_manager_key, "output_config_schema")
    return fields


def _read(schema: object, key: str, name: str) -> Field:
    try:
        return to_field(schema)
    except DefinitionError as error:
        raise DefinitionError(f'The {name} of the resource "{key}" cannot be read: {error}') from error
