"""The one door to the serialization library: declared types in, JSON or MessagePack out, and back with checks."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

__all__ = ["decode_json", "decode_msgpack", "digest", "encode_json", "encode_msgpack", "plain_value"]

T = TypeVar("T")
D = TypeVar("D")


def plain_value(value: Any) -> str | int | float | bool:
    """What a value of a foreign type stands for: a text, number or truth value of numpy, or of a class of the user's.

    Raises:
        TypeError: It is nothing of that kind.
    """
    if isinstance(value, str):
        return str.__str__(value)
    try:
        if getattr(getattr(value, "dtype", None), "kind", None) == "b":
            return bool(value)
        if hasattr(value, "__index__"):
            return int(value)
        if hasattr(value, "__float__"):
            return float(value)
    except ValueError as error:  # an array of several numbers
        raise TypeError(str(error)) from error
    raise TypeError(f"a value of the type {type(value).__qualname__} has no stored form")


_json_encoder = msgspec.json.Encoder(enc_hook=plain_value)
_json_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}
_msgpack_encoder = msgspec.msgpack.Encoder(enc_hook=plain_value)
_msgpack_decoders: dict[Any, msgspec.msgpack.Decoder[Any]] = {}
_making = threading.Lock()
_stable_encoder = msgspec.json.Encoder(order="deterministic", enc_hook=plain_value)


def encode_json(value: object) -> bytes:
    """JSON text of a record or of plain values."""
    return _json_encoder.encode(value)


def decode_json(data: bytes | str, kind: type[T]) -> T:
    """A value of `kind` from JSON text; raises `msgspec.ValidationError`, naming the path, where it does not fit."""
    decoder = _json_decoders.get(kind) or _made(_json_decoders, kind, msgspec.json.Decoder)
    result: T = decoder.decode(data)
    return result


def encode_msgpack(value: object) -> bytes:
    """MessagePack bytes of a record or of plain values."""
    return _msgpack_encoder.encode(value)


def decode_msgpack(data: bytes, kind: type[T]) -> T:
    """A value of `kind` from MessagePack bytes; raises `msgspec.ValidationError` where it does not fit."""
    decoder = _msgpack_decoders.get(kind) or _made(_msgpack_decoders, kind, msgspec.msgpack.Decoder)
    result: T = decoder.decode(data)
    return result


def _made(decoders: dict[Any, D], kind: Any, make: Callable[[Any], D]) -> D:
    """A decoder that is kept. The library reads the declarations of a record in steps, and keeps what it has read with
    the record: a second thread that came in between would take half of it, and the process would crash.
    """
    with _making:
        decoder = decoders.get(kind)
        if decoder is None:
            decoder = decoders[kind] = make(kind)
        return decoder


def digest(value: object) -> str:
    """A content hash of a record: 32 hex digits, the same for equal content in any process."""
    return hashlib.blake2b(_stable_encoder.encode(value), digest_size=16).hexdigest()
