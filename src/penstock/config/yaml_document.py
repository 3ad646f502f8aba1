"""YAML text that a person wrote, as plain values, with the line and column of each for messages that name them."""

from __future__ import annotations

from typing import Any

import msgspec

from ..errors import SettingsError
from .check import check
from .env import resolve
from .problems import Problem
from .schema import ConfigType

__all__ = ["LARGEST_BYTES", "YamlDocument", "merge_config", "parse_yaml"]

LARGEST_BYTES = 5 * 1024 * 1024
"""More than a person writes by hand; what is longer is refused unread."""

_DEEPEST = 50
_MOST_VALUES = 100_000
_PLAIN_TAGS = frozenset({"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})
_KEY_TAGS = frozenset({"tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"})


class YamlDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A file's value, and for each path of keys (list positions as text) the line and column, both from 1."""

    file: str
    value: Any
    places: dict[tuple[str, ...], tuple[int, int]]

    def place(self, path: tuple[str, ...]) -> str:
        """`file:line:column` of the value at `path`, or of the nearest one around it."""
        while path and path not in self.places:
            path = path[:-1]
        line, column = self.places.get(path, (1, 1))
        return f"{self.file}:{line}:{column}"

    def depth(self, path: tuple[str, ...]) -> int:
        """How far the file holds a path: how many of its keys, from the first on."""
        return max(length for length in range(len(path) + 1) if not length or path[:length] in self.places)

    def checked(self, schema: ConfigType, environ: dict[str, str], *, value: Any = ...) -> Any:
        """The value with defaults and environment variables filled in.

        Args:
            schema: What it must look like.
            environ: What `{env: NAME}` is read from.
            value: Taken in place of the file's own, where short forms have been written out.

        Raises:
            SettingsError: It is not valid; the text names every mistake with its place.
        """
        given = self.value if value is ... else value
        outcome = check(schema, given, root="the file")
        if outcome.ok:
            outcome = resolve(schema, outcome.value, environ, root="the file")
        if not outcome.ok:
            raise self.error([self.tell(problem) for problem in outcome.problems])
        return outcome.value

    def tell(self, problem: Problem) -> str:
        """A problem as a line of text with its place."""
        return f"{self.place(problem.path)}: {problem.message}"

    def error(self, lines: list[str]) -> SettingsError:
        """The error that says these mistakes."""
        count = "a mistake" if len(lines) == 1 else f"{len(lines)} mistakes"
        return SettingsError("\n".join([f"{self.file} has {count}:", *(f"  {line}" for line in lines)]))


def parse_yaml(data: bytes | str, file: str) -> YamlDocument:
    """Read YAML text; an empty one is an empty mapping.

    Args:
        data: The text.
        file: What messages call the place that it is from.

    Raises:
        SettingsError: It is too large or too deep, is not valid YAML, or has a key twice.
    """
    import yaml

    if len(data) > LARGEST_BYTES:
        raise SettingsError(f"{file} is larger than {LARGEST_BYTES >> 20} MiB; a file of settings is small.")
    places: dict[tuple[str, ...], tuple[int, int]] = {}
    try:
        loader = yaml.SafeLoader(data)
        try:
            node = loader.get_single_node()
            value = _value(loader, node, (), places, file) if node is not None else {}
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else file
        raise SettingsError(
            f"{place}: not valid YAML: {error.problem or error.context}; look at the indentation and the "
            "colons and quotes up to there."
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} is not valid YAML: {error}") from error
    return YamlDocument(file=file, value=value, places=places)


def merge_config(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Two configs as one: mappings are merged, and for any other value `over` wins."""
    merged = dict(under)
    for key, value in over.items():
        before = merged.get(key)
        merged[key] = merge_config(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return merged


def _value(
    loader: Any, node: Any, path: tuple[str, ...], places: dict[tuple[str, ...], tuple[int, int]], file: str
) -> Any:
    import yaml

    place = (node.start_mark.line + 1, node.start_mark.column + 1)
    places.setdefault(path, place)
    if len(path) > _DEEPEST or len(places) > _MOST_VALUES:
        raise SettingsError(
            f"{file}:{place[0]}:{place[1]}: more than {_DEEPEST} levels or {_MOST_VALUES} values; are there "
            "anchors that repeat each other? A file of settings is small."
        )
    if not isinstance(node, yaml.ScalarNode) and node.tag not in _PLAIN_TAGS:
        raise SettingsError(f"{file}:{place[0]}:{place[1]}: the tag {node.tag} has no meaning here; remove it.")
    if isinstance(node, yaml.MappingNode):
        _refuse_doubles(node, file)
        loader.flatten_mapping(node)
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key, mark = key_node.value, key_node.start_mark
            places[(*path, key)] = (mark.line + 1, mark.column + 1)
            found[key] = _value(loader, value_node, (*path, key), places, file)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, item, (*path, str(index)), places, file) for index, item in enumerate(node.value)]
    return loader.construct_object(node, deep=True)


def _refuse_doubles(node: Any, file: str) -> None:
    seen: set[str] = set()
    for key_node, _value_node in node.value:
        mark = key_node.start_mark
        place = f"{file}:{mark.line + 1}:{mark.column + 1}"
        if key_node.tag not in _KEY_TAGS:
            raise SettingsError(f"{place}: a key must be text; put it in quotes.")
        if key_node.value in seen:
            raise SettingsError(f"{place}: the key {key_node.value!r} is there twice; keep one.")
        seen.add(key_node.value)
