"""The one door to the serialization library: declared types in, JSON or MessagePack out, and back with checks."""

from __future__ import annotations

import hashlib
from typing import Any, TypeVar

import msgspec

__all__ = ["decode_json", "decode_msgpack", "digest", "encode_json", "encode_msgpack", "plain_value"]

T = TypeVar("T")


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
_stable_encoder = msgspec.json.Encoder(order="deterministic", enc_hook=plain_value)


def encode_json(value: object) -> bytes:
    """JSON text of a record or of plain values."""
    return _json_encoder.encode(value)


def decode_json(data: bytes | str, kind: type[T]) -> T:
    """A value of `kind` from JSON text; raises `msgspec.ValidationError`, naming the path, where it does not fit."""
    decoder = _json_decoders.get(kind)
    if decoder is None:
        decoder = _json_decoders[kind] = msgspec.json.Decoder(kind)
    result: T = decoder.decode(data)
    return result


def encode_msgpack(value: object) -> bytes:
    """MessagePack bytes of a record or of plain values."""
    return _msgpack_encoder.encode(value)


def decode_msgpack(data: bytes, kind: type[T]) -> T:
    """A value of `kind` from MessagePack bytes; raises `msgspec.ValidationError` where it does not fit."""
    decoder = _msgpack_decoders.get(kind)
    if decoder is None:
        decoder = _msgpack_decoders[kind] = msgspec.msgpack.Decoder(kind)
    result: T = decoder.decode(data)
    return result


def digest(value: object) -> str:
    """A content hash of a record: 32 hex digits, the same for equal content in any process."""
    return hashlib.blake2b(_stable_encoder.encode(value), digest_size=16).hexdigest()
