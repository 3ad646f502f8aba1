"""Starts an external process for a step and gives what it reported: the seam, and what every client returns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from ...definitions.events import AssetCheckResult, MaterializeResult
from ...errors import UserCodeError
from ...records.metadata import Metadata, normalize_metadata
from ..context import OpExecutionContext
from .messages import PipesExecutionResult
from .session import PipesSession

__all__ = ["PipesClient", "PipesClientCompletedInvocation"]


class PipesClient(ABC):
    """Starts a process of some kind with Pipes. A parameter annotated with a client takes the resource of its name."""

    __penstock_resource__ = True

    @abstractmethod
    def run(
        self, *, context: OpExecutionContext, extras: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> PipesClientCompletedInvocation:
        """Start the process and wait for its end.

        Args:
            context: The step's context.
            extras: Values to pass on to it.
            kwargs: What the client needs besides.
        """


class PipesClientCompletedInvocation:
    """What came of a process that has ended.

    Args:
        session: Its session.
        metadata: Facts about the process that are added to each materialization.
    """

    def __init__(self, session: PipesSession, metadata: Mapping[str, Any] | None = None) -> None:
        self._session = session
        self._metadata = normalize_metadata(metadata)

    @property
    def metadata(self) -> Metadata:
        """Facts about the process."""
        return self._metadata

    def get_results(self, *, implicit_materializations: bool = True) -> Sequence[PipesExecutionResult]:
        """What the step's function returns or yields.

        Args:
            implicit_materializations: Also say that each asset of the step was made of which nothing was reported.
        """
        return self._session.get_results(implicit_materializations=implicit_materializations, metadata=self._metadata)

    def get_materialize_result(self, *, implicit_materialization: bool = True) -> MaterializeResult[Any]:
        """The materialization of a step with one asset, with the results of its checks.

        Args:
            implicit_materialization: Give one also where none was reported.

        Raises:
            UserCodeError: There is none, or more than one.
        """
        results = self.get_results(implicit_materializations=implicit_materialization)
        made = [each for each in results if isinstance(each, MaterializeResult)]
        if len(made) != 1:
            raise UserCodeError(
                f"get_materialize_result() is for one asset, and there are results of {len(made)}: "
                f"{', '.join(str(each.asset_key) for each in made) or 'none'}; use get_results()."
            )
        checks = [each for each in results if isinstance(each, AssetCheckResult)]
        result = made[0]
        return MaterializeResult(
            asset_key=result.asset_key,
            metadata=result.metadata,
            check_results=[*result.check_results, *checks],
            data_version=result.data_version,
            tags=result.tags,
        )

    def get_asset_check_result(self) -> AssetCheckResult:
        """The one result of a step that evaluates a check.

        Raises:
            UserCodeError: There is none, or there are other results.
        """
        results = self.get_results()
        first = results[0] if len(results) == 1 else None
        if not isinstance(first, AssetCheckResult):
            checks = sum(isinstance(each, AssetCheckResult) for each in results)
            raise UserCodeError(
                "get_asset_check_result() is for one check, and there are "
                f"{checks} results of checks and {len(results) - checks} of assets; use get_results()."
            )
        return first

    def get_custom_messages(self) -> Sequence[Any]:
        """What the process has passed on with `report_custom_message`, in order."""
        return self._session.get_custom_messages()
