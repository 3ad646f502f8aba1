"""Resources as classes with typed config, alone and inside each other."""

import contextlib
from typing import Any, Self

import pytest
from pydantic import Field, PrivateAttr, SecretStr, ValidationError, model_validator

from penstock import (
    ConfigurableIOManager,
    ConfigurableIOManagerFactory,
    ConfigurableResource,
    EnvVar,
    InMemoryIOManager,
    IOManager,
    ResourceDependency,
)
from penstock.config.schema import UNSET, Shape
from penstock.definitions.resources.resource import ResourceDefinition, to_resources
from penstock.errors import DefinitionError, InvalidRunConfigError
from penstock.execution.resources import InitResourceContext, Resources

LOG: list[str] = []


class Database(ConfigurableResource):
    """Where data is."""

    url: str
    port: int = Field(default=5432, gt=0)
    _connection: str = PrivateAttr(default="")

    def setup_for_execution(self, context: Any) -> None:
        self._connection = f"{self.url}:{self.port}"
        LOG.append(f"open {self._connection}")

    def teardown_after_execution(self, context: Any) -> None:
        LOG.append(f"close {self._connection}")

    def ask(self) -> str:
        return self._connection


class Service(ConfigurableResource):
    database: Database
    name: str = "service"


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    LOG.clear()


def _context(config: Any = None, **resources: Any) -> Any:
    return InitResourceContext(resource_config=config, resources=Resources(resources))


def _opened(definition: ResourceDefinition, context: Any) -> Any:
    return contextlib.contextmanager(lambda: definition.initialize(context))()


def _config(definition: ResourceDefinition) -> Shape:
    field = definition.config_field
    assert field is not None
    assert isinstance(field.type, Shape)
    return field.type


def test_fields_are_config_with_the_given_values_as_defaults() -> None:
    definition = to_resources({"db": Database(url="here")}, "Definitions")["db"]
    shape = _config(definition)
    assert {name: (field.required, field.default) for name, field in shape.fields.items()} == {
        "url": (False, "here"),
        "port": (False, 5432),
    }
    field = definition.config_field
    assert field is not None
    assert not field.required
    assert definition.type_name == "Database"
    assert definition.description == "Where data is."


def test_it_is_set_up_with_the_runs_config_and_torn_down() -> None:
    definition = to_resources({"db": Database(url="here")}, "Definitions")["db"]
    with _opened(definition, _context({"url": "there", "port": 1})) as db:
        assert db.ask() == "there:1"
    assert LOG == ["open there:1", "close there:1"]


def test_teardown_follows_a_failed_run_too() -> None:
    definition = to_resources({"db": Database(url="here")}, "Definitions")["db"]
    with pytest.raises(RuntimeError), _opened(definition, _context({"url": "a", "port": 1})):
        raise RuntimeError
    assert LOG == ["open a:1", "close a:1"]


def test_limits_of_the_model_hold_for_the_runs_config() -> None:
    definition = to_resources({"db": Database(url="here")}, "Definitions")["db"]
    with (
        pytest.raises(InvalidRunConfigError, match="greater than 0"),
        _opened(definition, _context({"url": "a", "port": -1})),
    ):
        pass


def test_left_to_launch_means_required() -> None:
    definition = to_resources({"db": Database.configure_at_launch(port=1)}, "Definitions")["db"]
    assert _config(definition).fields["url"].required
    assert _config(definition).fields["port"].default == 1
    with pytest.raises(DefinitionError, match="no fields"):
        Database.configure_at_launch(prt=1)


def test_a_resource_with_a_key_of_its_own_is_shared() -> None:
    database = Database(url="here")
    definitions = to_resources({"db": database, "service": Service(database=database)}, "Definitions")
    service = definitions["service"]
    assert service.required_resource_keys == {"db"}
    assert list(_config(service).fields) == ["name"]
    with (
        _opened(definitions["db"], _context({"url": "here", "port": 1})) as shared,
        _opened(service, _context({"name": "n"}, db=shared)) as opened,
    ):
        assert opened.database is shared
    assert LOG == ["open here:1", "close here:1"]


