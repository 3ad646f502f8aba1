"""How a process sends its messages through a store of objects: in numbered chunks, each an object of its own."""

from __future__ import annotations

import contextlib
import io
import json
import threading
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any, TypeVar

from .channels import PipesMessageWriterChannel
from .wire import PipesMessage
from .writers import PipesMessageWriter, with_stdio

__all__ = [
    "PipesAzureBlobStorageMessageWriter",
    "PipesAzureBlobStorageMessageWriterChannel",
    "PipesBlobStoreMessageWriter",
    "PipesBlobStoreMessageWriterChannel",
    "PipesGCSMessageWriter",
    "PipesGCSMessageWriterChannel",
    "PipesS3MessageWriter",
    "PipesS3MessageWriterChannel",
]


class PipesBlobStoreMessageWriterChannel(PipesMessageWriterChannel):
    """Gathers messages and uploads them as chunk 1, 2, 3 and so on, from a thread.

    A chunk that could not be uploaded is tried again with the next one; at the end the error is raised.

    Args:
        interval: Seconds between two uploads.
    """

    def __init__(self, *, interval: float = 10) -> None:
        self._interval = interval
        self._lock = threading.Lock()
        self._waiting: list[PipesMessage] = []
        self._uploading = threading.Lock()
        self._uploaded = 0

    @abstractmethod
    def upload_messages_chunk(self, payload: IO[Any], index: int) -> None:
        """Store a chunk, as text with one message a line, under its number."""

    def write_message(self, message: PipesMessage) -> None:
        """Take a message."""
        json.dumps(message)  # what cannot be sent is refused here, where the caller can be told
        with self._lock:
            self._waiting.append(message)

    def flush_messages(self) -> Sequence[PipesMessage]:
        """Take out what waits."""
        with self._lock:
            taken, self._waiting = self._waiting, []
        return taken

    @contextmanager
    def buffered_upload_loop(self) -> Iterator[None]:
        """Upload from time to time until the block ends, and then the rest."""
        over = threading.Event()
        thread = threading.Thread(target=self._loop, args=(over,), name="pipes-upload", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            self._upload()

    def _loop(self, over: threading.Event) -> None:
        while not over.wait(self._interval):
            with contextlib.suppress(Exception):  # whatever a store's client raises: the next upload tries again
                self._upload()

    def _upload(self) -> None:
        with self._uploading:
            messages = self.flush_messages()
            if not messages:
                return
            try:
                text = "\n".join(json.dumps(each) for each in messages)
                self.upload_messages_chunk(io.StringIO(text), self._uploaded + 1)
            except BaseException:
                with self._lock:
                    self._waiting[:0] = messages
                raise
            self._uploaded += 1


Channel = TypeVar("Channel", bound=PipesBlobStoreMessageWriterChannel)


class PipesBlobStoreMessageWriter(PipesMessageWriter[Channel]):
    """Sends messages through a store of objects.

    Args:
        interval: Seconds between two uploads.
    """

    def __init__(self, *, interval: float = 10) -> None:
        self.interval = interval

    @abstractmethod
    def make_channel(self, params: Mapping[str, Any]) -> Channel:
        """The channel for the parameters that the orchestrator's reader gave."""

    @contextmanager
    def open(self, params: Mapping[str, Any]) -> Iterator[Channel]:
        """Open the channel; all is uploaded when the block ends."""
        channel = self.make_channel(params)
        with channel.buffered_upload_loop(), with_stdio(params, channel):
            yield channel


class _InBucket(PipesBlobStoreMessageWriterChannel):
    def __init__(self, client: Any, bucket: str, key_prefix: str | None, *, interval: float = 10) -> None:
        super().__init__(interval=interval)
        self._client = client
        self._bucket = bucket
        self._prefix = key_prefix

    def _key(self, index: int) -> str:
        return f"{self._prefix}/{index}.json" if self._prefix else f"{index}.json"


class PipesS3MessageWriterChannel(_InBucket):
    """Uploads to S3, as `<key_prefix>/<number>.json`."""

    def upload_messages_chunk(self, payload: IO[Any], index: int) -> None:
        """Store a chunk."""
        self._client.put_object(Body=payload.read(), Bucket=self._bucket, Key=self._key(index))


class PipesS3MessageWriter(PipesBlobStoreMessageWriter[PipesS3MessageWriterChannel]):
    """Sends messages through S3.

    Args:
        client: A client of boto3: `boto3.client("s3")`.
        interval: Seconds between two uploads.
    """

    def __init__(self, client: Any, *, interval: float = 10) -> None:
        super().__init__(interval=interval)
        self._client = client

    def make_channel(self, params: Mapping[str, Any]) -> PipesS3MessageWriterChannel:
        """The channel to `bucket` and `key_prefix`."""
        return PipesS3MessageWriterChannel(
            self._client, params["bucket"], params.get("key_prefix"), interval=self.interval
        )


class PipesGCSMessageWriterChannel(_InBucket):
    """Uploads to Google Cloud Storage, as `<key_prefix>/<number>.json`."""

    def upload_messages_chunk(self, payload: IO[Any], index: int) -> None:
        """Store a chunk."""
        self._client.get_bucket(self._bucket).blob(self._key(index)).upload_from_string(payload.read())


class PipesGCSMessageWriter(PipesBlobStoreMessageWriter[PipesGCSMessageWriterChannel]):
    """Sends messages through Google Cloud Storage.

    Args:
        client: A `google.cloud.storage.Client`.
        interval: Seconds between two uploads.
    """

    def __init__(self, client: Any, *, interval: float = 10) -> None:
        super().__init__(interval=interval)
        self._client = client

    def make_channel(self, params: Mapping[str, Any]) -> PipesGCSMessageWriterChannel:
        """The channel to `bucket` and `key_prefix`."""
        return PipesGCSMessageWriterChannel(
            self._client, params["bucket"], params.get("key_prefix"), interval=self.interval
        )


class PipesAzureBlobStorageMessageWriterChannel(_InBucket):
    """Uploads to Azure, as the blob `<key_prefix>/<number>.json`."""

    def upload_messages_chunk(self, payload: IO[Any], index: int) -> None:
        """Store a chunk."""
        with self._client.get_blob_client(self._bucket, self._key(index)) as blob:
            blob.upload_blob(payload.read())


class PipesAzureBlobStorageMessageWriter(PipesBlobStoreMessageWriter[PipesAzureBlobStorageMessageWriterChannel]):
    """Sends messages through Azure.

    Args:
        client: An `azure.storage.blob.BlobServiceClient`.
        interval: Seconds between two uploads.
    """

    def __init__(self, client: Any, *, interval: float = 10) -> None:
        super().__init__(interval=interval)
        self._client = client

    def make_channel(self, params: Mapping[str, Any]) -> PipesAzureBlobStorageMessageWriterChannel:
        """The channel to the container `bucket` and blobs under `key_prefix`."""
        return PipesAzureBlobStorageMessageWriterChannel(
            self._client, params["bucket"], params.get("key_prefix"), interval=self.interval
        )
