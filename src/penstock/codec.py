"""The one door to the serialization library: declared types in, JSON or MessagePack out, and back with checks."""

from __future__ import annotations

import hashlib
from typing import Any, TypeVar

import msgspec

__all__ = ["decode_json", "decode_msgpack", "digest", "encode_json", "encode_msgpack"]

T = TypeVar("T")

_json_encoder = msgspec.json.Encoder()
_json_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}
_msgpack_encoder = msgspec.msgpack.Encoder()
_msgpack_decoders: dict[Any, msgspec.msgpack.Decoder[Any]] = {}
_stable_encoder = msgspec.json.Encoder(order="deterministic")


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
