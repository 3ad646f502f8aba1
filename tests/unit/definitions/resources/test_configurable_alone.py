"""Configurable resources used by themselves, inside functions that make resources, and in what they show to ops."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from penstock import (
    ConfigurableResource,
    Definitions,
    EnvVar,
    IAttachDifferentObjectToOpContext,
    OpExecutionContext,
    ResourceDefinition,
    ResourceDependency,
    ResourceParam,
    asset,
    build_init_resource_context,
    build_op_context,
    build_resources,
    job,
    materialize,
    op,
    resource,
)
from penstock.config.schema import Shape
from penstock.definitions.resources.resource import to_resources
from penstock.errors import DefinitionError, InvalidRunConfigError, UsageError

trail: list[str] = []


@pytest.fixture(autouse=True)
def _fresh_trail() -> None:
    trail.clear()


class Connection:
    """What a client library gives."""

    def __init__(self, url: str) -> None:
        self.url = url


class Database(ConfigurableResource[Connection]):
    url: str

    def create_resource(self, context: Any) -> Connection:
        return Connection(self.url)


class Session(ConfigurableResource):
    name: str
    size: int = 1

    def setup_for_execution(self, context: Any) -> None:
        trail.append(f"up {self.name} {context.resource_config['size']}")

    def teardown_after_execution(self, context: Any) -> None:
        trail.append(f"down {self.name}")


class Service(ConfigurableResource):
    session: Session
    database: ResourceDependency[Connection]


def test_it_is_ready_by_itself_with_all_that_is_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "there")
    service = Service(session=Session(name="s"), database=Database(url=EnvVar("DATABASE_URL")))
    with service.process_config_and_initialize_cm() as ready:
        assert ready.session.name == "s"
        assert isinstance(ready.database, Connection)
        assert ready.database.url == "there"
        assert ready.nested_resources.keys() == {"session", "database"}
        assert trail == ["up s 1"]
    assert trail == ["up s 1", "down s"]
    assert Database(url="x").process_config_and_initialize().url == "x"


def test_what_must_be_torn_down_asks_for_a_with() -> None:
    with pytest.raises(UsageError, match="process_config_and_initialize_cm"):
        Session(name="s").process_config_and_initialize()
    with pytest.raises(UsageError, match="process_config_and_initialize_cm"):
        Service(session=Session(name="s"), database=Database(url="u")).process_config_and_initialize()
    with pytest.raises(UsageError, match="from_resource_context_cm"):
        Session.from_resource_context(build_init_resource_context({"name": "s"}))
    assert trail == []


def test_a_missing_environment_variable_is_named() -> None:
    with pytest.raises(InvalidRunConfigError, match="NOWHERE_URL, which is not set"):
        Database(url=EnvVar("NOWHERE_URL")).process_config_and_initialize()


def test_a_function_makes_it_from_its_own_config() -> None:
    @resource(config_schema=Session.to_config_schema())
    def session(context: Any) -> Iterator[Session]:
        with Session.from_resource_context_cm(context) as ready:
            yield ready

    @resource(config_schema=Database.to_config_schema())
    def database(context: Any) -> Any:
        return Database.from_resource_context(context)

    config = {"session": {"config": {"name": "n", "size": 2}}, "database": {"config": {"url": "u"}}}
    with build_resources({"session": session, "database": database}, resource_config=config) as opened:
        assert opened.session.size == 2
        assert opened.database.url == "u"
        assert trail == ["up n 2"]
    assert trail == ["up n 2", "down n"]


def test_what_it_holds_may_be_handed_over() -> None:
    connection = Connection("x")
    context = build_init_resource_context({})
    with Service.from_resource_context_cm(context, {"session": Session(name="s"), "database": connection}) as ready:
        assert ready.database is connection


def test_its_fields_as_a_schema() -> None:
    schema = Session.to_config_schema()
    assert isinstance(schema, Shape)
    assert {name: field.required for name, field in Session.to_fields_dict().items()} == {"name": True, "size": False}
    definition = Service(session=Session(name="s"), database=Database(url="u")).get_resource_definition()
    assert definition.config_field is not None
    assert isinstance(definition.config_field.type, Shape)
    assert definition.config_field.type.fields == {}, "resources inside it have no place in its config"


def test_the_context_of_its_set_up_is_at_hand() -> None:
    class Asks(ConfigurableResource):
        def ask(self) -> Any:
            return self.get_resource_context()

    with pytest.raises(UsageError, match="has not been set up"):
        Asks().ask()
    context = build_init_resource_context()
    assert Asks().with_resource_context(context).ask() is context
    with build_resources({"asks": Asks()}) as opened:
        assert opened.asks.ask().resource_def.type_name == "Asks"


def test_set_up_and_teardown_in_one() -> None:
    class Whole(ConfigurableResource):
        @contextlib.contextmanager
        def yield_for_execution(self, context: Any) -> Iterator[Any]:
            trail.append("in")
            yield self
            trail.append("out")

    with Whole().process_config_and_initialize_cm():
        assert trail == ["in"]
    assert trail == ["in", "out"]


def test_a_resource_inside_may_be_a_default() -> None:
    class Holds(ConfigurableResource):
        session: Session = Session(name="default")
        other: Session | None = None

    with build_resources({"holds": Holds()}) as opened:
        assert trail == ["up default 1"]
        assert opened.holds.other is None
    assert trail == ["up default 1", "down default"]


def test_what_it_holds_may_be_any_definition_or_value() -> None:
    class Holds(ConfigurableResource):
        number: ResourceDependency[int]

    for given in (4, ResourceDefinition.hardcoded_resource(4)):
        assert Holds(number=given).process_config_and_initialize().number == 4


def test_config_inside_cannot_be_left_to_the_launch_unless_it_has_a_key() -> None:
    class Holds(ConfigurableResource):
        database: ResourceDependency[Connection]

    open_database = Database.configure_at_launch()
    with pytest.raises(DefinitionError, match="Holds holds a Database in its field 'database'"):
        to_resources({"holds": Holds(database=open_database)}, "Definitions")

    @asset
    def url(holds: Holds) -> str:
        return holds.database.url

    defs = Definitions(assets=[url], resources={"holds": Holds(database=open_database), "database": open_database})
    result = defs.get_job_def("__ASSET_JOB").execute_in_process(
        run_config={"resources": {"database": {"config": {"url": "launched"}}}}
    )
    assert result.output_for_node("url") == "launched"


def test_ops_get_what_it_creates() -> None:
    @op
    def url(database: ResourceParam[Connection]) -> str:
        return database.url

    @job(resource_defs={"database": Database(url="u")})
    def asks() -> None:
        url()

    assert asks.execute_in_process().output_for_node("url") == "u"


class Client(ConfigurableResource, IAttachDifferentObjectToOpContext):
    size: int

    def get_object_to_set_on_execution_context(self) -> list[int]:
        return [self.size]


def test_a_context_may_show_another_object_than_a_parameter() -> None:
    class Outer(ConfigurableResource):
        client: Client

    client = Client(size=2)

    @op
    def both(context: OpExecutionContext, client: Client, outer: Outer) -> None:
        assert context.resources.client == [2]
        assert context.resources.client is context.resources.client
        assert isinstance(client, Client)
        assert outer.client is client

    @resource(required_resource_keys={"client"})
    def user(context: Any) -> Any:
        return context.resources.client

    @op
    def asks(user: ResourceParam[Any]) -> None:
        assert user == [2]

    @job(resource_defs={"client": client, "outer": Outer(client=client), "user": user})
    def shows() -> None:
        both()
        asks()

    assert shows.execute_in_process().success

    @op
    def direct(context: OpExecutionContext, client: Client) -> tuple[Any, Any]:
        return context.resources.client, client.size

    assert direct(build_op_context(resources={"client": client})) == ([2], 2)


def test_what_it_takes_for_a_nested_resource_is_checked() -> None:
    class Outer(ConfigurableResource):
        client: Client

    with pytest.raises(ValueError, match="Client"):
        Outer(client=3)


def test_fields_and_methods_are_inherited() -> None:
    class Base(ConfigurableResource):
        url: str = "base"

        def setup_for_execution(self, context: Any) -> None:
            trail.append(f"base {self.url}")

    class Derived(Base):
        port: int = 1

    @asset
    def ports(db: Base) -> str:
        return f"{db.url}:{db.port}" if isinstance(db, Derived) else ""

    result = materialize(
        [ports], resources={"db": Derived()}, run_config={"resources": {"db": {"config": {"port": 7}}}}
    )
    assert result.output_for_node("ports") == "base:7"
    assert trail == ["base base"]
