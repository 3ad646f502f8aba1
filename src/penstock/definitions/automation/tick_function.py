"""A user's function of a schedule or sensor: what it takes, and how it is called in a tick and by a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from ...errors import DefinitionError, InvocationError, UnknownResourceError
from ..function import read_function
from ..source import Source

__all__ = ["TickFunction", "read_tick_function"]

_GIVE_IT = 'give it by name, or to the function that makes the context: resources={{"{}": ...}}.'


class TickFunction(msgspec.Struct, frozen=True, kw_only=True):
    """The function as read.

    Args:
        fn: The function itself.
        what: What it defines, as messages call it.
        takes: The names of its parameters that are no resources, in order.
        meaning: What is passed to these, as messages call it.
        resources: The names of its resource parameters, which are also the keys of the resources.
        first_by_position: Whether the first of `takes` is its first parameter, whatever it is called there.
    """

    fn: Callable[..., Any]
    what: str
    takes: tuple[str, ...]
    meaning: tuple[str, ...]
    resources: tuple[str, ...]
    first_by_position: bool

    def call(self, values: Sequence[Any], resources: Mapping[str, Any]) -> Any:
        """Call it in a tick.

        Args:
            values: What it may take besides resources, in order; what it has no parameters for is left out.
            resources: By key.
        """
        given = dict(zip(self.takes, values, strict=False))
        for name in self.resources:
            if name not in resources:
                raise UnknownResourceError(
                    f'{self.what} needs the resource "{name}", which there is not; {_GIVE_IT.format(name)}'
                )
        return self._call(given | {name: resources[name] for name in self.resources})

    def call_directly(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Call it as a test does: with what it takes, by position or by name; resources come from the context if not
        given by name.

        Raises:
            InvocationError: Something is missing, or is given that it does not take.
        """
        given = dict(kwargs)
        context = args[0] if args else next((value for value in kwargs.values() if hasattr(value, "resources")), None)
        names = self.takes
        if len(args) > len(names) and not (len(args) == 1 and hasattr(context, "resources")):
            raise InvocationError(f"{self.what} was called with {len(args)} values; {self._words()}")
        for name, value in zip(names, args, strict=False):
            if name in given:
                raise InvocationError(f"{self.what} was called with {name} by position and by name; give it once.")
            given[name] = value
        missing = [name for name in names if name not in given]
        unknown = [name for name in given if name not in names and name not in self.resources]
        if missing or unknown:
            wrong = f"without {', '.join(missing)}" if missing else f"with {', '.join(unknown)}"
            raise InvocationError(f"{self.what} was called {wrong}; {self._words()}")
        for name in self.resources:
            if name not in given:
                given[name] = self._resource(name, context)
        return self._call(given)

    def _call(self, given: dict[str, Any]) -> Any:
        first = [given.pop(self.takes[0])] if self.first_by_position else []
        return self.fn(*first, **given)

    def _resource(self, name: str, context: Any) -> Any:
        found: Mapping[str, Any] = {} if context is None else context.resources.original_resource_dict
        if name not in found:
            raise InvocationError(f'{self.what} needs the resource "{name}"; {_GIVE_IT.format(name)}')
        return found[name]

    def _words(self) -> str:
        taken = [*(f"{name} ({means})" for name, means in zip(self.takes, self.meaning, strict=False)), *self.resources]
        return f"it takes {', '.join(taken) or 'nothing'}."


def read_tick_function(
    fn: Callable[..., Any],
    what: str,
    source: Source | None,
    *,
    meaning: tuple[str, ...] = ("the context",),
    needs_all: bool = False,
) -> TickFunction:
    """Read the signature of a function.

    Args:
        fn: The function.
        what: What it defines, as messages call it, for example `Sensor "files"`.
        source: Where it is written.
        meaning: What is passed to its parameters that are no resources, in order, as messages call it.
        needs_all: Whether it must take all of that.

    Raises:
        DefinitionError: It is not callable, or has parameters that nothing fills.
    """
    function = read_function(fn, what, with_config=False)
    takes = (*(("context",) if function.takes_context else ()), *(each.name for each in function.inputs))
    if len(takes) > len(meaning) or (needs_all and len(takes) < len(meaning)):
        raise DefinitionError(
            f"{what} ({source}) has a function with the parameters ({', '.join(takes)}); it takes "
            f"{' and '.join(meaning)}, and resources, which are annotated as such."
        )
    return TickFunction(
        fn=fn,
        what=what,
        takes=takes,
        meaning=meaning,
        resources=function.resources,
        first_by_position=function.takes_context,
    )
