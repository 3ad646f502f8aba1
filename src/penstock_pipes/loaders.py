"""How a process loads what the orchestrator tells about its step."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import PipesError
from .wire import PipesContextData

__all__ = [
    "PipesAzureBlobStorageContextLoader",
    "PipesContextLoader",
    "PipesDefaultContextLoader",
    "PipesGCSContextLoader",
    "PipesS3ContextLoader",
]


class PipesContextLoader(ABC):
    """Loads the context."""

    @abstractmethod
    @contextmanager
    def load_context(self, params: Mapping[str, Any]) -> Iterator[PipesContextData]:
        """Load it by the parameters that the orchestrator's injector gave; it may be used until the block ends."""


class PipesDefaultContextLoader(PipesContextLoader):
    """Loads it from the parameters themselves (`data`) or from a file (`path`)."""

    @contextmanager
    def load_context(self, params: Mapping[str, Any]) -> Iterator[PipesContextData]:
        """Load it.

        Raises:
            PipesError: The parameters name neither.
        """
        if "data" in params:
            yield params["data"]
        elif "path" in params:
            yield _parse(Path(params["path"]).read_bytes(), params["path"])
        else:
            raise PipesError(
                f"The context is to be loaded by {sorted(params)}, which PipesDefaultContextLoader does not know; "
                "pass the loader that fits the orchestrator's injector as context_loader."
            )


class PipesS3ContextLoader(PipesContextLoader):
    """Loads it from an object in S3.

    Args:
        client: A client of boto3: `boto3.client("s3")`.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    @contextmanager
    def load_context(self, params: Mapping[str, Any]) -> Iterator[PipesContextData]:
        """Load it from `bucket` and `key`."""
        bucket, key = _place(params, self)
        yield _parse(self._client.get_object(Bucket=bucket, Key=key)["Body"].read(), f"s3://{bucket}/{key}")


class PipesGCSContextLoader(PipesContextLoader):
    """Loads it from an object in Google Cloud Storage.

    Args:
        client: A `google.cloud.storage.Client`.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    @contextmanager
    def load_context(self, params: Mapping[str, Any]) -> Iterator[PipesContextData]:
        """Load it from `bucket` and `key`."""
        bucket, key = _place(params, self)
        yield _parse(self._client.get_bucket(bucket).blob(key).download_as_bytes(), f"gs://{bucket}/{key}")


class PipesAzureBlobStorageContextLoader(PipesContextLoader):
    """Loads it from a blob in Azure.

    Args:
        client: An `azure.storage.blob.BlobServiceClient`.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    @contextmanager
    def load_context(self, params: Mapping[str, Any]) -> Iterator[PipesContextData]:
        """Load it from the container `bucket` and the blob `key`."""
        bucket, key = _place(params, self)
        with self._client.get_blob_client(bucket, key) as blob:
            yield _parse(blob.download_blob().readall(), f"{bucket}/{key}")


def _place(params: Mapping[str, Any], loader: PipesContextLoader) -> tuple[str, str]:
    try:
        return params["bucket"], params["key"]
    except KeyError as error:
        raise PipesError(
            f"{type(loader).__name__} needs the parameters bucket and key, not {sorted(params)}; "
            "the orchestrator's injector must give them."
        ) from error


def _parse(text: bytes, place: str) -> PipesContextData:
    try:
        data: PipesContextData = json.loads(text)
    except ValueError as error:
        raise PipesError(f"The context at {place} is not JSON: {error}.") from error
    return data
