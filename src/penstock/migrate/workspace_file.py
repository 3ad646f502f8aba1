"""Looks at a `workspace.yaml`, which stays as it is where it names what there is here too."""

from __future__ import annotations

import yaml

from ..config.schema import Array, ConfigType, Selector, Shape
from .model import Note, Rewritten
from .yaml_blocks import Block, blocks_of

__all__ = ["check_workspace_file"]


def check_workspace_file(text: str, schema: ConfigType) -> Rewritten:
    """The file with what is left to do in it.

    Args:
        text: The file.
        schema: What a workspace may hold, short forms written out.
    """
    try:
        blocks = blocks_of(text)
    except yaml.YAMLError as error:
        return Rewritten(text, (Note(1, f"This is no YAML: {error}; correct it first."),))
    notes: list[Note] = []
    for block in blocks:
        _look(block, schema, notes)
    return Rewritten(text, tuple(notes))


def _look(block: Block, schema: ConfigType, notes: list[Note]) -> None:
    while isinstance(schema, Array):
        schema = schema.item
    if not isinstance(schema, Shape | Selector):
        return
    field = schema.fields.get(block.key)
    if field is None:
        remedy = (
            "name the module with python_module, and build its Definitions there"
            if block.key == "autoload_defs_module"
            else "see docs/reference/settings.md"
        )
        notes.append(Note(block.line, f"{block.dotted}: there is no such setting; {remedy}."))
        return
    if block.key == "grpc_server":
        notes.append(Note(block.line, "grpc_server: start a `penstock code-server` there, and name its location_name."))
    for inner in block.inner():
        _look(inner, field.type, notes)
