"""The instance of an execution that was given none."""

from penstock import (
    AssetExecutionContext,
    AssetKey,
    Instance,
    OpExecutionContext,
    asset,
    build_op_context,
    materialize,
    op,
)


def test_steps_share_an_instance_that_is_empty() -> None:
    seen: list[object] = []

    @asset
    def first(context: AssetExecutionContext) -> None:
        context.instance.add_dynamic_partitions("files", ["a"])
        seen.append(context.instance.get_latest_materialization_event(AssetKey("first")))

    @asset(deps=[first])
    def second(context: AssetExecutionContext) -> None:
        seen.append(context.instance.get_dynamic_partitions("files"))
        seen.append(context.instance.get_run_by_id(context.run_id))

    assert materialize([first, second]).success
    assert materialize([second]).success
    assert seen == [None, ["a"], None, [], None]


def test_a_context_of_a_test_has_one() -> None:
    @op
    def look(context: OpExecutionContext) -> bool:
        return context.instance is context.instance

    assert look(build_op_context()) is True


def test_the_instance_that_is_given_comes_first() -> None:
    @asset
    def look(context: AssetExecutionContext) -> None:
        assert context.instance is instance

    with Instance.ephemeral() as instance:
        assert materialize([look], instance=instance).success
