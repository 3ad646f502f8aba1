"""What the run config may say of single inputs and outputs to the managers that load and store them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..config.declared import OpenConfig
from .ops.ports import In, Out
from .resources.resource import ResourceDefinition
from .steps.model import Step

__all__ = ["input_configs", "output_configs", "store_configs"]


def input_configs(ins: Mapping[str, In], resources: Mapping[str, ResourceDefinition]) -> dict[str, OpenConfig]:
    """By input, what its input manager may be told of it; inputs whose manager takes nothing are left out.

    Raises:
        ConfigSchemaError: A manager's schema cannot be read.
    """
    configs = {}
    for name, each in ins.items():
        manager = resources.get(each.input_manager_key) if each.input_manager_key is not None else None
        if manager is not None and manager.input_config is not None and not each.is_nothing:
            configs[name] = manager.input_config
    return configs


def output_configs(outs: Mapping[str, Out], resources: Mapping[str, ResourceDefinition]) -> dict[str, OpenConfig]:
    """By output, what its IO manager may be told of it; outputs whose manager takes nothing are left out.

    Raises:
        ConfigSchemaError: A manager's schema cannot be read.
    """
    configs = {}
    for name, out in outs.items():
        manager = resources.get(out.io_manager_key)
        if manager is not None and manager.output_config is not None and not out.is_nothing:
            configs[name] = manager.output_config
    return configs


def store_configs(
    step: Step, resources: Mapping[str, ResourceDefinition]
) -> Iterator[tuple[tuple[str, ...], OpenConfig]]:
    """What the managers of a step's inputs and outputs may be told of them, by the paths in the run config.

    Raises:
        ConfigSchemaError: A manager's schema cannot be read.
    """
    for name, config in input_configs(step.op.ins, resources).items():
        yield (*step.config_path, "inputs", name), config
    for name, config in output_configs(step.op.outs, resources).items():
        yield (*step.config_path, "outputs", name), config
