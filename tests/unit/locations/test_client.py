"""The client's errors name the address and what was asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.errors import CodeServerUnreachableError, SettingsError
from penstock.locations.client import CodeServerClient


@pytest.mark.parametrize("address", ["unix:{folder}/absent.sock", "http://127.0.0.1:9"])
def test_nobody_there(tmp_path: Path, address: str) -> None:
    address = address.format(folder=tmp_path)
    with pytest.raises(CodeServerUnreachableError) as caught:
        CodeServerClient(address).state()
    assert address in str(caught.value)
    assert "GET /state" in str(caught.value)


@pytest.mark.parametrize("address", ["box:4000", "ftp://box", "http://", "http://box/path"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(SettingsError, match="is no address of a code server"):
        CodeServerClient(address)
