"""A tour of ops: fan-out over what a step finds, retries, an optional branch, and a step that fails on purpose."""

import random
import time
from collections.abc import Iterator

from penstock import (
    Backoff,
    Config,
    Definitions,
    DynamicOut,
    DynamicOutput,
    In,
    Jitter,
    Nothing,
    OpExecutionContext,
    Out,
    Output,
    RetryPolicy,
    job,
    op,
)


class Shop(Config):
    """What to make up.

    Attributes:
        orders: How many orders to make up.
        seed: Where chance begins; the same seed gives the same orders.
    """

    orders: int = 6
    seed: int = 7


@op(out=DynamicOut())
def find_orders(context: OpExecutionContext, config: Shop) -> Iterator[DynamicOutput[int]]:
    """Find orders; each becomes a branch of its own."""
    chance = random.Random(config.seed)
    for number in range(config.orders):
        amount = chance.randint(10, 500)
        context.log.info(f"order {number}: {amount} EUR")
        yield DynamicOutput(amount, mapping_key=f"order_{number}")


@op(retry_policy=RetryPolicy(max_retries=3, delay=0.3, backoff=Backoff.EXPONENTIAL, jitter=Jitter.PLUS_MINUS))
def charge(context: OpExecutionContext, amount: int) -> int:
    """Charge an order; the bank is not always there at the first try."""
    time.sleep(0.2)
    if context.retry_number == 0 and amount % 3 == 0:
        raise ConnectionError(f"the bank hung up while charging {amount} EUR")
    print(f"charged {amount} EUR at try {context.retry_number + 1}")
    return amount


@op(out={"large": Out(is_required=False), "total": Out()})
def add_up(context: OpExecutionContext, charged: list[int]) -> Iterator[Output[int]]:
    """Add the orders up; a large total goes to a person as well."""
    total = sum(charged)
    context.log.info(f"{len(charged)} orders, {total} EUR")
    yield Output(total, "total")
    if total > 1_000_000:
        yield Output(total, "large")


@op
def ask_a_person(large: int) -> None:
    """Skipped unless the total is large."""
    print(f"please look at {large} EUR")


@op
def write_receipt(total: int) -> str:
    """Write the receipt."""
    return f"received {total} EUR with thanks"


@job
def checkout() -> None:
    """Fan out over orders, retry the bank, collect, branch."""
    outcome = add_up(find_orders().map(charge).collect())
    write_receipt(outcome.total)
    ask_a_person(outcome.large)


@op
def prepare() -> None:
    """Goes well."""
    print("all is prepared")


@op(ins={"ready": In(Nothing)})
def stumble() -> None:
    """Fails, to show what a failure looks like."""
    figures = {"paid": 3}
    print("about to look up a figure that is not there")
    print(figures["refunded"])


@op(ins={"after": In(Nothing)})
def never_reached() -> None:
    """Does not run, because the step before it fails."""
    raise AssertionError("this must not run")


@job
def fails_on_purpose() -> None:
    """A failing step, what runs before it, and what then does not run."""
    never_reached(after=stumble(ready=prepare()))


defs = Definitions(jobs=[checkout, fails_on_purpose])
