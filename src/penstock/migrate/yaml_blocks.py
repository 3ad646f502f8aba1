"""Changes whole blocks of a YAML text, so that everything around them, comments among it, stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

__all__ = ["Block", "Edits", "blocks_of", "plain"]


class Block:
    """A key of a mapping with its value.

    Args:
        key: The key.
        path: The keys that lead to it, itself included; items of a list have their number.
        value: The node of the value.
        line: The key's line, 1 for the first.
        end: The first line behind the block.
        movable: Whether the lines hold nothing else.
    """

    def __init__(self, key: str, path: tuple[str, ...], value: yaml.Node, line: int, end: int, movable: bool) -> None:
        self.key = key
        self.path = path
        self.value = value
        self.line = line
        self.end = end
        self.movable = movable

    @property
    def dotted(self) -> str:
        """The path as one text, without the numbers of items."""
        return ".".join(each for each in self.path if not each.isdecimal())

    def inner(self) -> list[Block]:
        """The blocks directly inside, of a list those of its items."""
        return list(_inside(self.value, self.path, self.movable))


def blocks_of(text: str) -> list[Block]:
    """The blocks at the top of a text.

    Raises:
        yaml.YAMLError: It is no YAML.
    """
    root = yaml.compose(text, yaml.SafeLoader)
    return [] if root is None else list(_inside(root, (), True))


def _inside(node: yaml.Node, path: tuple[str, ...], movable: bool) -> Iterator[Block]:
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _inside(item, (*path, str(number)), False)
    if not isinstance(node, yaml.MappingNode):
        return
    own_lines = movable and not node.flow_style
    for key, value in node.value:
        end = value.end_mark
        # A block's end mark is where the next thing begins; a scalar's and a flow's is on its own last line.
        last = end.line if end.column == 0 and end.line > key.start_mark.line else end.line + 1
        yield Block(str(key.value), (*path, str(key.value)), value, key.start_mark.line + 1, last + 1, own_lines)


def plain(node: yaml.Node) -> Any:
    """The value of a node."""
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_document(node)
    finally:
        loader.dispose()


class Edits:
    """Changes to collect and then make at once.

    Args:
        text: The text.
    """

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines(keepends=True)
        self._made: dict[int, tuple[int, list[str] | None]] = {}

    def replace(self, block: Block, text: str) -> None:
        """Put a text in place of a block."""
        self._made[block.line - 1] = (self._end(block), text.splitlines(keepends=True))

    def comment_out(self, block: Block) -> None:
        """Make a block a comment."""
        self._made[block.line - 1] = (self._end(block), None)

    def _end(self, block: Block) -> int:
        """The first line behind a block; comments and empty lines before the next one belong to that."""
        end = min(block.end - 1, len(self._lines))
        while end > block.line and not self._lines[end - 1].split("#")[0].strip():
            end -= 1
        return end

    def result(self) -> str:
        """The changed text."""
        lines: list[str] = []
        at = 0
        while at < len(self._lines):
            if at not in self._made:
                lines.append(self._lines[at])
                at += 1
                continue
            end, new = self._made[at]
            lines += new if new is not None else [f"# {line}" if line.strip() else line for line in self._lines[at:end]]
            at = end
        return "".join(lines)
