"""Rewrites Python code: imports, names where they are used, keyword arguments, attributes, tags.

What a name means is told by the scopes of the code, so that a variable of the same name as something imported is left
alone. All else in the file, comments and layout among it, stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence
from typing import Any

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider, QualifiedNameProvider, QualifiedNameSource

from .model import Note, Rewritten, Spellings
from .old_names import (
    DISTINCTIVE,
    HOME,
    INTEGRATIONS,
    INTERNAL_NAMES,
    MODULES,
    PIPES_ATTRIBUTES,
    PIPES_NAMES,
    ROOT,
    VARIABLE,
)

__all__ = ["rewrite_python"]

_LABEL = re.compile(r"[a-z0-9_]+(/\S*)?")
_DOTTED = re.compile(rf"{ROOT}(\.\w+)+")
_FILE = re.compile(rf"{ROOT}\.ya?ml")


def rewrite_python(text: str, spellings: Spellings, own_modules: Container[str] = ()) -> Rewritten:
    """The code with our names.

    Args:
        text: The code.
        spellings: What is called otherwise.
        own_modules: Modules of the project itself, which may be called like integrations.
    """
    if ROOT not in text.lower():
        return Rewritten(text)
    try:
        wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
    except cst.ParserSyntaxError as error:
        return Rewritten(text, (Note(error.editor_line, f"This is no Python: {error.message}; correct it first."),))
    rewriter = _Rewriter(spellings, _names_in(wrapper.module), own_modules)
    changed = wrapper.visit(rewriter)
    return Rewritten(changed.code, tuple(sorted(set(rewriter.notes))))


def _names_in(module: cst.Module) -> frozenset[str]:
    """Every name that stands by itself somewhere in the code, and so may be bound there."""
    found: set[str] = set()

    class Names(cst.CSTVisitor):
        def visit_Name(self, node: cst.Name) -> None:  # noqa: N802 - the library's names
            found.add(node.value)

        def visit_Attribute(self, node: cst.Attribute) -> bool:  # noqa: N802
            node.value.visit(self)
            return False

    module.visit(Names())
    return frozenset(found)


class _Rewriter(cst.CSTTransformer):
    METADATA_DEPENDENCIES = (QualifiedNameProvider, PositionProvider)

    def __init__(self, spellings: Spellings, taken: frozenset[str], own_modules: Container[str]) -> None:
        super().__init__()
        self._spellings = spellings
        self._taken = taken
        self._own_modules = own_modules
        self._integrations: set[str] = set()
        self._attributes = _unambiguous(spellings.attributes.values())
        self._old_name = re.compile(rf"(\w+\.)?\b({'|'.join(map(re.escape, spellings.names)) or '(?!)'})\b")
        self._no_names: set[cst.Name] = set()  # names after a dot and before a `=`: they name nothing in the scope
        self._annotations = 0
        self.notes: list[Note] = []

    # -- what things mean ---------------------------------------------------------------------------------------------

    def _note(self, node: cst.CSTNode, text: str) -> None:
        self.notes.append(Note(self.get_metadata(PositionProvider, node).start.line, text))

    def _imported(self, node: cst.CSTNode) -> list[str] | None:
        """The parts of what a node means, if that comes from one of the old modules: `["dagster", "In"]`."""
        for name in self.get_metadata(QualifiedNameProvider, node, ()):
            if name.source is QualifiedNameSource.IMPORT:
                parts = str(name.name).split(".")
                if parts[0] in MODULES:
                    return parts
        return None

    def _name(self, module: str, name: str) -> str:
        """Our name for a public name of an old module."""
        if module != ROOT:
            return PIPES_NAMES.get(name, name)
        return self._spellings.names.get(name) or INTERNAL_NAMES.get(name, name)

    def _is_known(self, module: str, name: str) -> bool:
        return module != ROOT or self._name(module, name) in self._spellings.known

    def _missing(self, node: cst.CSTNode, name: str) -> None:
        why = self._spellings.left_out.get(
            name, "Penstock has no such name; see docs/reference/python.md for what it has."
        )
        self._note(node, f"{name}: {why}")

    def _integration(self, node: cst.CSTNode, module: str) -> None:
        if module in self._own_modules or module in self._integrations:
            return
        self._integrations.add(module)
        self._note(node, f"{module}: Penstock has no integration of this name; replace what you use of it.")

    # -- imports ------------------------------------------------------------------------------------------------------

    def visit_Import(self, node: cst.Import) -> bool:  # noqa: N802 - the library's names, here and below
        for alias in node.names:
            root, *rest = _dotted(alias.name)
            if INTEGRATIONS.fullmatch(root):
                self._integration(node, root)
            elif root == ROOT and rest:
                self._note(node, f"import {'.'.join((root, *rest))}: this module is internal; import from penstock.")
        return False

    def leave_Import(self, original_node: cst.Import, updated_node: cst.Import) -> cst.Import:  # noqa: N802
        names = []
        for alias in updated_node.names:
            module = str(alias.name.value) if isinstance(alias.name, cst.Name) else ""
            if module in MODULES:
                alias = alias.with_changes(name=cst.Name(MODULES[module]))
            names.append(alias)
        return updated_node.with_changes(names=names)

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:  # noqa: N802
        return False

    def leave_SimpleStatementLine(  # noqa: N802
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.BaseStatement | cst.FlattenSentinel[cst.BaseStatement]:
        statement = original_node.body[0]
        if not isinstance(statement, cst.ImportFrom) or statement.relative:
            return updated_node
        parts = _dotted(statement.module) if statement.module is not None else []
        if not parts or parts[0] not in MODULES:
            if parts and INTEGRATIONS.fullmatch(parts[0]):
                self._integration(statement, parts[0])
            return updated_node
        if len(original_node.body) != 1:
            self._note(statement, "This import shares its line with other statements; give it a line of its own.")
            return updated_node
        if isinstance(statement.names, cst.ImportStar):
            self._note(statement, "import *: names that have another spelling now are not rewritten; look them up.")
            return updated_node.with_changes(body=[_import(statement, MODULES[parts[0]], statement.names)])
        return self._split(updated_node, statement, parts, statement.names)

    def _split(
        self,
        line: cst.SimpleStatementLine,
        statement: cst.ImportFrom,
        parts: Sequence[str],
        aliases: Sequence[cst.ImportAlias],
    ) -> cst.BaseStatement | cst.FlattenSentinel[cst.BaseStatement]:
        """What is here is imported from here; what is not stays as it was, so that it is seen."""
        root = parts[0]
        here = [each for each in aliases if self._is_known(root, str(each.name.value))]
        gone = [each for each in aliases if each not in here]
        for each in gone:
            self._missing(statement, str(each.name.value))
        if not here:
            return line
        renamed = [self._alias(root, each) for each in here]
        moved = line.with_changes(body=[_import(statement, MODULES[root], _closed(renamed, statement, bool(gone)))])
        if not gone:
            return moved
        left = cst.SimpleStatementLine(
            [statement.with_changes(names=_closed(gone, statement, True), lpar=None, rpar=None)]
        )
        return cst.FlattenSentinel([moved, left])

    def _alias(self, root: str, alias: cst.ImportAlias) -> cst.ImportAlias:
        old = str(alias.name.value)
        new = self._name(root, old)
        if new == old:
            return alias
        if alias.asname is None and new in self._taken:  # something else is called so here
            return alias.with_changes(name=cst.Name(new), asname=cst.AsName(cst.Name(old)))
        return alias.with_changes(name=cst.Name(new))

    # -- uses ---------------------------------------------------------------------------------------------------------

    def visit_Attribute(self, node: cst.Attribute) -> None:  # noqa: N802
        self._no_names.add(node.attr)

    def visit_Arg(self, node: cst.Arg) -> None:  # noqa: N802
        if node.keyword is not None:
            self._no_names.add(node.keyword)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:  # noqa: N802
        if original_node in self._no_names:
            return updated_node
        parts = self._imported(original_node)
        if parts is None:
            return updated_node
        if len(parts) == 1:
            return (
                updated_node.with_changes(value=MODULES[parts[0]]) if updated_node.value == parts[0] else updated_node
            )
        new = self._name(parts[0], parts[-1])
        if updated_node.value != parts[-1] or new == parts[-1] or new in self._taken:
            return updated_node  # imported under another name
        return updated_node.with_changes(value=new)

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.Attribute:  # noqa: N802
        old = original_node.attr.value
        parts = self._imported(original_node)
        new = old
        if parts is not None and len(parts) == 2 and old == parts[1]:
            new = self._name(parts[0], old)
            if not self._is_known(parts[0], old):
                self._missing(original_node, ".".join(parts) if old.startswith("_") else old)
        elif parts is not None and parts[0] != ROOT:
            new = PIPES_ATTRIBUTES.get(old, old)
        elif parts is None or parts[0] == ROOT:
            new = self._attributes.get(old, PIPES_ATTRIBUTES.get(old, old))
        return updated_node if new == old else updated_node.with_changes(attr=cst.Name(new))

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:  # noqa: N802
        parts = self._imported(original_node.func)
        if parts is None or len(parts) < 2:
            return updated_node
        renamed = self._spellings.parameters.get(self._name(parts[0], parts[-1]), {})
        args = [
            each.with_changes(keyword=cst.Name(renamed[each.keyword.value]))
            if each.keyword is not None and each.keyword.value in renamed
            else each
            for each in updated_node.args
        ]
        return updated_node.with_changes(args=args)

    # -- texts --------------------------------------------------------------------------------------------------------

    def visit_Annotation(self, node: cst.Annotation) -> None:  # noqa: N802
        self._annotations += 1

    def leave_Annotation(self, original_node: cst.Annotation, updated_node: cst.Annotation) -> cst.Annotation:  # noqa: N802
        self._annotations -= 1
        return updated_node

    def leave_SimpleString(  # noqa: N802
        self, original_node: cst.SimpleString, updated_node: cst.SimpleString
    ) -> cst.SimpleString:
        value = updated_node.evaluated_value
        if not isinstance(value, str):
            return updated_node
        new = self._text(original_node, value)
        if new == value:
            return updated_node
        return updated_node.with_changes(value=updated_node.value.replace(value, new, 1))

    def _text(self, node: cst.CSTNode, value: str) -> str:
        if self._annotations:
            return self._annotation(value)
        for old, new in self._spellings.label_prefixes.items():
            if value.startswith(old) and _LABEL.fullmatch(value[len(old) :]):
                return new + value[len(old) :]
        if _FILE.fullmatch(value):
            return value.replace(ROOT, MODULES[ROOT], 1)
        if _DOTTED.fullmatch(value):
            _, name, *rest = value.split(".")
            if self._is_known(ROOT, name):
                return ".".join((MODULES[ROOT], self._name(ROOT, name), *rest))
            self._note(node, f"{value!r} names something internal; name what stands for it in penstock.")
        elif value in HOME:
            return HOME[value]
        elif VARIABLE.fullmatch(value):
            self._note(
                node, f"{value}: Penstock reads no such variable; see docs/reference/settings.md for those it reads."
            )
        return value

    def _annotation(self, value: str) -> str:
        """Names in an annotation that is text; what stands behind a dot cannot be something else's name."""

        def ours(found: re.Match[str]) -> str:
            new = self._spellings.names[found[2]]
            return found[0] if not found[1] and new in self._taken else f"{found[1] or ''}{new}"

        value = self._old_name.sub(ours, value)
        return re.sub(rf"\b{ROOT}\.", f"{MODULES[ROOT]}.", value)

    def leave_FormattedString(  # noqa: N802
        self, original_node: cst.FormattedString, updated_node: cst.FormattedString
    ) -> cst.FormattedString:
        first = updated_node.parts[0] if updated_node.parts else None
        if isinstance(first, cst.FormattedStringText):
            for old, new in self._spellings.label_prefixes.items():
                if first.value.startswith(old):
                    changed = first.with_changes(value=new + first.value[len(old) :])
                    return updated_node.with_changes(parts=[changed, *updated_node.parts[1:]])
        return updated_node


def _unambiguous(tables: Iterable[Any]) -> dict[str, str]:
    """Attributes that are called the same wherever they are, so that the object's class need not be known."""
    found: dict[str, set[str]] = {}
    for table in tables:
        for old, new in table.items():
            found.setdefault(old, set()).add(new)
    return {old: new.pop() for old, new in found.items() if len(new) == 1 and DISTINCTIVE.fullmatch(old)}


def _dotted(node: cst.BaseExpression) -> list[str]:
    if isinstance(node, cst.Attribute):
        return [*_dotted(node.value), node.attr.value]
    assert isinstance(node, cst.Name)
    return [node.value]


def _import(statement: cst.ImportFrom, module: str, names: Any) -> cst.ImportFrom:
    return statement.with_changes(module=cst.Name(module), names=names)


def _closed(aliases: list[cst.ImportAlias], statement: cst.ImportFrom, changed: bool) -> list[cst.ImportAlias]:
    """The names with a comma behind the last one only where parentheses allow it."""
    if changed or statement.lpar is None:
        last = aliases[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return [*aliases[:-1], last]
    return aliases
