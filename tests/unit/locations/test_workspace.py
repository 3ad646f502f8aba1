"""Which code locations there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.errors import SettingsError
from penstock.locations.workspace import origins_from_options, read_workspace


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "shop.py").write_text("")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "other.py").write_text("")
    return tmp_path


def workspace(folder: Path, text: str, name: str = "workspace.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_short_and_long_forms(shop: Path) -> None:
    path = workspace(
        shop,
        """
load_from:
  - python_file: shop.py
  - python_file: {relative_path: sub/other.py, location_name: other, attribute: defs, working_directory: sub}
  - python_module: shop.definitions
  - python_package: {package_name: ware, executable_path: venv/bin/python}
  - code_server: {host: box, port: 4000, location_name: far}
  - grpc_server: {socket: run/a.sock, location_name: near}
""",
    )
    found = {origin.name: origin for origin in read_workspace(path)}
    assert list(found) == ["shop.py", "other", "shop.definitions", "ware", "far", "near"]
    first, other = found["shop.py"].target, found["other"].target
    assert first is not None
    assert other is not None
    assert str(first.python_file) == str(shop / "shop.py")
    assert first.working_directory is None
    assert (other.attribute, str(other.working_directory)) == ("defs", str(shop / "sub"))
    assert found["ware"].executable == str(shop / "venv/bin/python")
    assert found["far"].address == "http://box:4000"
    assert found["near"].address == f"unix:{shop / 'run/a.sock'}"
    assert found["other"].words() == f"file {shop / 'sub/other.py'}, attribute defs"


def test_all_mistakes_of_a_workspace_come_at_once(shop: Path) -> None:
    path = workspace(
        shop,
        "load_from:\n"
        "  - python_file: shop.py\n"
        "  - python_file: absent.py\n"
        "  - python_file: {relative_path: shop.py}\n"
        "  - code_server: {location_name: far}\n",
    )
    with pytest.raises(SettingsError) as caught:
        read_workspace(path)
    text = str(caught.value)
    assert "3 mistakes" in text
    assert "workspace.yaml:3:5" in text
    assert "absent.py does not exist. There are shop.py." in text
    assert "already; give this one a location_name" in text
    assert "either a port or a socket" in text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("load_form: []\n", 'did you mean "load_from"'),
        ("load_from:\n  - python_fil: shop.py\n", 'did you mean "python_file"'),
        ("load_from:\n  - python_file: {relative_path: shop.py, atribute: x}\n", 'did you mean "attribute"'),
        ("load_from:\n  - shop.py\n", "mapping"),
        ("[]\n", "mapping"),
    ],
)
def test_wrong_keys_are_named_with_the_nearest(shop: Path, text: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        read_workspace(workspace(shop, text))


def test_of_several_workspaces_the_later_one_wins(shop: Path) -> None:
    one = workspace(shop, "load_from: [{python_file: {relative_path: shop.py, location_name: a}}]", "one.yaml")
    two = workspace(shop, "load_from: [{python_module: {module_name: shop, location_name: a}}]", "two.yaml")
    (origin,) = origins_from_options(workspaces=[one, two], folder=shop)
    assert origin.words() == "module shop"


def test_options_name_locations(shop: Path) -> None:
    origins = origins_from_options(
        python_files=[Path("shop.py")], modules=["shop.defs"], packages=["ware"], folder=shop
    )
    assert [origin.name for origin in origins] == ["shop.py", "shop.defs", "ware"]
    (origin,) = origins_from_options(
        modules=["shop.defs"], attribute="defs", working_directory=Path("sub"), folder=shop
    )
    assert origin.name == "shop.defs:defs"
    assert origin.target is not None
    assert str(origin.target.working_directory) == str(shop / "sub")


def test_options_that_contradict_each_other(shop: Path) -> None:
    with pytest.raises(SettingsError, match="not by both"):
        origins_from_options(modules=["a"], workspaces=[shop / "w.yaml"], folder=shop)
    with pytest.raises(SettingsError, match="2 are named"):
        origins_from_options(modules=["a", "b"], attribute="defs", folder=shop)
    (shop / "sub" / "shop.py").write_text("")
    with pytest.raises(SettingsError, match=r"would be called 'shop\.py'"):
        origins_from_options(python_files=[Path("shop.py"), Path("sub/shop.py")], folder=shop)


def test_without_options_the_folders_files_are_read_in_order(shop: Path) -> None:
    with pytest.raises(SettingsError, match="Which code"):
        origins_from_options(folder=shop)
    workspace(shop, "load_from: [{python_file: shop.py}]", "workspace.yml")
    assert [origin.name for origin in origins_from_options(folder=shop)] == ["shop.py"]
    project = shop / "pyproject.toml"
    project.write_text("[project]\nname = 'x'\n")
    assert [origin.name for origin in origins_from_options(folder=shop)] == ["shop.py"]
    project.write_text("[tool.penstock]\nmodule_name = 'shop.defs'\ncode_location_name = 'shop'\n")
    (origin,) = origins_from_options(folder=shop)
    assert (origin.name, origin.words()) == ("shop", "module shop.defs")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("modul_name = 'x'", 'did you mean "module_name"'),
        ("", "either module_name or modules"),
        ("module_name = 'x'\nmodules = ['y']", "either module_name or modules"),
        ("modules = ['x']\ncode_location_name = 'y'", "goes with module_name"),
        ("modules = [", "cannot be read"),
    ],
)
def test_mistakes_in_a_project_file(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.penstock]\n{text}\n")
    with pytest.raises(SettingsError, match=says):
        origins_from_options(folder=tmp_path)
