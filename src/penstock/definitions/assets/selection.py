"""Selections of assets and checks: small expressions that are resolved against the asset graph."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from ...errors import DefinitionError, SubsetError
from ...records.keys import AssetCheckKey, AssetKey, CoercibleToAssetKey
from ...records.labels import LABELS
from ...wording import did_you_mean
from ..source import place_of_call
from .definition import AssetsDefinition
from .graph import AssetGraph, AssetNode, build_asset_graph
from .spec import AssetSpec

__all__ = ["AssetSelection", "CoercibleToAssetSelection", "Matching"]

Condition: TypeAlias = Callable[[AssetNode], bool]
CoercibleToAssetSelection: TypeAlias = Any
"""A selection, its text, or one or several keys, specs or definitions of assets."""


class AssetSelection:
    """Which assets, as an expression over the asset graph. Make one with its static methods, then combine them.

    `a | b` is either, `a & b` both, `a - b` the first without the second, `~a` all others. A selection of assets brings
    their checks along, unless `without_checks()` is asked for.
    """

    __slots__ = ()

    # -- where a selection begins -------------------------------------------------------------------------------------

    @staticmethod
    def all(include_sources: bool = False) -> AssetSelection:
        """All assets that something in the code location makes; with `include_sources` all others too."""
        return Matching(lambda _: True, "*", include_sources)

    @staticmethod
    def assets(*assets_defs: Any) -> AssetSelection:
        """These assets: definitions, specs or keys."""
        return _Keys(tuple(key for each in assets_defs for key in _asset_keys(each)))

    @staticmethod
    def keys(*asset_keys: CoercibleToAssetKey) -> AssetSelection:
        """The assets of these keys; a text is a key's text form, parts joined by `/`."""
        return _Keys(tuple(_coerce(each).to_user_string() for each in asset_keys))

    @staticmethod
    def groups(*group_strs: str, include_sources: bool = False) -> AssetSelection:
        """The assets of these groups."""
        wanted = frozenset(group_strs)
        text = _any_of(f'group:"{each}"' for each in group_strs)
        return Matching(lambda node: node.group in wanted, text, include_sources)

    @staticmethod
    def key_prefixes(*key_prefixes: str | Sequence[str], include_sources: bool = False) -> AssetSelection:
        """The assets whose keys begin with one of these."""
        prefixes = [[each] if isinstance(each, str) else list(each) for each in key_prefixes]
        text = _any_of(f'key:"{"/".join(each)}/*"' for each in prefixes)
        return Matching(lambda node: any(node.spec.key.has_prefix(each) for each in prefixes), text, include_sources)

    @staticmethod
    def key_substring(key_substring: str, include_sources: bool = False) -> AssetSelection:
        """The assets whose key's text form contains this text."""
        return Matching(lambda node: key_substring in node.key, f'key:"*{key_substring}*"', include_sources)

    @staticmethod
    def tag(key: str, value: str, include_sources: bool = False) -> AssetSelection:
        """The assets with this tag."""
        key = LABELS.read(key)
        return Matching(lambda node: node.spec.tags.get(key) == value, f'tag:"{key}"="{value}"', include_sources)

    @staticmethod
    def kind(kind: str, include_sources: bool = False) -> AssetSelection:
        """The assets of this kind."""
        return Matching(lambda node: f"penstock/kind/{kind}" in node.spec.tags, f'kind:"{kind}"', include_sources)

    @staticmethod
    def owner(owner: str) -> AssetSelection:
        """The assets of this owner."""
        return Matching(lambda node: owner in node.spec.owners, f'owner:"{owner}"', False)

    @staticmethod
    def key_pattern(pattern: str) -> AssetSelection:
        """The assets whose key's text form matches this pattern, in which `*` is any text."""
        if "*" not in pattern:
            return _Keys((AssetKey.from_user_string(pattern).to_user_string(),))
        regex = re.compile(".*".join(re.escape(each) for each in pattern.split("*")))
        return Matching(lambda node: regex.fullmatch(node.key) is not None, f'key:"{pattern}"', True)

    @staticmethod
    def all_asset_checks() -> AssetSelection:
        """All checks, and no assets."""
        return _AllChecks()

    @staticmethod
    def checks_for_assets(*assets_defs: Any) -> AssetSelection:
        """The checks on these assets, and no assets."""
        return _ChecksOf(tuple(key for each in assets_defs for key in _asset_keys(each)))

    @staticmethod
    def checks(*assets_defs_or_check_keys: AssetsDefinition | AssetCheckKey) -> AssetSelection:
        """These checks, or those of these functions, and no assets."""
        keys: list[str] = []
        for each in assets_defs_or_check_keys:
            own = (each,) if isinstance(each, AssetCheckKey) else each.check_keys
            keys += [key.to_user_string() for key in own]
        return _CheckKeys(tuple(keys))

    @staticmethod
    def from_string(string: str) -> AssetSelection:
        """The selection that a text means, for example `group:sales and not +key:"orders"`.

        Raises:
            DefinitionError: The text cannot be read; the message names the place.
        """
        from .selection_text import parse_selection

        return parse_selection(string)

    @staticmethod
    def from_coercible(selection: CoercibleToAssetSelection) -> AssetSelection:
        """The selection that users mean by a selection, a text, or one or several assets."""
        if isinstance(selection, AssetSelection):
            return selection
        if isinstance(selection, str):
            return AssetSelection.from_string(selection)
        if isinstance(selection, list | tuple | set | frozenset):
            chosen = [AssetSelection.from_coercible(each) for each in selection]
            return _Union(tuple(chosen))
        if isinstance(selection, AssetsDefinition) and not selection.specs_by_output:
            return AssetSelection.checks(selection)
        return AssetSelection.assets(selection)

    # -- what a selection leads to ------------------------------------------------------------------------------------

    def upstream(self, depth: int | None = None, include_self: bool = True) -> AssetSelection:
        """All assets that these depend on, at most `depth` steps away, and these themselves."""
        return _Walk(self, "upstream", depth, include_self)

    def downstream(self, depth: int | None = None, include_self: bool = True) -> AssetSelection:
        """All assets that depend on these, at most `depth` steps away, and these themselves."""
        return _Walk(self, "downstream", depth, include_self)

    def roots(self) -> AssetSelection:
        """Those of these that depend on none of these, not even by way of others."""
        return _Ends(self, "roots")

    def sinks(self) -> AssetSelection:
        """Those of these that none of these depends on, not even by way of others."""
        return _Ends(self, "sinks")

    sources = roots

    def materializable(self) -> AssetSelection:
        """Those of these that something in the code location makes."""
        return _Intersection((self, AssetSelection.all()))

    def upstream_source_assets(self) -> AssetSelection:
        """The assets directly upstream of these that nothing in the code location makes."""
        return _Difference(_Walk(self, "upstream", 1, False, through_sources=True), AssetSelection.all())

    def required_multi_asset_neighbors(self) -> AssetSelection:
        """These, and the assets that the same functions cannot but make with them."""
        return _Neighbors(self)

    def without_checks(self) -> AssetSelection:
        """These assets without their checks."""
        return _WithoutChecks(self)

    def __or__(self, other: AssetSelection) -> AssetSelection:
        return _Union((self, other))

    __add__ = __or__

    def __and__(self, other: AssetSelection) -> AssetSelection:
        return _Intersection((self, other))

    def __sub__(self, other: AssetSelection) -> AssetSelection:
        return _Difference(self, other)

    def __invert__(self) -> AssetSelection:
        return _Difference(AssetSelection.all(), self)

    # -- what it comes to ---------------------------------------------------------------------------------------------

    def resolve(self, all_assets: AssetGraph | Iterable[AssetsDefinition | AssetSpec]) -> set[AssetKey]:
        """The keys of the assets that it selects of these.

        Args:
            all_assets: The assets: definitions and specs, or what `Definitions.resolve_asset_graph()` gives.

        Raises:
            NotFoundError: It names an asset that does not exist.
        """
        if not isinstance(all_assets, AssetGraph):
            made, described = [], []
            for each in all_assets:
                made.append(each) if isinstance(each, AssetsDefinition) else described.append((each, None))
            all_assets = build_asset_graph(made, described)
        return {AssetKey.from_user_string(key) for key in self.keys_in(all_assets)}

    def keys_in(self, graph: AssetGraph) -> set[str]:
        """The keys of the assets, in text form.

        Raises:
            SubsetError: It names an asset that does not exist.
        """
        raise NotImplementedError

    def resolve_checks(self, graph: AssetGraph) -> set[str]:
        """The keys of the checks, as `asset/key:name`: all on the selected assets, unless it says otherwise."""
        chosen = self.keys_in(graph)
        return {key for asset in chosen for key in graph.assets[asset].checks}

    def to_text(self) -> str:
        """The selection as people read it, in the words of the text syntax where it has some."""
        raise NotImplementedError

    def _identity(self) -> tuple[Any, ...]:
        """What makes it equal to another one of its class."""
        return tuple(getattr(self, name) for cls in type(self).__mro__ for name in getattr(cls, "__slots__", ()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AssetSelection) and type(other) is type(self) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash((type(self), self._identity()))

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return f"AssetSelection({self.to_text()})"


class _Keys(AssetSelection):
    __slots__ = ("chosen",)

    def __init__(self, chosen: tuple[str, ...]) -> None:
        self.chosen = chosen

    def keys_in(self, graph: AssetGraph) -> set[str]:
        for key in self.chosen:
            if key not in graph.assets:
                raise SubsetError(f'There is no asset "{key}" to select{graph.nearest(key)}')
        return set(self.chosen)

    def to_text(self) -> str:
        return _any_of(f'key:"{key}"' for key in self.chosen)


class Matching(AssetSelection):
    """The assets that meet a condition; `text` says it in the text syntax."""

    __slots__ = ("condition", "include_sources", "text")

    def __init__(self, condition: Condition, text: str, include_sources: bool) -> None:
        self.condition = condition
        self.text = text
        self.include_sources = include_sources

    def keys_in(self, graph: AssetGraph) -> set[str]:
        return {
            key
            for key, node in graph.assets.items()
            if (node.materializable or self.include_sources) and self.condition(node)
        }

    def _identity(self) -> tuple[Any, ...]:
        return (self.text, self.include_sources)  # the text says the condition; two functions are never equal

    def to_text(self) -> str:
        return self.text


class _Combined(AssetSelection):
    __slots__ = ("parts",)
    word: str

    def __init__(self, parts: tuple[AssetSelection, ...]) -> None:
        self.parts = parts

    def to_text(self) -> str:
        return "(" + f" {self.word} ".join(each.to_text() for each in self.parts) + ")"


class _Union(_Combined):
    __slots__ = ()
    word = "or"

    def keys_in(self, graph: AssetGraph) -> set[str]:
        return set().union(*(each.keys_in(graph) for each in self.parts))

    def resolve_checks(self, graph: AssetGraph) -> set[str]:
        return set().union(*(each.resolve_checks(graph) for each in self.parts))


class _Intersection(_Combined):
    __slots__ = ()
    word = "and"

    def keys_in(self, graph: AssetGraph) -> set[str]:
        first, *others = (each.keys_in(graph) for each in self.parts)
        return first.intersection(*others)

    def resolve_checks(self, graph: AssetGraph) -> set[str]:
        first, *others = (each.resolve_checks(graph) for each in self.parts)
        return first.intersection(*others)


class _Difference(AssetSelection):
    __slots__ = ("left", "right")

    def __init__(self, left: AssetSelection, right: AssetSelection) -> None:
        self.left = left
        self.right = right

    def keys_in(self, graph: AssetGraph) -> set[str]:
        return self.left.keys_in(graph) - self.right.keys_in(graph)

    def resolve_checks(self, graph: AssetGraph) -> set[str]:
        return self.left.resolve_checks(graph) - self.right.resolve_checks(graph)

    def to_text(self) -> str:
        return f"({self.left.to_text()} and not {self.right.to_text()})"


class _Walk(AssetSelection):
    __slots__ = ("depth", "direction", "include_self", "start", "through_sources")

    def __init__(
        self,
        start: AssetSelection,
        direction: str,
        depth: int | None,
        include_self: bool,
        *,
        through_sources: bool = False,
    ) -> None:
        if depth is not None and depth < 0:
            raise DefinitionError(f"A selection goes {direction} by a depth of 0 or more, not {depth}.")
        self.start = start
        self.direction = direction
        self.depth = depth
        self.through_sources = through_sources
        self.include_self = include_self

    def keys_in(self, graph: AssetGraph) -> set[str]:
        first = self.start.keys_in(graph)
        reached = set(first)
        edge: Iterable[str] = first
        steps = 0
        while edge and (self.depth is None or steps < self.depth):
            found: set[str] = set()
            for key in edge:
                node = graph.assets[key]
                found.update(node.deps if self.direction == "upstream" else node.dependents)
            edge = found - reached
            reached |= edge
            steps += 1
        # A walk finds what a run can make, unless what something else makes is asked for.
        walked = {key for key in reached if self.through_sources or graph.assets[key].materializable or key in first}
        return walked if self.include_self else walked - first

    def to_text(self) -> str:
        depth = "" if self.depth is None else str(self.depth)
        inner = self.start.to_text()
        if isinstance(self.start, _Walk):
            inner = f"({inner})"
        text = f"{depth}+{inner}" if self.direction == "upstream" else f"{inner}+{depth}"
        return text if self.include_self else f"({text} and not {inner})"


class _Ends(AssetSelection):
    __slots__ = ("which", "within")

    def __init__(self, within: AssetSelection, which: str) -> None:
        self.within = within
        self.which = which

    def keys_in(self, graph: AssetGraph) -> set[str]:
        chosen = self.within.keys_in(graph)
        inward = self.which == "roots"
        behind: set[str] = set()  # those that one of the chosen lies before, on whatever way
        for key in graph.assets if inward else reversed(graph.assets):
            node = graph.assets[key]
            before = node.deps if inward else node.dependents
            if any(each != key and (each in chosen or each in behind) for each in before):
                behind.add(key)
        return chosen - behind

    def to_text(self) -> str:
        return f"{self.which}({self.within.to_text()})"


class _Neighbors(AssetSelection):
    __slots__ = ("within",)

    def __init__(self, within: AssetSelection) -> None:
        self.within = within

    def keys_in(self, graph: AssetGraph) -> set[str]:
        chosen = self.within.keys_in(graph)
        result = set(chosen)
        for key in chosen:
            definition = graph.assets[key].definition
            if definition is not None and not definition.can_subset:
                result.update(spec.key.to_user_string() for spec in definition.specs)
        return result

    def to_text(self) -> str:
        return f"neighbors({self.within.to_text()})"


class _WithoutChecks(AssetSelection):
    __slots__ = ("within",)

    def __init__(self, within: AssetSelection) -> None:
        self.within = within

    def keys_in(self, graph: AssetGraph) -> set[str]:
        return self.within.keys_in(graph)

    def resolve_checks(self, graph: AssetGraph) -> set[str]:
        return set()

    def to_text(self) -> str:
        return self.within.to_text()


class _OnlyChecks(AssetSelection):
    __slots__ = ()

    def keys_in(self, graph: AssetGraph) -> set[str]:
        return set()


class _AllChecks(_OnlyChecks):
    __slots__ = ()

    def resolve_checks(self, graph: AssetGraph) -> set[str]:
        return set(graph.checks)

    def to_text(self) -> str:
        return "all checks"


class _ChecksOf(_OnlyChecks):
    __slots__ = ("assets_of",)

    def __init__(self, assets_of: tuple[str, ...]) -> None:
        self.assets_of = assets_of

    def resolve_checks(self, graph: AssetGraph) -> set[str]:
        return {key for asset in _Keys(self.assets_of).keys_in(graph) for key in graph.assets[asset].checks}

    def to_text(self) -> str:
        return f"checks of ({_Keys(self.assets_of).to_text()})"


class _CheckKeys(_OnlyChecks):
    __slots__ = ("chosen",)

    def __init__(self, chosen: tuple[str, ...]) -> None:
        self.chosen = chosen

    def resolve_checks(self, graph: AssetGraph) -> set[str]:
        for key in self.chosen:
            if key not in graph.checks:
                raise SubsetError(f'There is no check "{key}" to select{did_you_mean(key, graph.checks)}')
        return set(self.chosen)

    def to_text(self) -> str:
        return " or ".join(f'check:"{key}"' for key in self.chosen)


def _any_of(texts: Iterable[str]) -> str:
    parts = list(texts)
    return parts[0] if len(parts) == 1 else f"({' or '.join(parts)})"


def _coerce(given: CoercibleToAssetKey) -> AssetKey:
    return AssetKey.from_user_string(given) if isinstance(given, str) else AssetKey.from_coercible(given)


def _asset_keys(given: Any) -> list[str]:
    if isinstance(given, AssetsDefinition):
        return [spec.key.to_user_string() for spec in given.specs]
    if isinstance(given, AssetSpec):
        return [given.key.to_user_string()]
    parts = given and isinstance(given, list | tuple) and all(isinstance(part, str) for part in given)
    if parts or isinstance(given, AssetKey | str):
        return [_coerce(given).to_user_string()]
    raise DefinitionError(f"{given!r}{place_of_call()} names no asset; give a definition, an AssetSpec or a key.")
