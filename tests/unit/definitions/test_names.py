"""Names, tags, owners and kinds."""

import pytest

from penstock.definitions.names import check_name, check_owners, kinds_as_tags, normalize_tags
from penstock.errors import DefinitionError


@pytest.mark.parametrize("name", ["a", "A_1", "_"])
def test_good_names_pass(name: str) -> None:
    assert check_name(name, "an op") == name


@pytest.mark.parametrize("name", ["", "a b", "a.b", "a/b", "ä", None, 3])
def test_other_names_are_refused(name: object) -> None:
    with pytest.raises(DefinitionError, match="cannot name an op"):
        check_name(name, "an op")


def test_tags_become_text() -> None:
    assert normalize_tags({"a": "b", "n": 1, "d": {"x": [1]}}, "Op") == {"a": "b", "n": "1", "d": '{"x":[1]}'}
    assert normalize_tags(None, "Op") == {}


@pytest.mark.parametrize("tags", [{"": "x"}, {1: "x"}, {"a": object()}])
def test_bad_tags_are_refused(tags: dict[object, object]) -> None:
    with pytest.raises(DefinitionError, match=r"Op \(.*test_names.py:\d+\) has the tag"):
        normalize_tags(tags, "Op")


def test_owners() -> None:
    assert check_owners(["a@b.org", "team:data-x"], "Asset a") == ("a@b.org", "team:data-x")
    with pytest.raises(DefinitionError, match="owner 'bob'"):
        check_owners(["bob"], "Asset a")


def test_kinds_are_at_most_three() -> None:
    assert kinds_as_tags({"b", "a"}, "Asset a") == {"penstock/kind/a": "", "penstock/kind/b": ""}
    with pytest.raises(DefinitionError, match="4 kinds"):
        kinds_as_tags(["a", "b", "c", "d"], "Asset a")
