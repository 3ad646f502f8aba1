"""The IO managers that come with the package."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import AssetKey, EnvVar, FilesystemIOManager, InMemoryIOManager, IOManager
from penstock.definitions.resources.stores import _escape
from penstock.errors import ConfigurationError, EnvironmentalError


class Context:
    """What the IO managers ask of an output's or input's context."""

    def __init__(
        self,
        asset: str | None = None,
        partitions: list[str] | None = None,
        *,
        name: str = "result",
        mapping_key: str | None = None,
        upstream: "Context | None" = None,
        artifacts: Path | None = None,
    ) -> None:
        self.has_asset_key = asset is not None
        self.asset_key = None if asset is None else AssetKey.from_user_string(asset)
        self.has_asset_partitions = partitions is not None
        self.asset_partition_keys = partitions or []
        self.run_id, self.step_key, self.name, self.mapping_key = "run", "step", name, mapping_key
        self.upstream_output = upstream
        self.artifacts = artifacts
        self.metadata: dict[str, Any] = {}

    def add_output_metadata(self, metadata: dict[str, Any]) -> None:
        self.metadata |= metadata


@pytest.fixture(params=["files", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> IOManager:
    makers: dict[str, Callable[[], IOManager]] = {
        "files": lambda: FilesystemIOManager(tmp_path),
        "memory": InMemoryIOManager,
    }
    return makers[request.param]()


def test_outputs_of_ops_come_back(store: IOManager) -> None:
    for context, value in [(Context(), 1), (Context(name="b"), None), (Context(mapping_key="k"), [2])]:
        store.handle_output(context, value)
    assert store.load_input(Context(upstream=Context())) == 1
    assert store.load_input(Context(upstream=Context(name="b"))) is None
    assert store.load_input(Context(upstream=Context(mapping_key="k"))) == [2]


def test_assets_and_their_partitions_come_back(store: IOManager) -> None:
    store.handle_output(Context("p/a"), "whole")
    store.handle_output(Context("d", ["2024-01-01"]), 1)
    store.handle_output(Context("d", ["2024-01-02", "x/../y"]), {"2024-01-02": 2, "x/../y": 3})
    assert store.load_input(Context("p/a")) == "whole"
    assert store.load_input(Context("d", ["2024-01-01"])) == 1
    several = ["2024-01-01", "2024-01-02", "x/../y"]
    assert store.load_input(Context("d", several)) == {"2024-01-01": 1, "2024-01-02": 2, "x/../y": 3}


def test_several_partitions_need_a_value_each(store: IOManager) -> None:
    for value in ([1, 2], {"a": 1}, {"a": 1, "b": 2, "c": 3}):
        with pytest.raises(ConfigurationError, match="makes 2 partitions of d"):
            store.handle_output(Context("d", ["a", "b"]), value)


def test_a_missing_value_says_what_to_do(store: IOManager) -> None:
    with pytest.raises(EnvironmentalError, match="of asset a"):
        store.load_input(Context("a"))
    with pytest.raises(EnvironmentalError, match='output "result" of step step'):
        store.load_input(Context(upstream=Context()))


def test_an_asset_and_one_below_it_do_not_share_a_file(store: IOManager) -> None:
    names = [("a", None), ("a/b", None), ("a.partitions/b", None), ("a.pickle/b", None)]
    for number, (asset, _) in enumerate(names):
        store.handle_output(Context(asset), number)
    store.handle_output(Context("a", ["b"]), "partition")
    assert [store.load_input(Context(asset)) for asset, _ in names] == [0, 1, 2, 3]
    assert store.load_input(Context("a", ["b"])) == "partition"


def test_a_value_that_cannot_be_pickled_leaves_the_old_one(tmp_path: Path) -> None:
    store = FilesystemIOManager(tmp_path)
    context = Context("a")
    store.handle_output(context, 1)
    with pytest.raises(ConfigurationError, match="cannot be pickled"):
        store.handle_output(context, lambda: None)
    assert store.load_input(context) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["a.pickle"]
    assert context.metadata == {"path": tmp_path / "a.pickle"}


def test_the_folder_may_come_from_the_environment_or_the_instance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FilesystemIOManager(EnvVar("STORE_FOLDER"))
    with pytest.raises(ConfigurationError, match="STORE_FOLDER"):
        store.handle_output(Context("a"), 1)
    monkeypatch.setenv("STORE_FOLDER", str(tmp_path / "env"))
    store.handle_output(Context("a"), 1)
    FilesystemIOManager().handle_output(Context("a", artifacts=tmp_path / "own"), 2)
    assert sorted(str(each.relative_to(tmp_path)) for each in tmp_path.rglob("*.pickle")) == [
        "env/a.pickle",
        "own/a.pickle",
    ]


@given(st.text(min_size=1), st.text(min_size=1))
def test_escaped_names_differ_and_stay_in_their_folder(first: str, second: str) -> None:
    try:
        one, two = _escape(first), _escape(second)
    except UnicodeEncodeError:
        return  # lone surrogates are no text
    assert (one == two) == (first == second)
    assert "/" not in one
    assert "\0" not in one
    assert one not in (".", "..")
