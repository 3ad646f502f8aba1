"""One attempt of a step as a process: `python -P -m penstock.instance.step_program`, with its order on standard input.

Whatever runs steps elsewhere starts this: see `execution/step_launcher.py`. What this imports itself is not looked for
in the present folder (`-P`), what the order names is.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec

from ..codec import decode_json, encode_json
from ..definitions.load import look_first_in
from ..execution.child import die_with
from ..execution.environment import Environment
from ..execution.ordered_step import carry_out
from ..execution.step_order import StepOrder
from .reference import InstanceRef

__all__ = ["main"]


def main(arguments: list[str]) -> int:
    """Read the order, open the instance, and carry the order out; gives the exit code.

    Args:
        arguments: `--die-with PID` to be killed when that process, the parent, dies.
    """
    look_first_in(Path.cwd())
    if arguments[:1] == ["--die-with"]:
        die_with(int(arguments[1]))
    try:
        order = decode_json(sys.stdin.buffer.read(), StepOrder)
        reference = InstanceRef.decode(encode_json(order.where.instance))
    except msgspec.DecodeError as error:
        print(f"What was read from standard input is no order for a step: {error}", file=sys.stderr)  # noqa: T201
        return os.EX_USAGE
    with reference.open() as instance:
        environment = Environment(
            storage=instance.storage,
            logs=instance.logs,
            artifacts=instance.artifacts,
            clock=instance.clock,
            instance=instance,
            elsewhere=order.where,
        )
        return carry_out(order, environment)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
