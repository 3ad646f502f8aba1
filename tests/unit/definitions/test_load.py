"""Loading users' code, and finding assets in modules."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from penstock import (
    AssetSpec,
    BackfillPolicy,
    load_asset_checks_from_modules,
    load_assets_from_current_module,
    load_assets_from_modules,
    load_assets_from_package_name,
)
from penstock.definitions.assets.graph import build_asset_graph
from penstock.definitions.load import load_definitions
from penstock.errors import DefinitionError, LocationLoadError
from penstock.records.code_target import CodeTarget
from penstock.records.errors import describe_exception

Write = Callable[[str, str], Path]

ASSETS = """
from penstock import AssetCheckSpec, AssetSpec, asset, asset_check, multi_asset

@asset(check_specs=[AssetCheckSpec("own", asset="a")])
def a(): ...

@asset
def b(a): ...

@multi_asset(specs=[AssetSpec("c", deps=["b"]), AssetSpec("d")])
def several(): ...

@asset_check(asset="b")
def fine(b): ...

outside = AssetSpec("outside")
listed = [AssetSpec("in_list")]
"""


def test_one_definitions_object_is_taken(write: Write) -> None:
    path = write(
        "my_defs.py", "from penstock import Definitions, asset\n@asset\ndef a(): ...\nanything = Definitions([a])\n"
    )
    stages: list[str] = []
    defs = load_definitions(CodeTarget(python_file=str(path)), progress=stages.append)
    assert list(defs.resolve_asset_graph().assets) == ["a"]
    assert stages == [f"importing {path}", "checking definitions"]
    assert load_definitions(CodeTarget(python_file="my_defs.py", working_directory=str(path.parent))).assets
    assert load_definitions(CodeTarget(module_name="my_defs", attribute="anything")).assets


def test_without_definitions_a_job_a_graph_or_all_assets_are_taken(write: Write) -> None:
    write("one_job.py", "from penstock import job, op\n@op\ndef o(): ...\n@job\ndef j():\n    o()\n")
    write("one_graph.py", "from penstock import graph, op\n@op\ndef o(): ...\n@graph\ndef g():\n    o()\n")
    write("only_assets.py", ASSETS)
    assert list(load_definitions(CodeTarget(module_name="one_job")).resolved.jobs) == ["j"]
    assert list(load_definitions(CodeTarget(module_name="one_graph")).resolved.jobs) == ["g"]
    assert set(load_definitions(CodeTarget(module_name="only_assets")).resolve_asset_graph().checks) == {
        "a:own",
        "b:fine",
    }


def test_an_attribute_may_be_a_function(write: Write) -> None:
    write("made.py", "from penstock import Definitions\ndef make():\n    return Definitions()\nx = 3\n")
    assert load_definitions(CodeTarget(module_name="made", attribute="make")).assets == []
    with pytest.raises(LocationLoadError, match='"x" of made is 3; give a Definitions'):
        load_definitions(CodeTarget(module_name="made", attribute="x"))
    with pytest.raises(LocationLoadError, match='no attribute "y"; it has nothing to load'):
        load_definitions(CodeTarget(module_name="made", attribute="y"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "offers nothing to load"),
        (
            "from penstock import Definitions\na = Definitions()\nb = Definitions()\n",
            r"2 objects of the kind .*\(a, b\)",
        ),
    ],
)
def test_a_module_must_offer_one_thing(write: Write, text: str, words: str) -> None:
    write("offers.py", text)
    with pytest.raises(LocationLoadError, match=words):
        load_definitions(CodeTarget(module_name="offers"))


def test_what_is_not_there_is_told_apart_from_what_breaks(write: Write) -> None:
    write("breaks.py", "import not_installed_anywhere\n")
    write("raises.py", "def f():\n    return 1 / 0\nf()\n")
    with pytest.raises(LocationLoadError, match="There is no module nowhere"):
        load_definitions(CodeTarget(module_name="nowhere"))
    with pytest.raises(LocationLoadError, match=r"There is no package nowhere\.inside"):
        load_definitions(CodeTarget(package_name="nowhere.inside"))
    with pytest.raises(LocationLoadError, match=r"There is no file .*nowhere\.py"):
        load_definitions(CodeTarget(python_file="nowhere.py"))
    with pytest.raises(ModuleNotFoundError, match="not_installed_anywhere"):
        load_definitions(CodeTarget(module_name="breaks"))
    with pytest.raises(ZeroDivisionError) as caught:
        load_definitions(CodeTarget(python_file="raises.py"))
    assert caught.traceback[-1].name == "f"
    assert "raises" not in sys.modules


def test_a_file_may_have_the_name_of_a_module_of_the_standard_library(write: Write) -> None:
    for name in ("colorsys", "json"):
        path = write(f"{name}.py", f"import {name}\n" + ASSETS + f"\nstandard = {name}.__file__\n")
        defs = load_definitions(CodeTarget(python_file=str(path)))
        assert set(defs.resolve_asset_graph().assets) >= {"a", "b"}
        assert sys.modules[f"{name}__file"].standard == sys.modules[name].__file__ != str(path)


def test_a_module_that_the_standard_library_is_taken_for_is_told(write: Write) -> None:
    path = write("json.py", ASSETS)
    with pytest.raises(LocationLoadError) as caught:
        load_definitions(CodeTarget(module_name="json"))
    assert str(caught.value) == (
        f"The name json is that of a module of the standard library, which was imported before {path}. "
        "Name the code as a file instead (-f, or python_file), or give it another name."
    )
    write("colorsys.py", ASSETS)
    assert load_definitions(CodeTarget(module_name="colorsys")).assets, "it was not imported before"


def test_a_file_that_hides_a_module_of_the_standard_library_is_told(write: Write) -> None:
    hides = write("colorsys.py", "")
    path = write("uses.py", "from colorsys import rgb_to_hls\n")
    with pytest.raises(ImportError, match="cannot import name") as caught:
        load_definitions(CodeTarget(python_file=str(path)))
    assert describe_exception(caught.value).message.endswith(
        f"\n{hides} was imported in place of the module colorsys of the standard library, by whoever asked for that. "
        "Give the file another name."
    )


def test_definitions_are_checked_while_loading(write: Write) -> None:
    write("odd.py", "from penstock import Definitions, asset\n@asset\ndef a(b): ...\ndefs = Definitions([a])\n")
    with pytest.raises(DefinitionError, match=r"Asset a \(.*odd\.py:2\) loads the asset b"):
        load_definitions(CodeTarget(module_name="odd"))


def test_a_target_names_one_thing() -> None:
    with pytest.raises(LocationLoadError, match="exactly one"):
        CodeTarget()
    with pytest.raises(LocationLoadError, match="exactly one"):
        CodeTarget(python_file="a.py", module_name="a")


def _module(write: Write) -> ModuleType:
    write("some_assets.py", ASSETS)
    import importlib

    return importlib.import_module("some_assets")


def test_assets_are_found_in_modules(write: Write) -> None:
    module = _module(write)
    found = load_assets_from_modules([module, module], group_name="g", include_specs=True)
    graph = build_asset_graph(
        [each for each in found if not isinstance(each, AssetSpec)],
        [(each, None) for each in found if isinstance(each, AssetSpec)],
    )
    assert {key: node.group for key, node in graph.assets.items()} == dict.fromkeys(
        ["outside", "in_list", "a", "b", "c", "d"], "g"
    )
    assert [each.check_key.name for each in load_asset_checks_from_modules([module])] == ["fine"]
    with pytest.raises(DefinitionError, match="is no module"):
        load_assets_from_modules(["some_assets"])  # type: ignore[list-item]


def test_a_prefix_is_put_before_keys_and_what_they_need_among_themselves(write: Write) -> None:
    module = _module(write)
    found = load_assets_from_modules([module], key_prefix="p", backfill_policy=BackfillPolicy.single_run())
    checks = load_asset_checks_from_modules([module], asset_key_prefix="p")
    graph = build_asset_graph([each for each in [*found, *checks] if not isinstance(each, AssetSpec)])
    assert {key: node.deps for key, node in graph.assets.items()} == {
        "p/a": (),
        "p/d": (),
        "p/b": ("p/a",),
        "p/c": ("p/b",),
    }
    assert sorted(graph.definitions) == ["p__a", "p__b", "p__b_fine", "several"]
    assert graph.inputs["p__b_fine"]["b"].key == "p/b"
    assert graph.checks["p/a:own"].output == "p__a_own"
    assert graph.definitions["p__a"].backfill_policy == BackfillPolicy.single_run()


def test_a_group_that_is_named_twice_is_refused(write: Write) -> None:
    write("grouped.py", 'from penstock import asset\n@asset(group_name="x")\ndef a(): ...\n')
    import importlib

    with pytest.raises(DefinitionError, match="is in the group 'x' and cannot be put into 'y'"):
        load_assets_from_modules([importlib.import_module("grouped")], group_name="y")


def test_packages_are_walked_and_the_current_module_is_known(write: Write) -> None:
    write("pack/__init__.py", "from penstock import asset\n@asset\ndef top(): ...\n")
    write("pack/deep/__init__.py", "")
    write("pack/deep/leaf.py", "from penstock import asset\n@asset\ndef leaf(): ...\n")
    write(
        "current.py",
        "from penstock import *\nfrom penstock import asset\n@asset\ndef here(): ...\n"
        "defs = Definitions(load_assets_from_current_module())\n",
    )
    found = load_assets_from_package_name("pack")
    assert sorted(each.key.to_user_string() for each in found) == ["leaf", "top"]
    defs = load_definitions(CodeTarget(module_name="current"))
    assert list(defs.resolve_asset_graph().assets) == ["here"]
    assert load_assets_from_current_module() == []


def test_a_file_does_not_take_the_place_of_another_module(write: Write) -> None:
    import json

    path = write("json.py", "from penstock import Definitions\ndefs = Definitions()\n")
    load_definitions(CodeTarget(python_file=str(path)))
    assert sys.modules["json"] is json
