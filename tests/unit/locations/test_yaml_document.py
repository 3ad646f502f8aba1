"""YAML files: values with their places, and every way that one can be wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.config.schema import Field, Scalar, Shape
from penstock.errors import SettingsError
from penstock.locations.yaml_document import read_yaml


def write(folder: Path, text: str) -> Path:
    path = folder / "some.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_values_have_their_places(tmp_path: Path) -> None:
    document = read_yaml(write(tmp_path, "a:\n  - x\n  - b: 1\nc: {d: null}\n"))
    assert document.value == {"a": ["x", {"b": 1}], "c": {"d": None}}
    assert document.places["a", "1", "b"] == (3, 5)
    assert document.place(("c", "d", "deeper")).endswith(":4:5")


def test_an_empty_file_is_an_empty_mapping(tmp_path: Path) -> None:
    assert read_yaml(write(tmp_path, "# nothing yet\n")).value == {}


def test_merged_keys_may_be_overridden(tmp_path: Path) -> None:
    document = read_yaml(write(tmp_path, "base: &base {a: 1, b: 2}\nother:\n  <<: *base\n  b: 3\n"))
    assert document.value["other"] == {"a": 1, "b": 3}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 1\nb: [", r":2:\d+: not valid YAML"),
        ("a: 1\na: 2\n", ":2:1: the key 'a' is there twice"),
        ("1: x\n", ":1:1: a key must be text"),
        ("a: !!python/object:os.system {}\n", ":1:4: the tag .* has no meaning"),
        ("a: !!python/name:os.system x\n", ":1:4: not valid YAML"),
        ("a: &a [*a]\n", "not valid YAML|levels"),
        ("\x00", "not valid YAML"),
        ("a: " + "[" * 60 + "]" * 60, "levels"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        read_yaml(write(tmp_path, text))


def test_anchors_that_multiply_are_stopped(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(SettingsError, match="anchors"):
        read_yaml(write(tmp_path, "\n".join(lines)))


def test_a_missing_or_huge_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="Cannot read"):
        read_yaml(tmp_path / "absent.yaml")
    with pytest.raises(SettingsError, match="larger than 5 MiB"):
        read_yaml(write(tmp_path, "x" * (5 * 1024 * 1024 + 1)))


def test_all_mistakes_come_at_once(tmp_path: Path) -> None:
    schema = Shape(fields={"port": Field(type=Scalar(kind="int")), "host": Field(type=Scalar(kind="str"))})
    document = read_yaml(write(tmp_path, "prot: 1\nhost: 3\n"))
    with pytest.raises(SettingsError) as caught:
        document.checked(schema, {})
    text = str(caught.value)
    assert "some.yaml has 3 mistakes" in text
    assert 'did you mean "port"' in text
    assert "some.yaml:2:1" in text


def test_environment_variables_are_filled_in(tmp_path: Path) -> None:
    schema = Shape(fields={"port": Field(type=Scalar(kind="int"))})
    document = read_yaml(write(tmp_path, "port: {env: SHOP_PORT}\n"))
    assert document.checked(schema, {"SHOP_PORT": "80"}) == {"port": 80}
    with pytest.raises(SettingsError, match="SHOP_PORT"):
        document.checked(schema, {})
