"""Code locations as they load, fail and change."""

from __future__ import annotations

from typing import Any

from penstock.records.errors import ErrorInfo, Frame
from penstock.records.location import LocationDescription
from penstock.records.wire import LoadStatus
from penstock.storage.protocols import StoredLocation

ENTRIES = """{ workspaceOrError { ... on Workspace { locationEntries {
    name loadStatus stale origin updatedTimestamp versionKey jobCount assetCount scheduleCount sensorCount
    loadError { message className rootCause { message } stack frames { file line user } }
    locationOrLoadError { __typename ... on PythonError { message } ... on RepositoryLocation { isReloadSupported } }
} } } }"""

ERROR = ErrorInfo(
    cls="LocationLoadError",
    message="shop.py could not be loaded",
    frames=(Frame(file="shop.py", line=3, function="<module>", code="import nothing"),),
    cause=ErrorInfo(cls="ModuleNotFoundError", message="No module named 'nothing'"),
)


def entries(ask: Any) -> dict[str, Any]:
    return {each["name"]: each for each in ask(ENTRIES)["workspaceOrError"]["locationEntries"]}


def test_a_loaded_location(ask: Any) -> None:
    shop = entries(ask)["shop"]
    assert shop["loadStatus"] == "LOADED"
    assert not shop["stale"]
    assert shop["loadError"] is None
    assert shop["origin"] == "shop.py"
    assert (shop["jobCount"], shop["assetCount"], shop["scheduleCount"], shop["sensorCount"]) == (1, 3, 1, 1)
    assert shop["locationOrLoadError"] == {"__typename": "RepositoryLocation", "isReloadSupported": False}


def test_a_location_that_never_loaded(deployment: Any, ask: Any) -> None:
    deployment.storage.locations.put(StoredLocation(name="bank", status=LoadStatus.FAILED, error=ERROR, updated=1.0))
    bank = entries(ask)["bank"]
    assert bank["locationOrLoadError"] == {"__typename": "PythonError", "message": ERROR.message}
    assert bank["loadError"]["rootCause"] == {"message": "No module named 'nothing'"}
    assert bank["loadError"]["frames"] == [{"file": "shop.py", "line": 3, "user": True}]
    assert bank["loadError"]["stack"] == ['  File "shop.py", line 3, in <module>\n    import nothing\n']
    assert not bank["stale"]
    assert bank["jobCount"] == 0


def test_a_location_whose_last_load_failed_goes_on_with_what_it_had(deployment: Any, ask: Any) -> None:
    deployment.storage.locations.put(
        StoredLocation(name="shop", status=LoadStatus.FAILED, error=ERROR, digest="d", updated=2000.0)
    )
    shop = entries(ask)["shop"]
    assert shop["stale"]
    assert shop["assetCount"] == 3
    assert shop["loadError"]["message"] == ERROR.message
    assert shop["locationOrLoadError"]["__typename"] == "RepositoryLocation"


def test_a_location_that_loads(deployment: Any, ask: Any) -> None:
    deployment.storage.locations.put(StoredLocation(name="bank", status=LoadStatus.LOADING, updated=1.0))
    bank = entries(ask)["bank"]
    assert bank["loadStatus"] == "LOADING"
    assert bank["locationOrLoadError"] is None


def test_a_change_shows_in_the_next_request(deployment: Any, ask: Any) -> None:
    before = entries(ask)["shop"]["versionKey"]
    deployment.put(LocationDescription(name="shop"), updated=2000.0)
    after = entries(ask)["shop"]
    assert after["versionKey"] != before
    assert after["assetCount"] == 0


def test_what_a_location_defines(ask: Any) -> None:
    found = ask(
        """{ repositoryOrError(repositorySelector: {repositoryLocationName: "shop"}) { ... on Repository {
            name location { name } jobs { name isAssetJob } pipelines { name } assetNodes { assetKey { path } }
            assetGroups { groupName assetKeys { path } } schedules { name } sensors { name }
            allTopLevelResourceDetails { name resourceType configuredValues usedBy }
        } } }"""
    )["repositoryOrError"]
    assert found["name"] == "__repository__"
    assert found["location"] == {"name": "shop"}
    assert found["jobs"] == [{"name": "nightly", "isAssetJob": False}, {"name": "__ASSET_JOB", "isAssetJob": True}]
    assert [each["assetKey"]["path"] for each in found["assetNodes"]] == [["feed"], ["mart", "totals"], ["orders"]]
    assert [each["groupName"] for each in found["assetGroups"]] == ["default", "mart", "raw"]
    assert found["allTopLevelResourceDetails"] == [
        {"name": "db", "resourceType": "Duck", "configuredValues": {"path": "shop.db"}, "usedBy": ["orders"]}
    ]


def test_a_location_that_is_not_there(ask: Any) -> None:
    query = """query Q($name: String!) {
        repositoryOrError(repositorySelector: {repositoryLocationName: $name}) { __typename ... on Error { message } }
        repositoriesOrError(repositorySelector: {repositoryLocationName: $name}) { __typename }
        workspaceLocationEntryOrError(name: $name) { __typename }
    }"""
    answer = ask(query, name="shp")
    assert answer["repositoryOrError"] == {
        "__typename": "RepositoryNotFoundError",
        "message": "There is no code location 'shp'. Did you mean 'shop'?",
    }
    assert answer["repositoriesOrError"]["__typename"] == "RepositoryNotFoundError"
    assert answer["workspaceLocationEntryOrError"] is None


def test_a_reload_without_a_code_server(ask: Any) -> None:
    query = """mutation M($name: String!) { reloadRepositoryLocation(repositoryLocationName: $name) {
        __typename ... on Error { message } } }"""
    assert ask(query, name="none")["reloadRepositoryLocation"]["__typename"] == "RepositoryLocationNotFound"
    refused = ask(query, name="shop")["reloadRepositoryLocation"]
    assert refused["__typename"] == "ReloadNotSupported"
    assert "No code server serves" in refused["message"]
    assert ask("mutation { reloadWorkspace { __typename } }") == {"reloadWorkspace": {"__typename": "Workspace"}}
