"""Where a code server may listen."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from penstock.errors import AddressInUseError, SettingsError
from penstock.locations.binding import address_of, bind_tcp, bind_unix, is_loopback


def test_a_unix_socket_is_open_to_its_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "private" / "a.sock"
    with bind_unix(path) as listener:
        assert address_of(listener) == f"unix:{path}"
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_dead_servers_socket_is_replaced_and_a_living_ones_is_not(tmp_path: Path) -> None:
    path = tmp_path / "a.sock"
    bind_unix(path).close()  # the file stays behind
    with bind_unix(path), pytest.raises(AddressInUseError, match="Another code server"):
        bind_unix(path)


def test_a_path_that_the_kernel_cannot_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="107 bytes"):
        bind_unix(tmp_path / ("x" * 120))


def test_beyond_loopback_a_token_is_needed() -> None:
    with pytest.raises(SettingsError, match="--token-file"):
        bind_tcp("0.0.0.0", 0, token=None)
    with bind_tcp("0.0.0.0", 0, token="secret") as listener:
        assert isinstance(listener, socket.socket)


def test_a_taken_port_is_named() -> None:
    with bind_tcp("127.0.0.1", 0, token=None) as listener:
        port = listener.getsockname()[1]
        assert address_of(listener) == f"http://127.0.0.1:{port}"
        with pytest.raises(AddressInUseError, match=str(port)):
            bind_tcp("127.0.0.1", port, token=None)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("example.org", False)],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
