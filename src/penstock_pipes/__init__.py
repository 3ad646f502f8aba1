"""The external side of pipes: what a script imports to talk to the step that started it. It needs Python 3.9 alone.

from penstock_pipes import open_penstock_pipes

with open_penstock_pipes() as pipes:
    pipes.log.info("working on %s", pipes.asset_key)
    pipes.report_asset_materialization(metadata={"rows": 3})
"""

from .blob_writers import (
    PipesAzureBlobStorageMessageWriter,
    PipesAzureBlobStorageMessageWriterChannel,
    PipesBlobStoreMessageWriter,
    PipesBlobStoreMessageWriterChannel,
    PipesGCSMessageWriter,
    PipesGCSMessageWriterChannel,
    PipesS3MessageWriter,
    PipesS3MessageWriterChannel,
)
from .channels import (
    PipesBufferedStreamMessageWriterChannel,
    PipesFileMessageWriterChannel,
    PipesMessageWriterChannel,
    PipesStreamMessageWriterChannel,
)
from .context import PipesContext
from .errors import PipesError, PipesWarning
from .loaders import (
    PipesAzureBlobStorageContextLoader,
    PipesContextLoader,
    PipesDefaultContextLoader,
    PipesGCSContextLoader,
    PipesS3ContextLoader,
)
from .params import PipesCliArgsParamsLoader, PipesEnvVarParamsLoader, PipesMappingParamsLoader, PipesParamsLoader
from .session import open_penstock_pipes
from .wire import (
    PIPES_CONTEXT_CLI_ARGUMENT,
    PIPES_CONTEXT_ENV_VAR,
    PIPES_MESSAGES_CLI_ARGUMENT,
    PIPES_MESSAGES_ENV_VAR,
    PIPES_PROTOCOL_VERSION,
    PIPES_PROTOCOL_VERSION_FIELD,
    PipesContextData,
    PipesDataProvenance,
    PipesException,
    PipesMessage,
    PipesMetadataValue,
    PipesOpenedData,
    PipesPartitionKeyRange,
    PipesTimeWindow,
    decode_env_var,
    decode_param,
    encode_env_var,
    encode_param,
)
from .writers import PipesDefaultMessageWriter, PipesMessageWriter

__all__ = [
    "PIPES_CONTEXT_CLI_ARGUMENT",
    "PIPES_CONTEXT_ENV_VAR",
    "PIPES_MESSAGES_CLI_ARGUMENT",
    "PIPES_MESSAGES_ENV_VAR",
    "PIPES_PROTOCOL_VERSION",
    "PIPES_PROTOCOL_VERSION_FIELD",
    "PipesAzureBlobStorageContextLoader",
    "PipesAzureBlobStorageMessageWriter",
    "PipesAzureBlobStorageMessageWriterChannel",
    "PipesBlobStoreMessageWriter",
    "PipesBlobStoreMessageWriterChannel",
    "PipesBufferedStreamMessageWriterChannel",
    "PipesCliArgsParamsLoader",
    "PipesContext",
    "PipesContextData",
    "PipesContextLoader",
    "PipesDataProvenance",
    "PipesDefaultContextLoader",
    "PipesDefaultMessageWriter",
    "PipesEnvVarParamsLoader",
    "PipesError",
    "PipesException",
    "PipesFileMessageWriterChannel",
    "PipesGCSContextLoader",
    "PipesGCSMessageWriter",
    "PipesGCSMessageWriterChannel",
    "PipesMappingParamsLoader",
    "PipesMessage",
    "PipesMessageWriter",
    "PipesMessageWriterChannel",
    "PipesMetadataValue",
    "PipesOpenedData",
    "PipesParamsLoader",
    "PipesPartitionKeyRange",
    "PipesS3ContextLoader",
    "PipesS3MessageWriter",
    "PipesS3MessageWriterChannel",
    "PipesStreamMessageWriterChannel",
    "PipesTimeWindow",
    "PipesWarning",
    "decode_env_var",
    "decode_param",
    "encode_env_var",
    "encode_param",
    "open_penstock_pipes",
]
