"""The external side stands alone: Python 3.9 and its standard library are all that it needs."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import penstock_pipes

SOURCE = Path(penstock_pipes.__file__).parent
MODULES = sorted(SOURCE.glob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_a_module_is_of_python_3_9_and_imports_the_standard_library_alone(path: Path) -> None:
    tree = ast.parse(path.read_text(), feature_version=(3, 9))
    assert ast.get_docstring(tree), f"{path} has no docstring that says its one job"
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert {alias.name.partition(".")[0] for alias in node.names} <= sys.stdlib_module_names
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 1 or (node.module or "").partition(".")[0] in sys.stdlib_module_names


def test_all_is_sorted_and_there() -> None:
    assert penstock_pipes.__all__ == sorted(penstock_pipes.__all__)
    assert [name for name in penstock_pipes.__all__ if not hasattr(penstock_pipes, name)] == []