def test_validators_see_what_is_inside_and_what_the_run_config_says() -> None:
    class Checked(ConfigurableResource):
        database: Database
        low: int = Field(default=1, alias="lowest")
        high: int = 5

        @model_validator(mode="after")
        def _ordered(self) -> Self:
            assert isinstance(self.database, Database)
            if self.low > self.high:
                raise ValueError(f"{self.low} is above {self.high}")
            return self

    with pytest.raises(ValidationError, match="9 is above 5"):
        Checked(database=Database(url="x"), lowest=9)
    definition = to_resources({"c": Checked(database=Database(url="x"), lowest=2)}, "Definitions")["c"]
    assert _config(definition).fields["lowest"].default == 2
    with _opened(definition, _context({"lowest": 3, "high": 4})) as opened:
        assert (opened.low, opened.high) == (3, 4)
    with (
        pytest.raises(InvalidRunConfigError, match="8 is above 4"),
        _opened(definition, _context({"lowest": 8, "high": 4})),
    ):
        pytest.fail("set up with a config that its validator refuses")


def test_a_resource_inside_another_only_is_set_up_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "from env")
    service = to_resources({"service": Service(database=Database(url=EnvVar("DATABASE_URL")))}, "Definitions")[
        "service"
    ]
    assert service.required_resource_keys == frozenset()
    with _opened(service, _context({"name": "n"})) as opened:
        assert opened.database.ask() == "from env:5432"
    assert LOG == ["open from env:5432", "close from env:5432"]


def test_any_class_may_be_inside_if_marked() -> None:
    class Client:
        pass

    class Api(ConfigurableResource):
        client: ResourceDependency[Client]

    client = Client()
    definitions = to_resources({"client": client, "api": Api(client=client)}, "Definitions")
    assert definitions["api"].required_resource_keys == {"client"}
    with _opened(definitions["api"], _context({}, client=client)) as api:
        assert api.client is client


def test_secrets_stay_in_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    class Vault(ConfigurableResource):
        token: SecretStr
        user: str

    definition = to_resources({"v": Vault(token=SecretStr("s3cret"), user="me")}, "Definitions")["v"]
    assert "s3cret" not in repr(definition.config_field)
    assert _config(definition).fields["token"].default is UNSET
    assert definition.shown_config()["user"] == "me"
    assert "s3cret" not in repr(definition.shown_config())
    with _opened(definition, _context({"user": "me"})) as vault:
        assert vault.token.get_secret_value() == "s3cret"


def test_what_ops_get_may_be_something_else() -> None:
    class Session(ConfigurableResource):
        n: int

        def create_resource(self, context: Any) -> list[int]:
            return [self.n]

    definition = to_resources({"s": Session(n=2)}, "Definitions")["s"]
    with _opened(definition, _context({"n": 3})) as session:
        assert session == [3]


def test_io_managers_with_config() -> None:
    class Store(ConfigurableIOManager):
        folder: str

        def handle_output(self, context: Any, obj: Any) -> None: ...

        def load_input(self, context: Any) -> Any:
            return self.folder

    class Factory(ConfigurableIOManagerFactory):
        def create_io_manager(self, context: Any) -> IOManager:
            return InMemoryIOManager()

    made = to_resources({"a": Store(folder="x"), "b": Factory()}, "Definitions")
    with _opened(made["a"], _context({"folder": "y"})) as store:
        assert store.load_input(None) == "y"
    with _opened(made["b"], _context({})) as created:
        assert isinstance(created, InMemoryIOManager)


def test_an_instance_cannot_be_changed_or_misspelt() -> None:
    with pytest.raises(ValidationError):
        Database(url="x", prot=1)  # type: ignore[call-arg]
    with pytest.raises(ValidationError):
        Database(url="x").url = "y"  # type: ignore[misc]
