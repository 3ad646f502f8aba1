"""A job by the way in which other processes can load it again: the function or variable that makes it."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import DefinitionError, NotFoundError, UsageError
from .ops.graph import GraphDefinition
from .ops.job import JobDefinition

__all__ = ["ReconstructableJob", "build_reconstructable_job", "reconstructable"]


class ReconstructableJob:
    """A job that any process can load again.

    Args:
        module: The module of what makes it.
        name: The function or variable in it.
        args, kwargs: What the function is called with.
        working_directory: The folder from which the module is imported; sys.path alone if not given.
    """

    __slots__ = ("_here", "args", "kwargs", "module", "name", "working_directory")

    def __init__(
        self,
        module: str,
        name: str,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        working_directory: str | None = None,
    ) -> None:
        self.module = module
        self.name = name
        self.args = tuple(args)
        self.kwargs = dict(kwargs or {})
        self.working_directory = working_directory
        self._here: Any = None  # what the name leads to, where this process made it itself

    def get_definition(self) -> JobDefinition:
        """The job: loaded now, unless this process has it already.

        Raises:
            NotFoundError: The module has nothing of that name.
            DefinitionError: It is no job, and its function makes none.
        """
        made = self._here
        if made is None:
            with _importable_from(self.working_directory):
                module = importlib.import_module(self.module)
            try:
                made = getattr(module, self.name)
            except AttributeError as error:
                raise NotFoundError(
                    f"The module {self.module} has no {self.name!r}, which shall give a job."
                ) from error
        if not isinstance(made, JobDefinition | GraphDefinition) and callable(made):
            made = made(*self.args, **self.kwargs)
        if isinstance(made, GraphDefinition):
            made = made.to_job()
        if not isinstance(made, JobDefinition):
            raise DefinitionError(f"{self.module}.{self.name} gives {made!r}, which is no job.")
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return ReconstructableJob, (self.module, self.name, self.args, self.kwargs, self.working_directory)

    def __repr__(self) -> str:
        return f"ReconstructableJob({self.module}.{self.name})"


def build_reconstructable_job(
    reconstructor_module_name: str,
    reconstructor_function_name: str,
    reconstructable_args: Sequence[Any] | None = None,
    reconstructable_kwargs: Mapping[str, Any] | None = None,
    reconstructor_working_directory: str | None = None,
) -> ReconstructableJob:
    """A job that a function with arguments makes, for `execute_job`.

    Args:
        reconstructor_module_name: The function's module.
        reconstructor_function_name: Its name there.
        reconstructable_args: What it is called with by position.
        reconstructable_kwargs: What it is called with by name.
        reconstructor_working_directory: The folder from which the module is imported.
    """
    return ReconstructableJob(
        reconstructor_module_name,
        reconstructor_function_name,
        reconstructable_args or (),
        reconstructable_kwargs,
        reconstructor_working_directory,
    )


def reconstructable(target: Callable[..., Any] | JobDefinition) -> ReconstructableJob:
    """A job that other processes can load again, for `execute_job` with executors that need that.

    Args:
        target: A job made by `@job` at the level of a module, or a function there that gives a job.

    Raises:
        UsageError: Its name in its module does not lead to it: a lambda, or what is made inside a function.
    """
    fn = getattr(target, "composed_from", None) if isinstance(target, JobDefinition) else target
    module, name = getattr(fn, "__module__", None), getattr(fn, "__name__", None)
    if fn is None or module is None or name is None:
        raise UsageError(
            f"{target!r} is made by no function at the level of a module, so no process could load it again; pass a "
            "function that gives the job."
        )
    if "<" in fn.__qualname__ or "." in fn.__qualname__:
        raise UsageError(
            f"{fn.__qualname__} in {module} is not at the level of its module, so no process could load it again; "
            "define it there."
        )
    folder = None
    if module == "__main__":
        main = getattr(sys.modules["__main__"], "__file__", None)
        if main is None:
            raise UsageError(
                f"{name} is defined at the prompt, where no process could load it again; write it in a file."
            )
        module, folder = Path(main).stem, str(Path(main).parent)
    made = ReconstructableJob(module, name, working_directory=folder)
    made._here = target
    return made


@contextlib.contextmanager
def _importable_from(folder: str | None) -> Iterator[None]:
    if folder is None or folder in sys.path:
        yield
        return
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
