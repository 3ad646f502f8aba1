"""Assets say where their code is, here and in a hosted repository."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penstock import (
    AnchorBasedFilePathMapping,
    AssetsDefinition,
    AssetSpec,
    CodeReferencesMetadataValue,
    LocalFileCodeReference,
    UrlCodeReference,
    asset,
    link_code_references_to_git,
    multi_asset,
    op,
    with_source_code_references,
)
from penstock.definitions.assets.code_references import CODE_REFERENCES
from penstock.definitions.assets.graph_asset import graph_asset
from penstock.errors import DefinitionError

HERE = Path(__file__)
MAPPING = AnchorBasedFilePathMapping(HERE, "tests/test_code_references.py")


@asset(metadata={"rows": 3})
def orders() -> None:
    pass


@multi_asset(specs=[AssetSpec("a"), AssetSpec("b")])
def several() -> None:
    pass


@graph_asset
def by_graph() -> int:
    @op
    def one() -> int:
        return 1

    made: int = one()
    return made


def references(given: Any, key: str | None = None) -> Any:
    """The code references of an asset."""
    spec = given.get_asset_spec(key) if isinstance(given, AssetsDefinition) else given
    value = spec.metadata.get(CODE_REFERENCES)
    return None if value is None else value.code_references


def line_of(text: str) -> int:
    """The number of the first line with this text."""
    return HERE.read_text().splitlines().index(text) + 1


def test_definitions_say_in_which_file_and_line_they_are() -> None:
    one, two, graph, spec = with_source_code_references([orders, several, by_graph, AssetSpec("outside")])
    (reference,) = references(one)
    line = line_of("@asset(metadata={" + '"rows": 3})')
    assert reference == LocalFileCodeReference(file_path=str(HERE), line_number=line)
    assert one.get_asset_spec().metadata["rows"] == 3  # type: ignore[union-attr]
    assert references(two, "a") == references(two, "b")
    assert references(graph)[0].file_path == str(HERE)
    assert references(spec) is None
    assert references(orders) is None  # what was given is as it was


def test_references_that_are_there_stay() -> None:
    own = UrlCodeReference(url="https://example.org/docs", label="docs")
    given = AssetSpec("x", metadata={CODE_REFERENCES: CodeReferencesMetadataValue(code_references=[own])})

    @multi_asset(specs=[given])
    def made() -> None:
        pass

    once = with_source_code_references([made])
    (twice,) = with_source_code_references(once)
    here, kept = references(twice)
    assert isinstance(here, LocalFileCodeReference)
    assert kept is own


@pytest.mark.parametrize(
    ("url", "platform", "start"),
    [
        ("https://github.com/shop/data", None, "https://github.com/shop/data/tree/main/"),
        ("https://github.com/shop/data.git/", None, "https://github.com/shop/data/tree/main/"),
        ("https://gitlab.com/shop/data/", None, "https://gitlab.com/shop/data/-/tree/main/"),
        ("https://git.shop.org/data", "gitlab", "https://git.shop.org/data/-/tree/main/"),
    ],
)
def test_local_references_become_links(url: str, platform: Any, start: str) -> None:
    linked = link_code_references_to_git(
        with_source_code_references([orders, AssetSpec("outside")]), url, "main", MAPPING, platform
    )
    line = line_of("@asset(metadata={" + '"rows": 3})')
    assert references(linked[0]) == [UrlCodeReference(url=f"{start}tests/test_code_references.py#L{line}")]
    assert references(linked[1]) is None


def test_links_have_no_odd_characters() -> None:
    local = LocalFileCodeReference(file_path=str(HERE.parent / "a b#c.py"), label="it")
    spec = AssetSpec("x", metadata={CODE_REFERENCES: CodeReferencesMetadataValue(code_references=[local])})
    (linked,) = link_code_references_to_git([spec], "https://github.com/shop/data", "a branch", MAPPING)
    assert references(linked) == [
        UrlCodeReference(url="https://github.com/shop/data/tree/a%20branch/tests/a%20b%23c.py", label="it")
    ]


@pytest.mark.parametrize(
    ("local", "path"),
    [
        (HERE.parent / "x.py", "tests/x.py"),
        (HERE.parent / "deep" / "x.py", "tests/deep/x.py"),
        (HERE.parents[1] / "x.py", "x.py"),
    ],
)
def test_a_file_is_found_by_its_way_from_the_anchor(local: Path, path: str) -> None:
    assert MAPPING.convert_to_source_control_path(local) == path


def test_a_file_outside_of_the_repository_is_refused() -> None:
    with pytest.raises(DefinitionError, match="outside of the repository"):
        MAPPING.convert_to_source_control_path(HERE.parents[2] / "x.py")


@pytest.mark.parametrize(
    ("url", "platform", "told"),
    [
        ("git@github.com:shop/data.git", None, "no address that a browser opens"),
        ("https://git.shop.org/data", None, "GitHub or GitLab; give platform="),
        ("https://git.shop.org/data", "svn", "platform 'svn' is not known"),
    ],
)
def test_an_address_without_a_known_platform_is_refused(url: str, platform: Any, told: str) -> None:
    with pytest.raises(DefinitionError, match=told):
        link_code_references_to_git([orders], url, "main", MAPPING, platform)
