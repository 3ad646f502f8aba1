"""Context from, and messages to, stores of objects, by clients of the shape that the stores' own libraries have."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from penstock_pipes import (
    PipesAzureBlobStorageContextLoader,
    PipesAzureBlobStorageMessageWriter,
    PipesBlobStoreMessageWriterChannel,
    PipesContext,
    PipesContextLoader,
    PipesError,
    PipesGCSContextLoader,
    PipesGCSMessageWriter,
    PipesMessageWriter,
    PipesS3ContextLoader,
    PipesS3MessageWriter,
    open_penstock_pipes,
)
from penstock_pipes.wire import message

from .conftest import DATA, loader

Objects = dict[tuple[str, str], bytes]


class S3:
    """Of boto3."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, io.BytesIO]:  # noqa: N803 - boto3's names
        return {"Body": io.BytesIO(self.objects[Bucket, Key])}

    def put_object(self, *, Body: str, Bucket: str, Key: str) -> None:  # noqa: N803
        self.objects[Bucket, Key] = Body.encode()


class Blob:
    """Of google-cloud-storage and of azure-storage-blob."""

    def __init__(self, objects: Objects, bucket: str, key: str) -> None:
        self.objects, self.place = objects, (bucket, key)

    def download_as_bytes(self) -> bytes:
        return self.objects[self.place]

    def upload_from_string(self, text: str) -> None:
        self.objects[self.place] = text.encode()

    def download_blob(self) -> Blob:
        return self

    def readall(self) -> bytes:
        return self.objects[self.place]

    upload_blob = upload_from_string

    def __enter__(self) -> Blob:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Google:
    def __init__(self, objects: Objects) -> None:
        self.objects = objects

    def get_bucket(self, bucket: str) -> Any:
        objects = self.objects

        class Bucket:
            def blob(self, key: str) -> Blob:
                return Blob(objects, bucket, key)

        return Bucket()


class Azure:
    def __init__(self, objects: Objects) -> None:
        self.objects = objects

    def get_blob_client(self, container: str, blob: str) -> Blob:
        return Blob(self.objects, container, blob)


STORES = pytest.mark.parametrize(
    ("client", "context_loader", "writer"),
    [
        (S3, PipesS3ContextLoader, PipesS3MessageWriter),
        (Google, PipesGCSContextLoader, PipesGCSMessageWriter),
        (Azure, PipesAzureBlobStorageContextLoader, PipesAzureBlobStorageMessageWriter),
    ],
)


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    PipesContext._instance = None


@STORES
@pytest.mark.parametrize("prefix", ["run/1", None])
def test_a_store_holds_context_and_messages(client: Any, context_loader: Any, writer: Any, prefix: str | None) -> None:
    objects: Objects = {("in", "context"): json.dumps(DATA).encode()}
    made: Any = client(objects)
    with open_penstock_pipes(
        params_loader=loader({"bucket": "in", "key": "context"}, {"bucket": "out", "key_prefix": prefix}),
        context_loader=context_loader(made),
        message_writer=writer(made),
    ) as pipes:
        assert pipes.asset_key == "shop/orders"
        pipes.log.info("hello")
    (place,) = objects.keys() - {("in", "context")}
    assert place == ("out", "run/1/1.json" if prefix else "1.json")
    methods = [json.loads(line)["method"] for line in objects[place].decode().splitlines()]
    assert methods == ["opened", "log", "closed"]


@STORES
def test_a_context_that_is_not_there_is_named(client: Any, context_loader: Any, writer: Any) -> None:
    loads: PipesContextLoader = context_loader(client({("in", "k"): b"{"}))
    with pytest.raises(PipesError, match="bucket and key, not"), loads.load_context({}):
        pass
    with pytest.raises(PipesError, match="in/k is not JSON"), loads.load_context({"bucket": "in", "key": "k"}):
        pass


class Failing(PipesBlobStoreMessageWriterChannel):
    """Refuses as many uploads as it is told."""

    def __init__(self, refuse: int) -> None:
        super().__init__(interval=3600)
        self.refuse = refuse
        self.chunks: dict[int, str] = {}

    def upload_messages_chunk(self, payload: Any, index: int) -> None:
        if self.refuse:
            self.refuse -= 1
            raise OSError("the store is away")
        self.chunks[index] = payload.read()


def test_chunks_that_could_not_be_uploaded_go_with_the_next() -> None:
    channel = Failing(refuse=1)
    with channel.buffered_upload_loop():
        channel.write_message(message("opened"))
        with pytest.raises(OSError, match="away"):
            channel._upload()
        channel.write_message(message("log"))
        channel._upload()
        channel._upload()  # nothing waits
        channel.write_message(message("closed"))
    assert [[json.loads(line)["method"] for line in text.splitlines()] for text in channel.chunks.values()] == [
        ["opened", "log"],
        ["closed"],
    ]
    assert list(channel.chunks) == [1, 2]


def test_messages_that_cannot_be_uploaded_at_all_are_an_error_at_the_end() -> None:
    channel = Failing(refuse=9)
    with pytest.raises(OSError, match="away"), channel.buffered_upload_loop():
        channel.write_message(message("opened"))
    assert [each["method"] for each in channel.flush_messages()] == ["opened"]


def test_a_message_that_json_cannot_hold_is_refused_at_once() -> None:
    with pytest.raises(TypeError):
        Failing(refuse=0).write_message(message("log", {"x": object()}))


def test_a_writer_may_tell_of_itself() -> None:
    @contextmanager
    def nothing(_: object) -> Iterator[None]:
        yield

    class Own(PipesMessageWriter[Any]):
        open = nothing  # type: ignore[assignment]

        def get_opened_extras(self) -> dict[str, int]:
            return {"pid": 1}

    assert Own().get_opened_payload() == {"extras": {"pid": 1}}
