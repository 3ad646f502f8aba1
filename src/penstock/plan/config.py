"""The run config schema of a part of a job: what belongs to steps that do not run need not be given."""

from __future__ import annotations

from collections.abc import Collection

from msgspec.structs import replace

from ..config.schema import UNSET, Field, Shape
from ..errors import InternalError

__all__ = ["narrow_schema"]


def narrow_schema(schema: Shape, step_keys: Collection[str], resources: Collection[str]) -> Shape:
    """The schema with requirements for these steps and resources alone; everything else may still be given.

    Args:
        schema: The schema of the whole job.
        step_keys: The steps that run: names from the job's graph inwards, joined by `.`.
        resources: The resources that they use.
    """
    paths = {tuple(key.split(".")) for key in step_keys}
    prefixes = {path[:length] for path in paths for length in range(1, len(path) + 1)}
    fields = dict(schema.fields)
    if "ops" in fields:
        fields["ops"] = _part({name: _ops(field, (name,), prefixes) for name, field in _inside(fields["ops"]).items()})
    if "resources" in fields:
        fields["resources"] = _part(
            {
                name: field if name in resources else _optional(field)
                for name, field in _inside(fields["resources"]).items()
            }
        )
    return replace(schema, fields=fields)


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
