"""Components that the settings name."""

from __future__ import annotations

import pytest

from penstock.errors import SettingsError
from penstock.instance.components import build
from penstock.instance.settings import Component


def test_a_component_gets_its_config_and_what_the_instance_gives() -> None:
    made = build(Component(module="fractions", cls="Fraction", config={"numerator": 3}), "thing", denominator=4)
    assert str(made) == "3/4"


@pytest.mark.parametrize(
    ("component", "says"),
    [
        (Component(module="acme.absent", cls="A"), r"acme\.absent, which cannot be imported"),
        (Component(module="fractions", cls="Fration"), "does not exist. Did you mean Fraction"),
        (Component(module="fractions", cls="Fraction", config={"wrong": 1}), "keyword arguments denominator, wrong"),
    ],
)
def test_what_cannot_be_made_is_named(component: Component, says: str) -> None:
    with pytest.raises(SettingsError, match=says) as caught:
        build(component, "run_launcher", denominator=4)
    assert "run_launcher" in str(caught.value)
