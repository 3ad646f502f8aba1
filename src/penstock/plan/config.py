"""The run config schema of a part of a job: what belongs to steps that do not run need not be given."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec.structs import replace

from ..config.schema import UNSET, ConfigType, Field, Shape
from ..errors import InternalError
from ..records.location import MappedPart

__all__ = ["narrow_entries", "narrow_schema"]


def narrow_schema(
    schema: ConfigType, step_keys: Collection[str], resources: Collection[str], mapped: MappedPart = ""
) -> ConfigType:
    """The schema with requirements for these steps and resources alone; everything else may still be given.

    Args:
        schema: The schema of the whole job.
        step_keys: The steps that run: names from the job's graph inwards, joined by `.`.
        resources: The resources that they use.
        mapped: What a config mapping makes of another config, which counts whole.
    """
    if mapped == "all" or not isinstance(schema, Shape):
        return schema
    fields = dict(schema.fields)
    if "ops" in fields and not mapped:
        fields["ops"] = _part(narrow_entries(_inside(fields["ops"]), step_keys))
    if "resources" in fields:
        fields["resources"] = _part(
            {
                name: field if name in resources else _optional(field)
                for name, field in _inside(fields["resources"]).items()
            }
        )
    return replace(schema, fields=fields)


def narrow_entries(entries: Mapping[str, Field], step_keys: Collection[str]) -> dict[str, Field]:
    """The entries of a graph's nodes, with requirements for these steps alone, their keys counted from that graph."""
    paths = {tuple(key.split(".")) for key in step_keys}
    prefixes = {path[:length] for path in paths for length in range(1, len(path) + 1)}
    return {name: _ops(field, (name,), prefixes) for name, field in entries.items()}


def _ops(field: Field, path: tuple[str, ...], prefixes: Collection[tuple[str, ...]]) -> Field:
    if not field.required:
        return field
    if path not in prefixes:
        return _optional(field)
    entry = _inside(field)
    if "ops" not in entry:
        return field
    inner = {name: _ops(each, (*path, name), prefixes) for name, each in _inside(entry["ops"]).items()}
    return _part({**entry, "ops": _part(inner)})


def _optional(field: Field) -> Field:
    return replace(field, required=False, default=UNSET) if field.required else field


def _part(fields: dict[str, Field]) -> Field:
    required = any(field.required for field in fields.values())
    return Field(type=Shape(fields=fields), required=required, default=UNSET if required else {})


def _inside(field: Field) -> dict[str, Field]:
    if not isinstance(field.type, Shape):
        raise InternalError(f"A section of a run config schema must be a shape, not {field.type!r}.")
    return field.type.fields
