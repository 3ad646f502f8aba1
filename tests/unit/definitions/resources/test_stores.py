"""The IO managers that come with the package."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import (
    AssetKey,
    EnvVar,
    FilesystemIOManager,
    InMemoryIOManager,
    InputContext,
    IOManager,
    Out,
    OutputContext,
    RunConfig,
    asset,
    custom_path_fs_io_manager,
    fs_io_manager,
    job,
    materialize,
    op,
)
from penstock.definitions.resources.resource import to_resources
from penstock.definitions.resources.stores import _escape
from penstock.errors import ConfigurationError, EnvironmentalError
from penstock.records.metadata import PathMetadataValue


def stored(
    asset: str | None = None,
    partitions: list[str] | None = None,
    name: str = "result",
    mapping_key: str | None = None,
    artifacts: Path | None = None,
) -> OutputContext:
    """The context of storing an output of one step, or an asset or partitions of it."""
    return OutputContext(
        "step", name, "run", mapping_key, artifacts=artifacts, **(_of(asset, partitions) if asset is not None else {})
    )


def loaded(
    asset: str | None = None,
    partitions: list[str] | None = None,
    upstream: OutputContext | None = None,
    metadata: dict[str, Any] | None = None,
) -> InputContext:
    """The context of loading what was stored so."""
    about = _of(asset, partitions) if asset is not None else {}
    return InputContext("value", upstream, definition_metadata=metadata or {}, **about)


def _of(asset: str, partitions: list[str] | None) -> dict[str, Any]:
    return {"asset_key": AssetKey.from_user_string(asset), "asset_partition_keys": partitions}


@pytest.fixture(params=["files", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> IOManager:
    makers: dict[str, Callable[[], IOManager]] = {
        "files": lambda: FilesystemIOManager(tmp_path),
        "memory": InMemoryIOManager,
    }
    return makers[request.param]()


def test_outputs_of_ops_come_back(store: IOManager) -> None:
    for context, value in [(stored(), 1), (stored(name="b"), None), (stored(mapping_key="k"), [2])]:
        store.handle_output(context, value)
    assert store.load_input(loaded(upstream=stored())) == 1
    assert store.load_input(loaded(upstream=stored(name="b"))) is None
    assert store.load_input(loaded(upstream=stored(mapping_key="k"))) == [2]


def test_assets_and_their_partitions_come_back(store: IOManager) -> None:
    store.handle_output(stored("p/a"), "whole")
    store.handle_output(stored("d", ["2024-01-01"]), 1)
    store.handle_output(stored("d", ["2024-01-02", "x/../y"]), {"2024-01-02": 2, "x/../y": 3})
    assert store.load_input(loaded("p/a")) == "whole"
    assert store.load_input(loaded("d", ["2024-01-01"])) == 1
    several = ["2024-01-01", "2024-01-02", "x/../y"]
    assert store.load_input(loaded("d", several)) == {"2024-01-01": 1, "2024-01-02": 2, "x/../y": 3}


def test_several_partitions_need_a_value_each(store: IOManager) -> None:
    for value in ([1, 2], {"a": 1}, {"a": 1, "b": 2, "c": 3}):
        with pytest.raises(ConfigurationError, match="makes 2 partitions of d"):
            store.handle_output(stored("d", ["a", "b"]), value)


def test_a_missing_value_says_what_to_do(store: IOManager) -> None:
    with pytest.raises(EnvironmentalError, match="of asset a"):
        store.load_input(loaded("a"))
    with pytest.raises(EnvironmentalError, match='output "result" of step step'):
        store.load_input(loaded(upstream=stored()))


def test_an_asset_and_one_below_it_do_not_share_a_file(store: IOManager) -> None:
    names = [("a", None), ("a/b", None), ("a.partitions/b", None), ("a.pickle/b", None)]
    for number, (name, _) in enumerate(names):
        store.handle_output(stored(name), number)
    store.handle_output(stored("a", ["b"]), "partition")
    assert [store.load_input(loaded(name)) for name, _ in names] == [0, 1, 2, 3]
    assert store.load_input(loaded("a", ["b"])) == "partition"


def test_a_value_that_cannot_be_pickled_leaves_the_old_one(tmp_path: Path) -> None:
    store = FilesystemIOManager(tmp_path)
    context = stored("a")
    store.handle_output(context, 1)
    with pytest.raises(ConfigurationError, match="cannot be pickled"):
        store.handle_output(context, lambda: None)
    assert store.load_input(context) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["a.pickle"]
    assert context.get_logged_metadata() == {"path": PathMetadataValue(str(tmp_path / "a.pickle"))}


def test_the_folder_may_come_from_the_environment_or_the_instance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FilesystemIOManager(EnvVar("STORE_FOLDER"))
    with pytest.raises(ConfigurationError, match="STORE_FOLDER"):
        store.handle_output(stored("a"), 1)
    monkeypatch.setenv("STORE_FOLDER", str(tmp_path / "env"))
    store.handle_output(stored("a"), 1)
    FilesystemIOManager().handle_output(stored("a", artifacts=tmp_path / "own"), 2)
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


def test_partitions_that_are_not_stored_may_be_left_out(store: IOManager) -> None:
    allowed = {"allow_missing_partitions": True}
    store.handle_output(stored("d", ["a"]), 1)
    assert store.load_input(loaded("d", ["a", "b"], metadata=allowed)) == {"a": 1}
    assert store.load_input(loaded("d", ["b"], metadata=allowed)) is None
    with pytest.raises(FileNotFoundError, match="of asset d"):
        store.load_input(loaded("d", ["a", "b"]))


@asset
def thing() -> int:
    return 1


def test_the_run_config_may_name_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def made_in(given: Any, config: Any = None) -> list[str]:
        assert materialize([thing], resources={"io_manager": given}, run_config=config).success
        found = sorted(str(each.relative_to(tmp_path)) for each in tmp_path.rglob("*.pickle"))
        for each in found:
            (tmp_path / each).unlink()
        return found

    monkeypatch.setenv("STORE_FOLDER", str(tmp_path / "env"))
    there = str(tmp_path / "there")
    entry = {"resources": {"io_manager": {"config": {"base_dir": there}}}}
    assert made_in(FilesystemIOManager(tmp_path / "code")) == ["code/thing.pickle"]
    assert made_in(FilesystemIOManager(EnvVar("STORE_FOLDER"))) == ["env/thing.pickle"]
    for each in (FilesystemIOManager(tmp_path), FilesystemIOManager.configure_at_launch(), fs_io_manager):
        assert made_in(each, entry) == ["there/thing.pickle"]
    typed = RunConfig(resources={"io_manager": FilesystemIOManager(there)})
    assert made_in(FilesystemIOManager(), typed) == ["there/thing.pickle"]
    assert made_in(fs_io_manager.configured({"base_dir": there})) == ["there/thing.pickle"]


def test_a_subclass_keeps_what_it_has(tmp_path: Path) -> None:
    class Counting(FilesystemIOManager):
        def __init__(self, base_dir: Path, counted: list[str]) -> None:
            super().__init__(base_dir)
            self.counted = counted

        def put(self, context: Any, partition: str | None, obj: Any) -> None:
            self.counted.append(context.name)
            super().put(context, partition, obj)

    counted: list[str] = []
    assert materialize([thing], resources={"io_manager": Counting(tmp_path, counted)}).success
    assert counted == ["result"]
    described = to_resources({"io_manager": Counting(tmp_path, counted)}, "test")["io_manager"]
    assert (described.type_name, described.shown_config()) == ("Counting", {"base_dir": str(tmp_path)})


def test_no_folder_at_all_says_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match="base_dir, or pass an instance"):
        FilesystemIOManager().handle_output(stored("a"), 1)


def test_each_output_may_name_its_file(tmp_path: Path) -> None:
    @op(out=Out(metadata={"path": "sub/five.pickle"}))
    def five() -> int:
        return 5

    @op(out=Out(io_manager_key="memory"))
    def more(number: int) -> int:
        return number + 1

    @op
    def nameless() -> int:
        return 1

    store = custom_path_fs_io_manager.configured({"base_dir": str(tmp_path)})

    @job(resource_defs={"io_manager": store, "memory": InMemoryIOManager()})
    def named() -> None:
        more(five())

    @job(resource_defs={"io_manager": store})
    def unnamed() -> None:
        nameless()

    assert named.execute_in_process().output_for_node("more") == 6
    assert (tmp_path / "sub" / "five.pickle").exists()
    with pytest.raises(ConfigurationError, match="does not say in which file"):
        unnamed.execute_in_process()
