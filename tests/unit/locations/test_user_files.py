"""Which files are the user's."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from penstock.locations.user_files import user_files


def test_modules_of_the_user_and_files_of_the_traceback(tmp_path: Path) -> None:
    path = tmp_path / "a_users_module.py"
    path.write_text("value = 1\n")
    spec = importlib.util.spec_from_file_location("a_users_module", path)
    assert spec is not None
    sys.modules["a_users_module"] = importlib.util.module_from_spec(spec)
    broken = tmp_path / "broken.py"
    try:
        compile("def f(:\n", str(broken), "exec")
    except SyntaxError as error:
        caught = error
    try:
        found = user_files(caught)
    finally:
        del sys.modules["a_users_module"]
    assert {str(path), str(broken)} <= found
    assert not any("site-packages" in each or each.endswith("/json/__init__.py") for each in found)
    assert str(Path(importlib.util.__file__)) not in found
