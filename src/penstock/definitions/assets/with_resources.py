"""`with_resources`: binds resources to assets and checks themselves, before they come into `Definitions`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...errors import DefinitionError, InvocationError, UnknownResourceError
from ...wording import did_you_mean
from ..resources.resource import ResourceDefinition, to_resources
from ..run_config import needed_resources
from .definition import AssetsDefinition
from .spec import AssetSpec

__all__ = ["with_resources"]

_OF_INSTANCE = "io_manager"


def with_resources(
    definitions: Iterable[AssetsDefinition | AssetSpec],
    resource_defs: Mapping[str, Any],
    resource_config_by_key: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[AssetsDefinition | AssetSpec]:
    """These assets and checks with the resources that they need; give resources to `Definitions` where you can.

    Specs of assets that something else makes need no resources and come back as they are.

    Args:
        definitions: The assets and checks.
        resource_defs: By key, what `Definitions` takes as resources.
        resource_config_by_key: By key, the config of a resource as a run config has it: a mapping with `config`.

    Raises:
        UnknownResourceError: A resource that one of them needs is not given.
        InvocationError: One of them brings another resource of the same key, or a config names a key that is not given.
        InvalidRunConfigError: A config does not fit its schema.
    """
    resources = _configured(to_resources(resource_defs, "with_resources"), resource_config_by_key or {})
    return [each if isinstance(each, AssetSpec) else _bound(each, resources) for each in definitions]


def _configured(
    resources: dict[str, ResourceDefinition], config: Mapping[str, Mapping[str, Any]]
) -> dict[str, ResourceDefinition]:
    for key, entry in config.items():
        if key not in resources:
            raise InvocationError(
                f'with_resources has config for the resource "{key}", which is not given{did_you_mean(key, resources)}'
            )
        if set(entry) != {"config"}:
            raise DefinitionError(
                f'with_resources has the keys {sorted(entry)} for the resource "{key}"; give {{"config": ...}}.'
            )
        resources[key] = resources[key].configured(entry["config"])
        resources[key].made_from = None  # with another config it is another resource
    return resources


def _bound(definition: AssetsDefinition, resources: Mapping[str, ResourceDefinition]) -> AssetsDefinition:
    own = definition.resource_defs
    given = {key: value for key, value in resources.items() if key not in own}
    needed = needed_resources(definition.required_resource_keys, own | given)
    for key in needed:
        if key in own and key in resources and not own[key].is_same(resources[key]):
            raise InvocationError(
                f'{definition.op.what} ({definition.source}) brings a resource "{key}" of its own and with_resources '
                "gives it another; keep one of them."
            )
        if key not in own and key not in given and key != _OF_INSTANCE:
            raise UnknownResourceError(
                f'{definition.op.what} ({definition.source}) needs the resource "{key}", which with_resources is not '
                f"given{did_you_mean(key, resources)}"
            )
    return definition.replaced(resource_defs=own | {key: given[key] for key in needed if key in given})
