"""What of a step is the same in each of its attempts, worked out once."""

from __future__ import annotations

from typing import Any

from ..definitions.assets.asset import CHECK_OUT
from ..plan.model import OrderOnly, Step, StepInput, StepOutput
from ..records.keys import AssetKey
from .configuration import Configuration

__all__ = ["InputSlot", "OutputSlot", "PreparedStep"]


class InputSlot:
    """An input that passes a value, with what the run config tells its input manager of it."""

    __slots__ = ("config", "given", "name", "value_type")

    def __init__(self, given: StepInput, config: Any) -> None:
        self.given = given
        self.config = config
        self.name = given.name
        self.value_type = given.definition.value_type


class OutputSlot:
    """An output, with the asset or check that it stands for, and what the run config tells its IO manager of it."""

    __slots__ = ("asset_key", "check_key", "config", "given", "is_nothing", "manager_key", "name", "value_type")

    def __init__(self, given: StepOutput, config: Any) -> None:
        self.given = given
        self.config = config
        self.name = given.name
        self.value_type = given.definition.value_type
        self.is_nothing = given.definition.is_nothing
        self.manager_key = given.io_manager_key
        self.asset_key = None if given.asset_key is None else AssetKey.from_user_string(given.asset_key)
        self.check_key = given.check_key


class PreparedStep:
    """A step of the plan, taken apart.

    `config` is its config as plain values, `typed_config` as the parameter `config` takes it: an instance of the config
    class where there is one.

    Args:
        step: The step.
        config: The run's config.
        resource_keys: The resources that its op, hooks and IO managers use, with those that these use in turn.
    """

    __slots__ = (
        "by_asset",
        "by_check",
        "config",
        "inputs",
        "outputs",
        "resource_keys",
        "step",
        "typed_config",
        "values",
    )

    def __init__(self, step: Step, config: Configuration, resource_keys: frozenset[str]) -> None:
        path = step.config_path
        self.step = step
        self.config = config.ops.get(path)
        self.typed_config = config.typed.get(path)
        self.resource_keys = resource_keys
        self.inputs = tuple(
            InputSlot(each, config.stores.get((*path, "inputs", each.name)))
            for each in step.inputs
            if not isinstance(each.source, OrderOnly)
        )
        self.outputs = {
            each.name: OutputSlot(each, config.stores.get((*path, "outputs", each.name))) for each in step.outputs
        }
        self.by_asset = {slot.given.asset_key: slot for slot in self.outputs.values() if slot.given.asset_key}
        self.by_check = {slot.check_key: slot for slot in self.outputs.values() if slot.check_key}
        # What a function returns is for these, in this order; None stands for one that the run did not ask for.
        self.values = tuple(
            (name, self.outputs.get(name)) for name, out in step.op.outs.items() if out is not CHECK_OUT
        )
