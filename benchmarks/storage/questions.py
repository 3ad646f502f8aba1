"""What pages ask, in documents that both subjects understand, with the fields that lists and logs show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from .seed_penstock import long_run_id, run_id
from .world import COMMON_TAG, PARTITIONED, RARE_TAG, World

__all__ = ["Question", "questions"]

Ask = Callable[[str, dict[str, Any]], Any]

PAGE = 50
LOG_PAGE = 1000

_RUN = """
  id runId status jobName tags { key value } assetSelection { path } creationTime startTime endTime canTerminate
  parentRunId rootRunId
"""
_RUNS = f"""
query Page($filter: RunsFilter, $cursor: String, $limit: Int) {{
  runsOrError(filter: $filter, cursor: $cursor, limit: $limit) {{
    __typename ... on Runs {{ results {{ {_RUN} }} }} ... on PythonError {{ message }}
  }}
}}
"""
_COUNT = """
query Count($filter: RunsFilter) { runsOrError(filter: $filter, limit: 1) { __typename ... on Runs { count } } }
"""
_METADATA = """
  metadataEntries {
    __typename label description ... on IntMetadataEntry { intValue } ... on FloatMetadataEntry { floatValue }
  }
"""
_LOG = f"""
query Log($runId: ID!, $after: String, $limit: Int) {{
  logsForRun(runId: $runId, afterCursor: $after, limit: $limit) {{
    __typename
    ... on EventConnection {{
      cursor hasMore
      events {{
        __typename
        ... on MessageEvent {{ runId message timestamp level stepKey eventType }}
        ... on MaterializationEvent {{ assetKey {{ path }} partition {_METADATA} }}
        ... on ExecutionStepOutputEvent {{ outputName }}
      }}
    }}
  }}
}}
"""
_RUN_PAGE = f"""
query Run($runId: ID!) {{
  runOrError(runId: $runId) {{
    __typename
    ... on Run {{
      {_RUN} stats {{ ... on RunStatsSnapshot {{ stepsSucceeded stepsFailed materializations }} }}
      stepStats {{ stepKey status startTime endTime }}
    }}
  }}
}}
"""
_CATALOGUE = """
query Catalogue($keys: [AssetKeyInput!]!) {
  assetNodes {
    assetKey { path } description groupName kinds isExecutable isPartitioned repository { name location { name } }
    dependencyKeys { path }
  }
  assetsLatestInfo(assetKeys: $keys) {
    assetKey { path } latestMaterialization { timestamp runId } unstartedRunIds inProgressRunIds latestRun { id status }
  }
}
"""
_HISTORY = f"""
query History($key: AssetKeyInput!, $before: String, $limit: Int) {{
  assetOrError(assetKey: $key) {{
    __typename
    ... on Asset {{
      assetMaterializations(beforeTimestampMillis: $before, limit: $limit) {{
        runId timestamp stepKey partition {_METADATA}
      }}
    }}
  }}
}}
"""
_PARTITIONS = """
query Partitions($key: AssetKeyInput!) {
  assetNodeOrError(assetKey: $key) {
    __typename
    ... on AssetNode {
      partitionStats { numMaterialized numPartitions numFailed numMaterializing }
      %s
    }
  }
}
"""
_RANGES = {
    "penstock": "ranges: partitionRanges { startIndex endIndex status }",
    "peer": "ranges: assetPartitionStatuses { ... on TimePartitionStatuses { ranges { startKey endKey status } } }",
}


class Question(NamedTuple):
    """A page's question; `found` gives how many things the answer holds, which are `expected` (None: some)."""

    name: str
    document: str
    variables: dict[str, Any]
    found: Callable[[Any], int]
    expected: int | None = None


def questions(subject: str, world: World, ask: Ask) -> list[Question]:
    """All questions, in the order of the table. `ask` finds out where a page in the middle begins."""
    far = run_id(world, world.runs // 10)
    tag, rare = ({"tags": [{"key": key, "value": value}]} for key, value in (COMMON_TAG, RARE_TAG))
    filters: list[tuple[str, dict[str, Any], str | None]] = [
        ("the newest", {}, None),
        ("a page near the oldest", {}, far),
        ("with a status (FAILURE, 5 %)", {"statuses": ["FAILURE"]}, None),
        ("with a status, near the oldest", {"statuses": ["FAILURE"]}, far),
        ("with a tag (12 %)", tag, None),
        ("with a rare tag (10 runs)", rare, None),
        ("with a tag and a status (0.2 %)", {**tag, "statuses": ["CANCELED"]}, None),
        ("with a rare tag and a status", {**rare, "statuses": ["SUCCESS"]}, None),
        ("of a job (2.5 %)", {"pipelineName": "job_7"}, None),
        ("of a job, with a status", {"pipelineName": "job_7", "statuses": ["FAILURE"]}, None),
    ]
    runs = [
        Question(f"runs: {name}", _RUNS, {"filter": where, "cursor": cursor, "limit": PAGE}, _runs)
        for name, where, cursor in filters
    ]
    counts = [
        Question(f"runs: counted, {name}", _COUNT, {"filter": where}, _count)
        for name, where in (("all", {}), ("with a status", {"statuses": ["FAILURE"]}), ("with a tag", tag))
    ]
    long_id = long_run_id(world)
    first = {"runId": long_id, "after": None, "limit": LOG_PAGE}
    middle = None
    for _ in range(world.long_run // 2 // LOG_PAGE):
        middle = ask(_LOG, {**first, "after": middle})["logsForRun"]["cursor"]
    keys = [{"path": ["hourly"]}, *({"path": [f"asset_{number}"]} for number in range(world.assets - 1))]
    history = {"key": {"path": [PARTITIONED]}, "before": None, "limit": 100}
    long_ago = str(int(1000 * world.run(world.runs // 5).created))
    partitions = _PARTITIONS % _RANGES[subject]
    return [
        Question("run: its page", _RUN_PAGE, {"runId": long_id}, _steps, world.long_run // 20),
        Question("run: log, first page", _LOG, first, _events, min(LOG_PAGE, world.long_run + 2)),
        Question("run: log, a page in the middle", _LOG, {**first, "after": middle}, _events),
        *runs,
        *counts,
        Question("catalogue with status", _CATALOGUE, {"keys": keys}, _assets, world.assets),
        Question("history of an asset, newest", _HISTORY, history, _made),
        Question("history of an asset, far back", _HISTORY, {**history, "before": long_ago}, _made),
        Question(
            "status of an asset's partitions", partitions, {"key": {"path": [PARTITIONED]}}, _parts, world.partitions
        ),
    ]


def _runs(data: Any) -> int:
    return len(data["runsOrError"]["results"])


def _count(data: Any) -> int:
    return int(data["runsOrError"]["count"])


def _events(data: Any) -> int:
    return len(data["logsForRun"]["events"])


def _steps(data: Any) -> int:
    return len(data["runOrError"]["stepStats"])


def _assets(data: Any) -> int:
    return min(len(data["assetNodes"]), len(data["assetsLatestInfo"]))


def _made(data: Any) -> int:
    return len(data["assetOrError"]["assetMaterializations"])


def _parts(data: Any) -> int:
    node = data["assetNodeOrError"]
    return int(node["partitionStats"]["numPartitions"]) if node["ranges"] else 0
