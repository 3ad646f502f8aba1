"""The public face: every name is there, and importing the package loads next to nothing."""

import subprocess
import sys

import pytest

import penstock


def test_all_is_sorted_and_complete() -> None:
    assert penstock.__all__ == sorted(penstock.__all__)
    assert set(penstock.__all__) == set(penstock._HOMES)


@pytest.mark.parametrize("name", penstock.__all__)
def test_each_name_is_where_the_table_says(name: str) -> None:
    assert getattr(penstock, name) is not None
    assert name in dir(penstock)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'oop'"):
        penstock.oop  # noqa: B018 - looking is the test


def _loaded_after(code: str) -> set[str]:
    heavy = ("asyncio", "logging", "pydantic", "click", "yaml", "sqlite3", "msgspec", "inspect")
    program = f"{code}\nimport sys\nprint(*[each for each in {heavy!r} if each in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


def test_the_bare_import_loads_nothing_heavy() -> None:
    assert _loaded_after("import penstock") == set()


def test_definitions_without_config_classes_load_no_pydantic() -> None:
    code = "from penstock import Definitions, asset, job, op, schedule, sensor\nDefinitions(assets=[]).resolved"
    assert _loaded_after(code) <= {"msgspec", "inspect"}


def test_the_decorator_that_is_called_as_a_room_is_works_when_the_room_is_loaded() -> None:
    code = (
        "from penstock import Definitions, definitions\n"
        "import penstock.definitions.load\n"
        "import penstock\n"
        "assert penstock.definitions(lambda: Definitions()) and definitions(lambda: Definitions())"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    subprocess.run([sys.executable, "-c", f"import penstock.definitions.load\n{code}"], check=True, timeout=60)
